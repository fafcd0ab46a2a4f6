"""The code location: everything under `defs/`, run in one process."""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Load the sources and the models."""
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    # A week takes milliseconds: a process a step would cost a thousand times the work.
    return dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor))
