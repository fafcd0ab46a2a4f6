"""Reports as cells that can be changed one by one: delimited texts and pages."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape, unescape
from typing import NamedTuple, Protocol

_NUMBER = re.compile(r"\(?[-+]?\s?[$€£]?[0-9][0-9,.' ]*(?:bn|m|k|%)?\)?-?")


class Spot(NamedTuple):
    """A cell of a document."""

    part: str
    row: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.part} row {self.row + 1} column {self.column + 1}".strip()


class Document(Protocol):
    """A report of which single cells can be changed."""

    @property
    def spots(self) -> list[Spot]:
        """All cells with a text."""

    @property
    def numbers(self) -> list[Spot]:
        """The cells that show a number."""

    def changed(self, texts: Mapping[Spot, str]) -> bytes:
        """Return the report with other texts in some cells."""

    def without(self, spot: Spot) -> bytes:
        """Return the report with a cell deleted, so that the rest of its row shifts."""


def looks_like_a_number(text: str) -> bool:
    """Return whether a cell shows a number, not a date or a word."""
    return _NUMBER.fullmatch(text.strip()) is not None


@dataclass(frozen=True)
class Delimited:
    """A delimited text in UTF-8."""

    records: list[list[str]]

    @classmethod
    def of(cls, content: bytes) -> Delimited:
        return cls(list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))))

    @cached_property
    def spots(self) -> list[Spot]:
        return [
            Spot("", row, column, text)
            for row, record in enumerate(self.records)
            for column, text in enumerate(record)
            if text.strip()
        ]

    @cached_property
    def numbers(self) -> list[Spot]:
        return [spot for spot in self.spots if spot.row and looks_like_a_number(spot.text)]

    def changed(self, texts: Mapping[Spot, str]) -> bytes:
        records = [list(record) for record in self.records]
        for spot, text in texts.items():
            records[spot.row][spot.column] = text
        return self.written(records)

    def without(self, spot: Spot) -> bytes:
        records = [list(record) for record in self.records]
        del records[spot.row][spot.column]
        return self.written(records)

    def written(self, records: list[list[str]], delimiter: str = ",") -> bytes:
        """Return records as bytes."""
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(records)
        return text.getvalue().encode()


_ROW = re.compile(r"<tr\b.*?</tr\s*>", re.DOTALL | re.IGNORECASE)
_CELL = re.compile(r"<(t[dh])\b[^>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)
_TEXT = re.compile(r"[^<>]+(?=<|$)")


@dataclass(frozen=True)
class Page:
    """A page, of which everything but the changed cell stays as it is."""

    source: str

    @classmethod
    def of(cls, content: bytes) -> Page:
        try:
            return cls(content.decode("utf-8"))
        except UnicodeDecodeError:
            return cls(content.decode("cp1252"))

    @cached_property
    def cells(self) -> dict[tuple[int, int], tuple[int, int, int, int]]:
        """Where each cell is in the source, and where its text is."""
        found = {}
        for row, line in enumerate(_ROW.finditer(self.source)):
            for column, cell in enumerate(_CELL.finditer(self.source, line.start(), line.end())):
                start, end = cell.span(2)
                texts = [*_TEXT.finditer(self.source, start, end)]
                shown = max(texts, key=lambda text: len(text[0].strip()), default=None)
                at = shown.span() if shown else (start, start)
                found[row, column] = (*cell.span(), *at)
        return found

    @cached_property
    def spots(self) -> list[Spot]:
        shown = {
            at: unescape(self.source[start:end]).strip()
            for at, (_, _, start, end) in self.cells.items()
        }
        return [Spot("", *at, text) for at, text in shown.items() if text]

    @cached_property
    def numbers(self) -> list[Spot]:
        return [spot for spot in self.spots if looks_like_a_number(spot.text)]

    def changed(self, texts: Mapping[Spot, str]) -> bytes:
        return self.replaced({spot: escape(text) for spot, text in texts.items()})

    def replaced(self, sources: Mapping[Spot, str]) -> bytes:
        """Return the page with other HTML in place of the text of some cells."""
        page = self.source
        for spot in sorted(sources, key=lambda spot: self.cells[spot[1:3]], reverse=True):
            _, _, start, end = self.cells[spot[1:3]]
            page = page[:start] + sources[spot] + page[end:]
        return page.encode()

    def without(self, spot: Spot) -> bytes:
        start, end, _, _ = self.cells[spot[1:3]]
        return (self.source[:start] + self.source[end:]).encode()
