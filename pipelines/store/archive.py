"""The archive: reports as bytes by their sha256, never changed, with who, when and the name.

The only module that reads archived bytes. The same bytes are
archived once; the same name with other bytes is another vintage. What cannot be read is never taken
for nothing (E111): `listing` names what is damaged. What a report says is read elsewhere.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.errors import FundflowsError, Where
from pipelines.report import Report
from pipelines.store.files import entries, write_whole
from pipelines.store.paths import Warehouse
from pipelines.store.users import user

_SIDECAR = ".report.json"


class LostReport(FundflowsError):
    """Bytes or clocks of an archived report are not there, or are not those that were archived."""


@dataclass(frozen=True, slots=True)
class Archived:
    """A report in the archive, and whether these bytes were new."""

    report: Report
    path: Path
    size: int
    is_new: bool = False

    def content(self) -> bytes:
        """Return the report's bytes.

        Raises:
            LostReport: they are not there, or no longer the bytes that were archived.
        """
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise self.lost(error.strerror or str(error)) from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.report.report_id:
            raise self.lost(f"sha256 {found}")
        return content

    def lost(self, found: str) -> LostReport:
        """Return the error of a report whose bytes are not those that were archived."""
        return _lost(self.report.source, self.path, f"sha256 {self.report.report_id}", found)


@dataclass(frozen=True, slots=True)
class Listing:
    """The archive of a source: its reports in the order of receipt, and which of them are lost.

    `ids` are all that are named, by sha256; `lost` says of the damaged ones what is wrong.
    """

    ids: frozenset[str]
    reports: tuple[Archived, ...]
    lost: Mapping[str, LostReport]


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
    return store(
        warehouse, source, file, content_of(source, file), published=published, received=received
    )


def content_of(source: str, file: Path) -> bytes:
    """Return the bytes of a file that is to be archived.

    Raises:
        FundflowsError: it cannot be read.
    """
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


def store(
    warehouse: Warehouse,
    source: str,
    file: Path,
    content: bytes,
    *,
    published: dt.datetime | None = None,
    received: dt.datetime | None = None,
) -> Archived:
    """Archive bytes that were read from a file, as `add` does."""
    report_id = hashlib.sha256(content).hexdigest()
    # A name that is not UTF-8 can neither be printed nor stored as text.
    name = os.fsencode(file.name).decode("utf-8", "backslashreplace")
    path = warehouse.archive(source) / f"{report_id}{Path(name).suffix.lower()}"
    sidecar = warehouse.archive(source) / f"{report_id}{_SIDECAR}"
    if known := _known(sidecar, content):
        return known
    received = received or dt.datetime.now(dt.UTC)
    if published is not None and published > received:
        raise FundflowsError(
            "The report would be published after it was received.",
            where=Where(source=source, file=name),
            expected=f"a publication time up to {received.isoformat()}",
            found=published.isoformat(),
            fix="correct --published, or give the true --received",
        )
    report = Report(source, report_id, name, received, published)
    record = _sidecar(report, path.suffix, len(content))
    write_whole(path, lambda temporary: temporary.write_bytes(content))
    try:
        write_whole(sidecar, lambda temporary: temporary.write_text(record, encoding="utf-8"))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Archived(report, path, len(content), is_new=True)


def _known(sidecar: Path, content: bytes) -> Archived | None:
    """Return the report that has been archived with these bytes; lost bytes are put back."""
    if not sidecar.exists():
        return None
    try:
        known = _archived(sidecar)
    except LostReport:
        return None
    try:
        known.content()
    except LostReport:
        write_whole(known.path, lambda temporary: temporary.write_bytes(content))
        return replace(known, is_new=True)
    return known


def ids(warehouse: Warehouse, source: str) -> frozenset[str]:
    """List the archived reports of a source by sha256; no file is opened.

    Raises:
        FundflowsError: the folder is there, but cannot be read.
    """
    return frozenset(
        name.removesuffix(_SIDECAR) for name in _sizes(warehouse, source) if name.endswith(_SIDECAR)
    )


def listing(warehouse: Warehouse, source: str) -> Listing:
    """List the archive of a source, by the names and sizes of its files.

    Raises:
        FundflowsError: the folder is there, but cannot be read.
    """
    sizes = _sizes(warehouse, source)
    whole: list[Archived] = []
    lost: dict[str, LostReport] = {}
    named = [name for name in sizes if name.endswith(_SIDECAR)]
    for name in named:
        try:
            archived = _archived(warehouse.archive(source) / name)
            size = sizes.get(archived.path.name)
            if size != archived.size:
                raise archived.lost("no such file" if size is None else f"{size} bytes")
            whole.append(archived)
        except LostReport as error:
            lost[name.removesuffix(_SIDECAR)] = error
    ordered = sorted(whole, key=lambda each: (each.report.received_at, each.report.report_id))
    return Listing(frozenset(name.removesuffix(_SIDECAR) for name in named), tuple(ordered), lost)


def missing(warehouse: Warehouse, source: str, report_id: str) -> LostReport:
    """Return the error of a report that was read once, and is not listed any more."""
    folder = warehouse.archive(source)
    left = [name for name in _sizes(warehouse, source) if name.startswith(report_id)]
    file = folder / (left[0] if left else report_id)
    expected = f"{report_id}{_SIDECAR} and the report beside it"
    return _lost(source, file, expected, f"only {left[0]}" if left else "neither")


def received_by(warehouse: Warehouse, source: str, report_id: str) -> dt.datetime:
    """Return when the damaged record of a report was last changed: it was received by then."""
    stat = (warehouse.archive(source) / f"{report_id}{_SIDECAR}").stat()
    return dt.datetime.fromtimestamp(stat.st_mtime, dt.UTC)


def _sizes(warehouse: Warehouse, source: str) -> dict[str, int]:
    """Return the whole files in a source's archive with their sizes in bytes."""
    found = entries(warehouse.archive(source), source)
    return {each.name: each.stat().st_size for each in found if not each.name.startswith(".")}


