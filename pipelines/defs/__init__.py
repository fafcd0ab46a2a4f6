"""All that Dagster scans: sources, models. Folders of `defs.yaml`, no code."""
