"""What a team would otherwise build: one run a week, default executor, one shared DuckDB file."""
