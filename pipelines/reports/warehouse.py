"""Where the data live, and how a file gets there: whole or not at all.

The one seam through which paths and writes go; a warehouse on another disk or in an object store
is a change of this module. It knows no format of what it stores.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The data folder: inbox, archive, contents, facts, quarantine, outcomes, running, database."""

    root: Path

    @classmethod
    def default(cls) -> Warehouse:
        """Return the warehouse of `FUNDFLOWS_WAREHOUSE`, else the project's own folder."""
        return cls(Path(os.environ.get("FUNDFLOWS_WAREHOUSE") or PROJECT / "warehouse").absolute())

    @property
    def database(self) -> Path:
        """The published database."""
        return self.root / "fundflows.duckdb"

    def database_as_of(self, moment: dt.datetime) -> Path:
        """The database as known at a moment; the last one of a day is named by the day."""
        of_day = moment.time() == dt.time(23, 59, 59, 999_999)
        name = f"{moment:%Y-%m-%d}" if of_day else f"{moment:%Y-%m-%dT%H%M%SZ}"
        return self.root / f"fundflows@{name}.duckdb"

    @property
    def dagster_home(self) -> Path:
        """Where Dagster keeps its runs and events."""
        return self.root / "dagster"

    def inbox(self, source: str) -> Path:
        """The folder in which people drop the reports of a source."""
        return self.root / "inbox" / source

    def archive(self, source: str) -> Path:
        """The folder of a source's archived reports."""
        return self.root / "archive" / source

    def contents(self, source: str) -> Path:
        """The file that says which weeks a source's reports cover (derived, may be deleted)."""
        return self.root / "contents" / f"{source}.parquet"

    def week_file(self, kind: str, source: str, week: dt.date) -> Path:
        """The Parquet file of a source and week: `facts`, `quarantine` or `outcomes`."""
        return self.root / kind / source / f"{week.isoformat()}.parquet"

    def running(self, run_id: str, what: str) -> Path:
        """The file that is there while a run writes weeks of a source, or the tables."""
        return self.root / "running" / f"{run_id}.{what}.json"

    def running_files(self) -> list[Path]:
        """All files of runs that have begun and not ended."""
        return sorted((self.root / "running").glob("*.json"))

    def week_files(self, kind: str) -> list[Path]:
        """All week files of a kind, over all sources."""
        return sorted((self.root / kind).glob("*/*.parquet"))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it over `path`.

    Readers see the old file or the new one, never a part; a crash leaves the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def one_at_a_time(path: Path, on_wait: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Let one process at a time do what makes `path`; the others wait, after calling `on_wait`.

    The lock is the system's own, on an empty file that stays, so a killed process holds none. What
    a killed one had begun to write is removed first.
    """
    file = path.parent / "locks" / path.name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        for unfinished in path.parent.glob(f".{path.name}.*.partial*"):
            if unfinished.is_dir():
                shutil.rmtree(unfinished, ignore_errors=True)
            else:
                unfinished.unlink(missing_ok=True)
        yield
