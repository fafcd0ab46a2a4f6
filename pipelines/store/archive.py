"""The archive: reports as bytes by their sha256, never changed, with who, when and the name.

The only module that takes files out of the inbox and reads archived bytes. The same bytes are
archived once; the same name with other bytes is another vintage. What a report says is read
elsewhere.
"""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from pipelines.errors import FundflowsError, Where
from pipelines.report import Report
from pipelines.store.files import write_whole
from pipelines.store.paths import Warehouse

_SIDECAR = ".report.json"
_log = logging.getLogger(__name__)
QUIET = 5.0
"""Seconds: a file in the inbox that changed more recently may still be being written."""


@dataclass(frozen=True, slots=True)
class Archived:
    """A report in the archive, and whether these bytes were new."""

    report: Report
    path: Path
    is_new: bool = False

    def content(self) -> bytes:
        """Return the report's bytes.

        Raises:
            FundflowsError: when they are no longer the bytes that were archived.
        """
        content = self.path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.report.report_id:
            raise FundflowsError(
                "An archived report has been changed.",
                where=Where(source=self.report.source, file=str(self.path)),
                expected=f"sha256 {self.report.report_id}",
                found=f"sha256 {hashlib.sha256(content).hexdigest()}",
                fix="restore the file from a backup; the archive is never edited",
            )
        return content


def add(
    warehouse: Warehouse,
    source: str,
    file: Path,
    *,
    published: dt.datetime | None = None,
    received: dt.datetime | None = None,
) -> Archived:
    """Archive one report. The same bytes again change nothing: the first clocks and name stay.

    Raises:
        FundflowsError: the file cannot be read, or is published after it was received.
    """
    return _store(
        warehouse, source, file, _content_of(source, file), published=published, received=received
    )


def _content_of(source: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FundflowsError(
            "The file cannot be read.",
            where=Where(source=source, file=str(file)),
            expected="a readable file",
            found=error.strerror or str(error),
            fix="check the path and the permissions",
        ) from error


def _store(
    warehouse: Warehouse,
    source: str,
    file: Path,
    content: bytes,
    *,
    published: dt.datetime | None = None,
    received: dt.datetime | None = None,
) -> Archived:
    report_id = hashlib.sha256(content).hexdigest()
    path = warehouse.archive(source) / f"{report_id}{file.suffix.lower()}"
    sidecar = warehouse.archive(source) / f"{report_id}{_SIDECAR}"
    if sidecar.exists():
        return _archived(sidecar)
    received = received or dt.datetime.now(dt.UTC)
    if published is not None and published > received:
        raise FundflowsError(
            "The report would be published after it was received.",
            where=Where(source=source, file=file.name),
            expected=f"a publication time up to {received.isoformat()}",
            found=published.isoformat(),
            fix="correct --published, or give the true --received",
        )
    report = Report(source, report_id, file.name, received, published)
    write_whole(path, lambda temporary: temporary.write_bytes(content))
    write_whole(
        sidecar,
        lambda temporary: temporary.write_text(_sidecar(report, path), encoding="utf-8"),
    )
    return Archived(report, path, is_new=True)


def sweep(warehouse: Warehouse, source: str, *, quiet: float = 0.0) -> list[Archived]:
    """Move the files of a source's inbox into the archive, oldest first.

    Files that are still being written are left alone: dot files, `.partial` ones, and those that
    changed in the last `quiet` seconds or while they were read. A file that cannot be opened stays
    and is logged. Several sweeps may run at once.
    """
    found = [(file, _trace(file)) for file in warehouse.inbox(source).glob("*") if _is_whole(file)]
    whole = [(trace, file) for file, trace in found if trace and trace.quiet_for() >= quiet]
    swept = []
    for trace, file in sorted(whole, key=lambda each: (each[0].modified, each[1].name)):
        try:
            content = _content_of(source, file)
        except FundflowsError as error:
            if file.exists():  # else another sweep has taken it
                _log.warning("%s", error)
            continue
        if _trace(file) == trace:
            swept.append(_store(warehouse, source, file, content))
            file.unlink(missing_ok=True)
    return swept


def waiting(warehouse: Warehouse, source: str) -> list[Path]:
    """List the files of a source's inbox that are not named as unfinished."""
    files = [file for file in warehouse.inbox(source).glob("*") if _is_whole(file)]
    return sorted(file for file in files if file.is_file())


def ids(warehouse: Warehouse, source: str) -> frozenset[str]:
    """List the archived reports of a source by sha256; no file is opened."""
    sidecars = warehouse.archive(source).glob(f"*{_SIDECAR}")
    return frozenset(file.name.removesuffix(_SIDECAR) for file in sidecars)


def reports(warehouse: Warehouse, source: str) -> list[Archived]:
    """List the archived reports of a source, in the order in which they were received."""
    sidecars = warehouse.archive(source).glob(f"*{_SIDECAR}")
    archived = [_archived(sidecar) for sidecar in sidecars]
    return sorted(archived, key=lambda each: (each.report.received_at, each.report.report_id))


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


def _sidecar(report: Report, path: Path) -> str:
    record = {
        "source": report.source,
        "report_id": report.report_id,
        "name": report.name,
        "suffix": path.suffix,
        "size": path.stat().st_size,
        "received_at": report.received_at.isoformat(),
        "published_at": report.published_at.isoformat() if report.published_at else None,
        "archived_by": _user(),
    }
    return json.dumps(record, indent=1) + "\n"


def _user() -> str:
    """Return who archives; by number in a container whose user has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        return str(os.getuid())


def _archived(sidecar: Path) -> Archived:
    record = json.loads(sidecar.read_text(encoding="utf-8"))
    published = record["published_at"]
    report = Report(
        record["source"],
        record["report_id"],
        record["name"],
        dt.datetime.fromisoformat(record["received_at"]),
        dt.datetime.fromisoformat(published) if published else None,
    )
    return Archived(report, sidecar.with_name(record["report_id"] + record["suffix"]))
