"""The old path of the event log, for `dagster.yaml` files that name it; removed in 0.3."""

from pipelines.dagster_internals.event_log import BatchingEventLog, BatchingStorage

__all__ = ["BatchingEventLog", "BatchingStorage"]
