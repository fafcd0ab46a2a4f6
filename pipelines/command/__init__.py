"""Kept for settings of Dagster from before 0.2, which look for the event log here."""
