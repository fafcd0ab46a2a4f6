"""Grids: sheets of addressable cells, as shown and as stored.

A cell has what a reader of the report sees (`text`) and what the file holds (`stored`, exact); its
grid gives the address. Layouts, labels and units are not known: no cell is interpreted here.
"""

from __future__ import annotations

import datetime as dt
import itertools
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache


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


@lru_cache(maxsize=1024)
def column_letters(column: int) -> str:
    """Return the letters of a zero-based column: 0 is A, 26 is AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = string.ascii_uppercase[rest] + letters
    return letters


def spreadsheet_address(row: int, column: int) -> str:
    """Return the address of zero-based coordinates as a spreadsheet prints it: (6, 1) is B7."""
    return f"{column_letters(column)}{row + 1}"


@dataclass(frozen=True, slots=True)
class Grid:
    """A sheet, an HTML table or a CSV file: rows of cells.

    `address` names a cell as its container does, so that people find it. `open_end` says that a
    text ends without the end of its last line: it may have been cut off there. `hidden` names rows
    and columns that hold something, but are not shown and therefore blank. `is_assumed` says that
    the encoding of a text is a guess.
    """

    name: str
    rows: list[list[Cell]]
    address: Callable[[int, int], str] = spreadsheet_address
    open_end: bool = False
    hidden: str = ""
    is_assumed: bool = False

    @property
    def remark(self) -> str:
        """What an error adds to what it found: what is hidden, which encoding was assumed."""
        assumed = " (not UTF-8, read as Windows-1252)" if self.is_assumed else ""
        return assumed + (f" (hidden: {self.hidden})" if self.hidden else "")

    def cell(self, row: int, column: int) -> Cell:
        """Return the cell at zero-based coordinates; beyond a short row it is blank."""
        cells = self.rows[row]
        return cells[column] if column < len(cells) else BLANK


def spread(
    rows: Iterator[list[tuple[Cell, int, int]]],
) -> list[list[Cell]]:
    """Lay out cells that span rows and columns, as (cell, rowspan, colspan), on a plain grid."""
    printed = list(rows)
    laid: list[dict[int, Cell]] = [{} for _ in printed]
    for index, cells in enumerate(printed):
        free = (column for column in itertools.count() if column not in laid[index])
        for cell, rowspan, colspan in cells:
            column = next(free)
            shadow = Cell(text=cell.text, covered=True)
            for down in range(min(rowspan, len(laid) - index)):
                for right in range(colspan):
                    laid[index + down][column + right] = shadow if down or right else cell
    return [[row.get(column, BLANK) for column in range(max(row, default=-1) + 1)] for row in laid]
