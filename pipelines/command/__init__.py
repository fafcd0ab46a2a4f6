"""Where Dagster's settings of before 0.2 look for the event log."""
