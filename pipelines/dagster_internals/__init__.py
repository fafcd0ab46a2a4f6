"""All that leans on private parts of Dagster; decision 16 says why."""
