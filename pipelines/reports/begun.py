"""Runs that have begun and not ended: what a killed one may have written without saying so.

While a run writes weeks or the database, a file in the warehouse's `running/` names them, and its
process holds a lock on it. The file goes when Dagster has been told what came of them. One that
nobody holds was left by a run that died, and what it names is to be done once more. No process ids
are compared: they are used again, and mean nothing in another container. Dagster is not known here.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.reports.warehouse import Warehouse, write_whole

TABLES = "tables"
"""What a build writes, where a run over weeks names its source."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a run that is gone had begun: weeks of a source, or the tables."""

    file: Path
    run_id: str
    what: str
    weeks: frozenset[dt.date]


@contextmanager
def begin(
    warehouse: Warehouse,
    run_id: str,
    what: str,
    weeks: Collection[dt.date] = (),
    *,
    settled: tuple[type[Exception], ...] = (),
) -> Iterator[None]:
    """Name what a run writes, while it does; within the same run, a second call does nothing.

    The name stays if the block is left by an exception, unless by one that is raised when all has
    been told.

    Args:
        warehouse: where the run writes.
        run_id: Dagster's name of the run.
        what: a source, or `TABLES`.
        weeks: the weeks of the source.
        settled: the exceptions after which there is nothing left to tell.
    """
    file = warehouse.running(run_id, what)
    if file.exists():
        yield
        return
    # The process is named for people; whether it lives is known by the lock.
    said = {"weeks": [week.isoformat() for week in sorted(weeks)], "process": os.getpid()}
    with ExitStack() as held:

        def write(temporary: Path) -> None:
            # Locked before it has its name, so that nobody finds it free.
            handle = held.enter_context(temporary.open("w", encoding="utf-8"))
            fcntl.flock(handle, fcntl.LOCK_EX)
            json.dump(said, handle)
            handle.flush()

        write_whole(file, write)
        try:
            yield
        except settled:
            file.unlink()
            raise
        file.unlink()


def abandoned(warehouse: Warehouse) -> list[Begun]:
    """Return what runs that are gone had begun and not ended."""
    found = []
    for file in warehouse.running_files():
        # Blocked: its run is at work. Not found: its run has just ended.
        with suppress(BlockingIOError, FileNotFoundError), file.open(encoding="utf-8") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            run_id, what = file.stem.split(".")
            found.append(Begun(file, run_id, what, _weeks_in(handle.read())))
    return found


def _weeks_in(text: str) -> frozenset[dt.date]:
    try:
        return frozenset(dt.date.fromisoformat(week) for week in json.loads(text)["weeks"])
    except ValueError:  # a power cut took the text: at least the run is closed
        return frozenset()
