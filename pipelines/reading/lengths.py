"""Rows that are not as long as their header: their values may stand under the wrong columns (E91).

A workbook has no such rows. In a text or a page a field that is missing anywhere shifts what is
behind it, and nobody can see where it was.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from pipelines.reading.found import Found

_DECIMALS = re.compile(r"\.(\d+)\)?")
_ENOUGH = 3
"""So many cells of a column show with how many decimals it is printed."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many fields a row of a table has, and where the text ends."""

    found: Found
    expected: int
    most: int
    newest: int

    @classmethod
    def of(cls, found: Found) -> Lengths:
        """Measure a table: the header counts, but for blanks at its end that most rows lack."""
        grid = found.grid
        band = [len(grid.rows[row]) for row in range(found.header_row, found.first_row)]
        usual = Counter(len(grid.rows[row]) for row in found.rows()).most_common(1)
        named = max((mapped.column + 1 for mapped in found.columns), default=0)
        expected = max(named, min(max(band, default=0), usual[0][0] if usual else 0))
        filled = (row for row in range(len(grid.rows) - 1, -1, -1) if grid.rows[row])
        return cls(found, expected, max(expected, *band), next(filled, -1))

    def wrong(self, row: int) -> str | None:
        """Return what is wrong with the length of a row, or None."""
        cells = self.found.grid.rows[row]
        if any(cell.text and not cell.covered for cell in cells[self.most :]):
            return _reason(f"{self.most} fields, as in the header; found {len(cells)}")
        at_end = self.found.grid.open_end and row == self.newest
        if len(cells) < self.expected and not self.found.table.ragged:
            cut = " where the file ends: it was cut off" if at_end else ""
            return _reason(
                f"{self.expected} fields, as in the header; found {len(cells)}{cut}",
                "; if the source drops blanks at the end of a row, say `ragged: true` of the table",
            )
        if at_end and self._is_cut(row):
            return _reason(
                "as many decimals as above; the file ends in this number: it was cut off"
            )
        return None

    def _is_cut(self, row: int) -> bool:
        """Return whether the last number has fewer decimals than all numbers above it have."""
        grid, at = self.found.grid, len(self.found.grid.rows[row]) - 1
        above = [grid.cell(each, at).text for each in self.found.rows() if each != row]
        decimals = {_decimals(text) for text in above}
        return (
            len(above) >= _ENOUGH
            and len(decimals) == 1
            and _decimals(grid.cell(row, at).text) < decimals.pop()
        )


def _reason(wrong: str, otherwise: str = "") -> str:
    return f"expected {wrong}; mend the report, or fetch it again{otherwise}"


def _decimals(text: str) -> int:
    match = _DECIMALS.search(text)
    return len(match[1]) if match else 0
