"""The inbox: takes the reports that people drop into the archive, once they are whole."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from pipelines.errors import FundflowsError
from pipelines.store import archive
from pipelines.store.files import entries
from pipelines.store.paths import Warehouse

_log = logging.getLogger(__name__)
QUIET = 5.0
"""Seconds: a file in the inbox that changed more recently may still be being written."""


def sweep(warehouse: Warehouse, source: str, *, quiet: float = 0.0) -> list[archive.Archived]:
    """Move the files of a source's inbox into the archive, oldest first.

    Files that are still being written are left alone: dot files, `.partial` ones, and those that
    changed in the last `quiet` seconds or while they were read. A file that cannot be opened stays
    and is logged. Several sweeps may run at once.
    """
    found = [(file, _trace(file)) for file in _named(warehouse, source)]
    whole = [(trace, file) for file, trace in found if trace and trace.quiet_for() >= quiet]
    swept = []
    for trace, file in sorted(whole, key=lambda each: (each[0].modified, each[1].name)):
        try:
            content = archive.content_of(source, file)
        except FundflowsError as error:
            if file.exists():  # else another sweep has taken it
                _log.warning("%s", error)
            continue
        if _trace(file) == trace:
            swept.append(archive.store(warehouse, source, file, content))
            file.unlink(missing_ok=True)
    return swept


def waiting(warehouse: Warehouse, source: str) -> list[Path]:
    """List the files of a source's inbox that are not named as unfinished."""
    return sorted(file for file in _named(warehouse, source) if file.is_file())


def _named(warehouse: Warehouse, source: str) -> list[Path]:
    """List what is in an inbox and not named as unfinished.

    Raises:
        FundflowsError: the folder is there, but cannot be read.
    """
    found = (Path(each) for each in entries(warehouse.inbox(source), source))
    return [file for file in found if _is_whole(file)]


@dataclass(frozen=True, slots=True)
class _Trace:
    """What differs when a file has changed."""

    inode: int
    size: int
    modified: int
    changed: int

    def quiet_for(self) -> float:
        """Return the seconds since the file changed, also if its clock is ahead of ours.

        By the time of change: a copy may keep the old file's time of modification.
        """
        return abs(time.time() - self.changed / 1e9)


def _trace(file: Path) -> _Trace | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    if not S_ISREG(stat.st_mode):
        return None
    return _Trace(stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _is_whole(file: Path) -> bool:
    return not file.name.startswith((".", "~")) and file.suffix not in (".partial", ".crdownload")