def _sidecar(report: Report, suffix: str, size: int) -> str:
    record = {
        "source": report.source,
        "report_id": report.report_id,
        "name": report.name,
        "suffix": suffix,
        "size": size,
        "received_at": report.received_at.isoformat(),
        "published_at": report.published_at.isoformat() if report.published_at else None,
        "archived_by": user(),
    }
    return json.dumps(record, indent=1) + "\n"


def _archived(sidecar: Path) -> Archived:
    """Return the report of a sidecar.

    Raises:
        LostReport: the sidecar does not say what it must.
    """
    source = sidecar.parent.name
    try:
        record = json.loads(sidecar.read_text(encoding="utf-8"))
        published = record["published_at"]
        report = Report(
            record["source"],
            record["report_id"],
            record["name"],
            dt.datetime.fromisoformat(record["received_at"]),
            dt.datetime.fromisoformat(published) if published else None,
        )
        file = sidecar.with_name(record["report_id"] + record["suffix"])
        size = int(record["size"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        expected = "the source, name and clocks of the report as JSON"
        raise _lost(source, sidecar, expected, f"{type(error).__name__}: {error}") from error
    if report.source != source or not sidecar.name.startswith(report.report_id):
        expected = f"a report of {source}, {sidecar.name.removesuffix(_SIDECAR)}"
        raise _lost(source, sidecar, expected, f"{report.source}, {report.report_id}")
    return Archived(report, file, size)


def _lost(source: str, file: Path, expected: str, found: str) -> LostReport:
    return LostReport(
        "An archived report is lost or damaged; what was read from it stays.",
        where=Where(source=source, file=str(file)),
        expected=expected,
        found=found,
        fix="mount the disk, restore the file from a backup, or add the report again",
    )
