"""How far the sheets of a workbook reach: a stray cell or merged area far away makes one endless.

A key held down too long leaves a cell in row 1,048,576; every blank cell before it would be made.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from openpyxl.utils.cell import get_column_letter
from openpyxl.worksheet.cell_range import CellRange

from pipelines.errors import UnreadableReport, Where

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')
_MOST = 100_000
"""So many cells a sheet or a merged area may have, be they as empty as they like."""
_SPARSE = 50
"""A larger sheet is read if one of so many of its cells is filled."""


def check_merged(part: str, sheet: bytes) -> None:
    """Refuse a sheet, as it is in the package, of which a merged area is endless.

    Raises:
        UnreadableReport: with the area.
    """
    for area in _MERGED.findall(sheet) if b"mergeCell" in sheet else ():
        size = CellRange(area.decode()).size
        if size["rows"] * size["columns"] > _MOST:
            raise _endless(part, f"cells merged over {area.decode()}")


def reach(sheet: Any, formulas: Any | None) -> tuple[int, int]:
    """Return the last row and column that hold anything: a value, a formula or merged cells.

    Raises:
        UnreadableReport: a cell is so far from the others that the sheet is nearly empty.
    """
    # openpyxl knows no other way to its cells that does not make the blank ones first.
    cells = itertools.chain(*(each._cells.values() for each in (sheet, formulas) if each))
    filled = [(each.row, each.column) for each in cells if each.value is not None]
    merged = [(area.max_row, area.max_col) for area in sheet.merged_cells.ranges]
    rows = max((row for row, _ in (*filled, *merged)), default=0)
    columns = max((column for _, column in (*filled, *merged)), default=0)
    if rows * columns > max(_MOST, _SPARSE * len(filled)):
        last = f"{get_column_letter(columns)}{rows}"
        raise _endless(sheet.title, f"{len(filled):,} filled cells as far as {last}")
    return rows, columns


def _endless(sheet: str, found: str) -> UnreadableReport:
    return UnreadableReport(
        "A sheet of the workbook reaches far beyond its table.",
        where=Where(sheet=sheet),
        expected=f"at most {_MOST:,} cells, or one in {_SPARSE} filled",
        found=found,
        fix="delete the empty rows below the table and the empty columns beside it, and save again",
    )
