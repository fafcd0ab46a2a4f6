"""Dagster's record in SQLite, with the events of a second written together.

Dagster opens, commits and closes two databases for each event, which takes longer than the work
that most events are about. Here an event waits until one comes that somebody waits for (a run or
a step begins or ends), until somebody reads, or for a second. The files and tables are Dagster's
own: without `storage` in dagster.yaml everything is still there. A process that is killed loses
what it said in its last second; which weeks are done stands in their own files.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Any
from weakref import WeakSet

from dagster import DagsterEventType, EventLogEntry
from dagster._core.events import EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, _event_logs_directory
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection

LONGEST = 1.0
"""Seconds that an event waits at most."""
MOST = 1000
"""Events that wait at most."""
_AWAITED = {
    *EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
    DagsterEventType.STEP_START,
    DagsterEventType.STEP_SUCCESS,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.STEP_SKIPPED,
    DagsterEventType.STEP_UP_FOR_RETRY,
    DagsterEventType.STEP_RESTARTED,
}


class BatchingEventLog(SqliteEventLogStorage):
    """Dagster's event log, which stores the events that wait in one transaction a database."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._lock = threading.RLock()
        self._waiting: list[EventLogEntry] = []
        self._open: dict[str, Connection] = {}
        self._is_flushing = False
        self._timer: threading.Timer | None = None
        super().__init__(base_dir, inst_data)
        self._db_lock = self._lock  # type: ignore[assignment] # a batch opens two databases
        _LOGS.add(self)

    def store_event(self, event: EventLogEntry) -> None:
        """Keep the event until its batch is written."""
        with self._lock:
            self._waiting.append(event)
            awaited = event.dagster_event_type in _AWAITED or not event.run_id
            if awaited or len(self._waiting) >= MOST:
                self.flush()
            elif self._timer is None:
                self._timer = threading.Timer(LONGEST, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write all that waits, in its order.

        Raises:
            Exception: what Dagster raises for an event that it cannot store; the others stay.
        """
        with self._lock:
            if self._is_flushing:
                return  # said by Dagster about the writing itself: the loop below comes to it
            self._is_flushing = True
            if self._timer:
                self._timer.cancel()
                self._timer = None
            try:
                while self._waiting:
                    self._write_next()
            finally:
                self._is_flushing = False

    def _write_next(self) -> None:
        run_id = self._waiting[0].run_id
        batch = list(takewhile(lambda event: event.run_id == run_id, self._waiting))
        try:
            with super()._connect(run_id) as run, super()._connect(INDEX_SHARD_NAME) as index:
                self._open = {run_id: run, INDEX_SHARD_NAME: index}
                for event in batch:
                    super().store_event(event)
        except Exception:  # noqa: BLE001 (as Dagster does with its own batches)
            self._open = {}
            super().store_event(self._waiting.pop(0))  # alone it is stored, or raises
        else:
            del self._waiting[: len(batch)]
        finally:
            self._open = {}

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """Open a database, with all in it that was said before; a batch shares its connections."""
        with self._lock:
            if shard in self._open:
                yield self._open[shard]
                return
            self.flush()
            with super()._connect(shard) as connection:
                yield connection

    def dispose(self) -> None:
        """Write what waits, and stop."""
        self.flush()
        super().dispose()


class BatchingStorage(DagsterSqliteStorage):
    """Dagster's storage in SQLite files with the batching event log: `storage` in dagster.yaml."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = BatchingEventLog(_event_logs_directory(base_dir))

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> BatchingStorage:
        """Make the storage from the settings in dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)


_LOGS: WeakSet[BatchingEventLog] = WeakSet()


@atexit.register
def _flush_all() -> None:
    for log in list(_LOGS):
        log.flush()
