"""The journal of running work: what a killed run may have written without recording it.

While a run writes weeks or the database, an entry in `running/` names them, and its process holds a
lock on the entry. When the run has recorded the results, the entry is removed. An entry that nobody
holds was left by a run that died: what it names has to be done again. No process ids are compared:
they are reused, and mean nothing in another container. Dagster is not known here.
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

from pipelines.store.files import write_whole
from pipelines.store.paths import Warehouse

TABLES = "tables"
"""What a build writes, in place of the source of a run over weeks."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a run that died was writing: weeks of a source, or the tables."""

    file: Path
    run_id: str
    what: str
    weeks: frozenset[dt.date]


@contextmanager
def entry(
    warehouse: Warehouse,
    run_id: str,
    what: str,
    weeks: Collection[dt.date] = (),
    *,
    settled: tuple[type[Exception], ...] = (),
) -> Iterator[None]:
    """Keep an entry for what a run writes, while it writes; a second call in the run does nothing.

    If an exception leaves the block the entry stays, unless it is one that is raised after
    everything has been recorded.

    Args:
        warehouse: where the run writes.
        run_id: Dagster's name of the run.
        what: a source, or `TABLES`.
        weeks: the weeks of the source.
        settled: the exceptions that are raised after everything has been recorded.
    """
    file = warehouse.running(run_id, what)
    if file.exists():
        yield
        return
    # The process id is for people; the lock shows whether the process lives.
    content = {"weeks": [week.isoformat() for week in sorted(weeks)], "process": os.getpid()}
    with ExitStack() as held:

        def write(temporary: Path) -> None:
            # Locked before it has its name, so that nobody finds it free. A lock of a library could
            # only be taken once the file has its name.
            handle = held.enter_context(temporary.open("w", encoding="utf-8"))
            fcntl.flock(handle, fcntl.LOCK_EX)
            json.dump(content, handle)
            handle.flush()

        write_whole(file, write)
        try:
            yield
        except settled:
            file.unlink()
            raise
        file.unlink()


def unfinished(warehouse: Warehouse) -> list[Unfinished]:
    """Return what runs that died have not finished."""
    found = []
    for file in warehouse.running_files():
        # Blocked: its run is still writing. Not found: its run has just ended.
        with suppress(BlockingIOError, FileNotFoundError), file.open(encoding="utf-8") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            run_id, what = file.stem.split(".")
            found.append(Unfinished(file, run_id, what, _weeks_in(handle.read())))
    return found


def _weeks_in(text: str) -> frozenset[dt.date]:
    try:
        return frozenset(dt.date.fromisoformat(week) for week in json.loads(text)["weeks"])
    except ValueError:  # lost in a power cut: at least the run is closed
        return frozenset()
