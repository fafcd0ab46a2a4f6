"""Where reading meets the store: from the archive to the week files. No Dagster, no DuckDB."""
