"""From bytes to admitted observations.

Everything here is a pure function of bytes, layouts and files of the warehouse.
No Dagster and no DuckDB is imported below this folder, so that a week can be read by any
process, or in a test, without an orchestrator and without a lock.
"""
