"""What a team would otherwise build: one run per week, default executor, one shared DuckDB file."""
