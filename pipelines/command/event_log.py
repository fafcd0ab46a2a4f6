"""The old place of the event log, which stands in people's `dagster.yaml`; goes with 0.3."""

from pipelines.dagster_internals.event_log import BatchingEventLog, BatchingStorage

__all__ = ["BatchingEventLog", "BatchingStorage"]
