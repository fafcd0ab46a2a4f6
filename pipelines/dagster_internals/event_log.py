"""Dagster's event log in SQLite, written in batches of up to a second (decision 16).

Dagster opens two databases for each event, commits and closes them, which takes longer than the
work that most events are about. Here an event waits until one comes that others depend on (a run or
a step begins or ends), until somebody reads, or for a second. The files and tables are Dagster's
own: without `storage` in dagster.yaml everything is still there. A killed process loses the events
of its last second, never a week: the week files show which weeks are done.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import takewhile
from typing import Any
from weakref import WeakSet

from dagster import DagsterEventType, EventLogEntry
from dagster._core.events import EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, _event_logs_directory
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine

from pipelines.dagster_internals import migrations

LONGEST = 1.0
"""The longest time in seconds that an event waits."""
MOST = 1000
"""The largest number of events that wait."""
OPEN = 8
"""The largest number of open files: the index, and the newest runs."""
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
    """Dagster's event log, which stores waiting events in one transaction per database."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._lock = threading.RLock()
        self._waiting: list[EventLogEntry] = []
        self._timer: threading.Timer | None = None
        self._is_flushing = False
        self._batch: dict[str, Connection] = {}
        self._engines: dict[str, Engine] = {}
        self._had: set[tuple[str, str]] = set()
        super().__init__(base_dir, inst_data)
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
            Exception: what Dagster raises for an event that it cannot store; those after it stay.
        """
        with self._lock:
            if self._is_flushing:
                return  # an event about the writing itself: the loop below comes to it
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
            with self._begin(run_id) as run, self._begin(INDEX_SHARD_NAME) as index:
                self._batch = {run_id: run, INDEX_SHARD_NAME: index}
                for event in batch:
                    super().store_event(event)
            del self._waiting[: len(batch)]
        except Exception:  # noqa: BLE001 (as Dagster does with the batches of its cloud)
            self._batch = {}
            super().store_event(self._waiting.pop(0))  # alone it is stored, or raises
        finally:
            self._batch = {}

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """Open a database with all earlier events in it; within a batch, share its connection."""
        with self._lock:
            if shard in self._batch:
                yield self._batch[shard]
                return
            self.flush()
            with self._begin(shard) as connection:
                yield connection

    def _begin(self, shard: str) -> AbstractContextManager[Connection]:
        engine = self._engine(shard)
        if shard not in self._initialized_dbs:
            with engine.connect() as connection:  # else it waits for the disk table by table
                connection.exec_driver_sql("pragma journal_mode = wal")
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        return engine.begin()

    def _engine(self, shard: str) -> Engine:
        """Return the engine of a file. It stays open: each closing would copy its log."""
        if shard not in self._engines:
            if len(self._engines) == OPEN:
                self._engines.pop(next(iter(self._engines))).dispose()
            self._engines[shard] = create_engine(
                self.conn_string_for_shard(shard),
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            )
        return self._engines[shard]

    def has_table(self, table_name: str) -> bool:
        """Return whether the databases have a table."""
        return self._keeps("table", table_name, super().has_table)

    def has_secondary_index(self, name: str) -> bool:
        """Return whether a migration of the data has been made."""
        return self._keeps("index", name, super().has_secondary_index)

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        look = super()._has_asset_key_col_on_connection
        return self._keeps("column", column_name, lambda name: look(conn, name))

    def _keeps(self, kind: str, name: str, look: Callable[[str], bool]) -> bool:
        """Look up once what a database never loses; Dagster looks it up several times per event."""
        if (kind, name) not in self._had and look(name):
            self._had.add((kind, name))
        return (kind, name) in self._had

    def dispose(self) -> None:
        """Write what waits, and close the files."""
        self.flush()
        for engine in self._engines.values():
            engine.dispose()
        super().dispose()


class OpenRuns(SqliteRunStorage):
    """Dagster's list of runs in a file that stays open: each closing would copy its log."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._open = create_engine(conn_string, max_overflow=-1)
        super().__init__(conn_string, inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Begin a transaction."""
        with self._open.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the file."""
        self._open.dispose()
        super().dispose()


class BatchingStorage(DagsterSqliteStorage):
    """Dagster's storage in SQLite files with the batching event log: `storage` in dagster.yaml."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        migrations.load_once()
        super().__init__(base_dir, inst_data)
        self._run_storage = OpenRuns(self._run_storage._conn_string)
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
