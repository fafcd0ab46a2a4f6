"""Workbooks as cells that can be changed one by one, in the XML of their sheets."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from xml.sax.saxutils import escape

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_to_tuple

from tests.mutants.documents import Spot, looks_like_a_number

_CELL = re.compile(r'<c r="([A-Z]+\d+)"([^>]*?)(?:/>|>(.*?)</c>)', re.DOTALL)
_TYPED = re.compile(r' t="\w+"')
_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")


def unzipped(content: bytes) -> dict[str, bytes]:
    """Return the parts of a zip file, in its order."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


def zipped(parts: Mapping[str, bytes]) -> bytes:
    """Return a zip file of these parts, the same in every process."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name, part in parts.items():
            package.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), part)
    return content.getvalue()


@dataclass(frozen=True)
class Book:
    """A workbook as its parts."""

    parts: dict[str, bytes]

    @classmethod
    def of(cls, content: bytes) -> Book:
        return cls(unzipped(content))

    @cached_property
    def sheets(self) -> list[str]:
        """The names of the parts that are sheets."""
        return [name for name in self.parts if _SHEET.fullmatch(name)]

    @cached_property
    def cells(self) -> dict[tuple[str, int, int], object]:
        """The cells by part, row and column, as openpyxl types them."""
        book = openpyxl.load_workbook(io.BytesIO(zipped(self.parts)))
        return {
            (part, cell.row - 1, cell.column - 1): cell.value
            for part, sheet in zip(self.sheets, book.worksheets, strict=True)
            for row in sheet.iter_rows()
            for cell in row
            if cell.value is not None
        }

    @cached_property
    def spots(self) -> list[Spot]:
        return [Spot(*at, _text(value)) for at, value in self.cells.items()]

    @cached_property
    def numbers(self) -> list[Spot]:
        return [
            spot
            for spot, value in zip(self.spots, self.cells.values(), strict=True)
            if isinstance(value, int | float | str) and looks_like_a_number(spot.text)
        ]

    def changed(self, texts: Mapping[Spot, str]) -> bytes:
        return self.replaced({spot: as_xml(text) for spot, text in texts.items()})

    def replaced(self, cells: Mapping[Spot, tuple[str, str]]) -> bytes:
        """Return the workbook with another type and content in some cells."""
        parts = dict(self.parts)
        for spot, (kind, inner) in cells.items():
            name = address(spot)

            def put(
                match: re.Match[str], name: str = name, kind: str = kind, inner: str = inner
            ) -> str:
                if match[1] != name:
                    return match[0]
                return f'<c r="{name}"{_TYPED.sub("", match[2])}{kind}>{inner}</c>'

            parts[spot.part] = _CELL.sub(put, parts[spot.part].decode()).encode()
        return zipped(parts)

    def without(self, spot: Spot) -> bytes:
        """Delete a cell; those on its right move one to the left, as a spreadsheet does it."""

        def move(match: re.Match[str]) -> str:
            row, column = coordinate_to_tuple(match[1])
            if row - 1 != spot.row or column - 1 < spot.column:
                return match[0]
            if column - 1 == spot.column:
                return ""
            to = f"{get_column_letter(column - 1)}{row}"
            return match[0].replace(f'r="{match[1]}"', f'r="{to}"', 1)

        sheet = _CELL.sub(move, self.parts[spot.part].decode())
        return zipped(self.parts | {spot.part: sheet.encode()})


def address(spot: Spot) -> str:
    """Return the address of a cell in its sheet."""
    return f"{get_column_letter(spot.column + 1)}{spot.row + 1}"


def as_xml(text: str) -> tuple[str, str]:
    """Return the type and content of a cell: a number where a program writes one, else a text."""
    if not text:
        return "", ""
    if _PLAIN.fullmatch(text):
        return "", f"<v>{text}</v>"
    return ' t="inlineStr"', f'<is><t xml:space="preserve">{escape(text)}</t></is>'


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.15g}" if "e" not in f"{value:.15g}" else f"{value:f}"
    return str(value)
