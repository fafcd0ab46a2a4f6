"""The reports that are changed: samples, golden and real ones, cut to some of their rows."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl

from tests.mutants.books import Book, unzipped, zipped
from tests.mutants.documents import Delimited, Document, Page

PROJECT = Path(__file__).parents[2]
WITH_TOTALS = ("coinshares", "farside_btc", "farside_eth", "farside_sol", "ici")
"""Sources whose tables print a total of each sum."""
_GOLDEN_RECEIVED = dt.datetime(2026, 9, 1, 12, tzinfo=dt.UTC)
_ROWS = 25
_SHEETS = 3
_HEAD = {"farside_btc": 3, "farside_eth": 3, "farside_sol": 3}
"""Lines at the top that are kept beside the last ones; other files are cut at their end."""
_WHOLE = {"ici"}
_DAYS = re.compile(r"<tr>(?:(?!</tr>).)*?>\d\d \w{3} \d{4}<.*?</tr>\s*", re.DOTALL)


@dataclass(frozen=True)
class Specimen:
    """A report as it is read when nothing is changed, and its cells."""

    source: str
    name: str
    origin: str
    container: str
    content: bytes
    received: dt.datetime
    published: dt.datetime | None
    document: Document

    @property
    def key(self) -> str:
        """Its place among all specimens, which seeds its mutants."""
        return f"{self.container}/{self.source}/{self.origin}/{self.name}"


def specimens(project: Path = PROJECT, *, real: bool = True) -> list[Specimen]:
    """Return all specimens in a fixed order.

    Args:
        project: the checkout whose samples and golden reports are taken; another one than that
            of the code, to compare two states of the code on the same reports.
        real: whether to take the real reports, where they are present.
    """
    found = [*_samples(project), *_golden(project), *(_real(project) if real else ())]
    return sorted(found, key=lambda each: each.key)


def _samples(project: Path) -> Iterator[Specimen]:
    folder = project / "samples" / "reports"
    with (folder / "received.csv").open(encoding="utf-8", newline="") as listed:
        for row in csv.DictReader(listed):
            clocks = (_moment(row["received"]), _moment(row["published"]))
            yield _specimen(row["source"], folder / row["source"] / row["file"], "sample", *clocks)


def _golden(project: Path) -> Iterator[Specimen]:
    for file in (project / "pipelines" / "defs" / "sources").glob("*/golden/*"):
        if file.name != "golden.csv":
            yield _specimen(file.parts[-3], file, "golden", _GOLDEN_RECEIVED, None)


def _real(project: Path) -> Iterator[Specimen]:
    folder = Path(os.environ.get("FUNDFLOWS_REAL") or project.parent / "shared" / "real")
    listed = project / "tests" / "same" / "real_reports.csv"
    with listed.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            if row["folder"] == "real":
                for file in sorted(folder.glob(row["files"])):
                    yield _specimen(row["source"], file, "real", _moment(row["received"]), None)


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _specimen(
    source: str, file: Path, origin: str, received: dt.datetime, published: dt.datetime | None
) -> Specimen:
    content, container = file.read_bytes(), file.suffix[1:]
    document: Document
    if container == "csv":
        document = _cut(Delimited.of(content), source)
        content = document.changed({})
    elif container == "html":
        document = _cut_page(Page.of(content).source)
        content = document.changed({})
    else:
        document = Book.of(content) if origin == "sample" else Book.of(_cut_book(content))
        content = document.changed({})
    return Specimen(source, file.name, origin, container, content, received, published, document)


def _cut(document: Delimited, source: str) -> Delimited:
    """Keep the first lines, or the header and the last ones where the newest stand below."""
    head = _HEAD.get(source)
    if source in _WHOLE or len(document.records) <= _ROWS:
        return document
    if head is None:
        return Delimited(document.records[: _ROWS + 1])
    return Delimited(document.records[:head] + document.records[head:][-_ROWS:])


def _cut_page(page: str) -> Page:
    """Keep the last rows of days, and all that stands above and below them."""
    more = len(_DAYS.findall(page)) - _ROWS
    return Page(_DAYS.sub("", page, count=more) if more > 0 else page)


def _cut_book(content: bytes) -> bytes:
    """Keep the first rows of the first sheets; drop the clock's time, which openpyxl writes."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book.worksheets[_SHEETS:]:
        book.remove(sheet)
    for sheet in book.worksheets:
        sheet.delete_rows(_ROWS + 1, sheet.max_row)
        sheet._charts = []
    saved = io.BytesIO()
    book.save(saved)
    parts = unzipped(saved.getvalue())
    del parts["docProps/core.xml"]
    types = "[Content_Types].xml"
    kept = parts[types].decode().split("<Override")
    parts[types] = "<Override".join(part for part in kept if "core.xml" not in part).encode()
    links = parts["_rels/.rels"].decode().split("<Relationship ")
    parts["_rels/.rels"] = "<Relationship ".join(
        part if "core.xml" not in part else part.partition("/>")[2] for part in links
    ).encode()
    return zipped(parts)
