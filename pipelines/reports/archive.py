"""The archive: reports as bytes by their sha256, never changed, with who, when and the name.

The only module that moves files out of the inbox and that reads archived bytes. Bytes that are
already archived are not archived twice; a name that comes again with other bytes is another
vintage. What a report says is read elsewhere.
"""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pipelines.reports.errors import FundflowsError, Where
from pipelines.reports.reader import Report
from pipelines.reports.warehouse import Warehouse, write_whole

_SIDECAR = ".report.json"


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
    """Archive one report. The same bytes again are a no-op: the first clocks and name stay.

    Raises:
        FundflowsError: the file cannot be read, or is published after it was received.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise FundflowsError(
            "The file cannot be read.",
            where=Where(source=source, file=str(file)),
            expected="a readable file",
            found=error.strerror or str(error),
            fix="check the path and the permissions",
        ) from error
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
    write_whole(sidecar, lambda temporary: temporary.write_text(_sidecar(report, path)))
    return Archived(report, path, is_new=True)


def sweep(warehouse: Warehouse, source: str) -> list[Archived]:
    """Archive what lies in a source's inbox and take it out of there; oldest first.

    A dot file or a `.partial` one is still being written and is left alone.
    """
    inbox = warehouse.inbox(source)
    files = [file for file in inbox.glob("*") if file.is_file() and _is_whole(file)]
    swept = []
    for file in sorted(files, key=lambda file: (file.stat().st_mtime, file.name)):
        swept.append(add(warehouse, source, file))
        file.unlink()
    return swept


def reports(warehouse: Warehouse, source: str) -> list[Archived]:
    """List the archived reports of a source, in the order in which they were received."""
    sidecars = warehouse.archive(source).glob(f"*{_SIDECAR}")
    archived = [_archived(sidecar) for sidecar in sidecars]
    return sorted(archived, key=lambda each: (each.report.received_at, each.report.report_id))


def _is_whole(file: Path) -> bool:
    return not file.name.startswith((".", "~")) and file.suffix not in (".partial", ".crdownload")


def _sidecar(report: Report, path: Path) -> str:
    said = {
        "source": report.source,
        "report_id": report.report_id,
        "name": report.name,
        "suffix": path.suffix,
        "size": path.stat().st_size,
        "received_at": report.received_at.isoformat(),
        "published_at": report.published_at.isoformat() if report.published_at else None,
        "archived_by": getpass.getuser(),
    }
    return json.dumps(said, indent=1) + "\n"


def _archived(sidecar: Path) -> Archived:
    said = json.loads(sidecar.read_text())
    published = said["published_at"]
    report = Report(
        said["source"],
        said["report_id"],
        said["name"],
        dt.datetime.fromisoformat(said["received_at"]),
        dt.datetime.fromisoformat(published) if published else None,
    )
    return Archived(report, sidecar.with_name(said["report_id"] + said["suffix"]))
