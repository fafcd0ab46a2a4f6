"""What leans on private parts of Dagster, fenced in; a test each names the decision behind it."""
