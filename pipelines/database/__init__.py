"""From the week files to the published database. The only place that opens DuckDB."""
