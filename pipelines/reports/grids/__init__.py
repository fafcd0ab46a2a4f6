"""Containers become grids: sheets of addressable cells, as shown and as stored.

A grid knows what a reader of the report sees (`text`), what the file holds (`stored`, exact) and
where it stands. It knows nothing of layouts, labels or units: no cell is interpreted here.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from pipelines.reports.errors import UnreadableReport

Container = Literal["xlsx", "csv", "html"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    `text` is what is shown. `stored` is the exact number of a typed cell *in the scale shown*
    (a workbook's 1,090 under the format `0.00,` is 1.090). `covered` marks the cells that a
    merged or spanning cell covers: they show its text, but hold nothing of their own.
    """

    text: str = ""
    stored: Decimal | None = None
    date: dt.date | None = None
    covered: bool = False


BLANK = Cell()
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Grid:
    """A sheet, an HTML table or a CSV file: rows of cells, addressed like a spreadsheet."""

    name: str
    rows: list[list[Cell]]

    def cell(self, row: int, column: int) -> Cell:
        """Return the cell at zero-based coordinates; beyond a short row it is blank."""
        cells = self.rows[row]
        return cells[column] if column < len(cells) else BLANK

    def ref(self, row: int, column: int) -> str:
        """Return the address of a cell as a spreadsheet prints it: (6, 1) is B7."""
        return f"{column_letters(column)}{row + 1}"


@lru_cache(maxsize=1024)
def column_letters(column: int) -> str:
    """Return the letters of a zero-based column: 0 is A, 26 is AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = string.ascii_uppercase[rest] + letters
    return letters


def spread(
    rows: Iterator[list[tuple[Cell, int, int]]],
) -> list[list[Cell]]:
    """Lay out cells that span rows and columns, as (cell, rowspan, colspan), on a plain grid."""
    laid: list[dict[int, Cell]] = []
    for index, cells in enumerate(rows):
        while len(laid) <= index:
            laid.append({})
        free = (column for column in itertools.count() if column not in laid[index])
        for cell, rowspan, colspan in cells:
            column = next(free)
            shadow = Cell(text=cell.text, covered=True)
            for down in range(rowspan):
                while len(laid) <= index + down:
                    laid.append({})
                for right in range(colspan):
                    laid[index + down][column + right] = shadow if down or right else cell
    return [[row.get(column, BLANK) for column in range(max(row, default=-1) + 1)] for row in laid]


def container_of(content: bytes) -> Container:
    """Tell the container by the bytes, never by the file's name.

    Raises:
        UnreadableReport: empty, password-protected, an old binary workbook, or not text.
    """
    body = content.removeprefix(b"\xef\xbb\xbf")
    if not body.strip(b"\x00 \t\r\n\xff\xfe"):
        raise UnreadableReport(
            "The file is empty.",
            expected="a report of some bytes",
            found=f"{len(content)} bytes, all blank",
            fix="fetch the report again and drop it into the inbox",
        )
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise _ole_error(content)
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "xlsx"
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    head = (
        content[:4096].decode("utf-16", errors="replace") if wide else body[:4096].decode("latin-1")
    )
    if head.lstrip("\ufeff \t\r\n").startswith("<"):
        return "html"
    if _BINARY.search(head) or head.startswith("%PDF"):
        raise UnreadableReport(
            "The file is neither a workbook nor text.",
            expected="an Excel workbook (.xlsx), a CSV file or an HTML page",
            found=f"binary data beginning with {content[:8]!r}",
            fix="open it by hand; save it as .xlsx, .csv or .html and add it again",
        )
    return "csv"


def _ole_error(content: bytes) -> UnreadableReport:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return UnreadableReport(
            "The workbook is password-protected.",
            expected="a workbook that opens without a password",
            found="an encrypted package",
            fix="open it in Excel, remove the password (File > Info > Protect), add it again",
        )
    return UnreadableReport(
        "The workbook is in the old binary .xls format.",
        expected="an Excel workbook in the .xlsx format",
        found="an OLE compound file",
        fix="open it in Excel or LibreOffice, save it as .xlsx and add it again",
    )


def read(content: bytes, container: Container) -> list[Grid]:
    """Read the grids of a report, in the order in which they are printed.

    Raises:
        UnreadableReport: when the bytes are not a whole file of that container.
    """
    from pipelines.reports.grids import html, text, workbook

    readers: dict[Container, Callable[[bytes], list[Grid]]] = {
        "xlsx": workbook.read,
        "html": html.read,
        "csv": text.read,
    }
    return readers[container](content)
