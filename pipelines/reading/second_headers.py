"""Headers that are printed once more within a table, with the same columns or with others (E102).

Each part of a table is read by the header above it; a row that looks like a header and is none
that the layout knows stops the report, since what is below it would be read by the wrong columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from pipelines.layouts.columns import KeyColumn
from pipelines.layouts.language import Table, label_in
from pipelines.reading.found import Found, same
from pipelines.reading.grid import Grid

_ALIKE = 2
"""A row with so many texts of the header is a header."""


def parts(first: Found, mapped: Callable[[int, int], Found]) -> list[Found]:
    """Return a table as the parts that its headers make of it: mostly one.

    Args:
        first: the table below its first header, to the end of its grid.
        mapped: the table as the header in a band of rows gives it.

    Raises:
        ShapeError: a column of a further header is unknown or missing.
    """
    found, repeated = [first], set[int]()
    for row, last in _further(first):
        part = mapped(row, last)
        if _columns(part) == _columns(found[-1]):
            repeated.update(range(row, last))
        else:
            found[-1] = replace(found[-1], below=row)
            found.append(replace(part, continued=True))
    return [replace(part, repeated=frozenset(repeated)) for part in found]


def _columns(found: Found) -> list[tuple[object, ...]]:
    return [(each.column, each.means, each.label, each.unit) for each in found.columns]


def _further(first: Found) -> Iterator[tuple[int, int]]:
    """Yield the bands of rows below the first header that are headers, too."""
    table, grid = first.table, first.grid
    texts, keys = _texts(first), _key_texts(first)
    row, below = first.first_row, end_of(table, grid, first.first_row)
    while row < below:
        cells = [cell for cell in grid.rows[row] if cell.text]
        alike = {text for cell in cells if (text := cell.text.casefold()) in texts}
        key = grid.cell(row, keys[0]).text.casefold() if keys else ""
        if len(alike) < _ALIKE and not (keys and key in keys[1]):
            row += 1
            continue
        last = _last(first, row, below)
        yield row, last
        row = last


def end_of(table: Table, grid: Grid, first: int) -> int:
    """Return the first row that a text of the layout's `end` says is below the table."""
    if table.end is None:
        return len(grid.rows)
    ends = (
        row
        for row in range(first, len(grid.rows))
        if any(label_in(table.end, cell.text) for cell in grid.rows[row])
    )
    return next(ends, len(grid.rows))


def _texts(first: Found) -> set[str]:
    """Return the printed texts of a header, and how else the layout spells them."""
    printed = {text for mapped in first.columns for text in mapped.header}
    spelled = {
        each for name, column in first.table.columns.items() for each in (name, *column.also)
    }
    forms = {form for text in printed | spelled for form in (text.casefold(), same(text))}
    return {form for form in forms if any(character.isalpha() for character in form)}


def _key_texts(first: Found) -> tuple[int, set[str]] | None:
    """Return the column of dates, and the texts of its header: no date is one of them."""
    for mapped in first.columns:
        if isinstance(mapped.means, KeyColumn) and mapped.means.key == "date":
            forms = {form for text in mapped.header for form in (text.casefold(), same(text))}
            return mapped.column, forms
    return None


def _last(first: Found, row: int, below: int) -> int:
    """Return the row after a header of as many rows as the first one has at most."""
    wanted = {same(text) for text in first.table.header}
    for last in range(row + 1, min(row + first.first_row - first.header_row, below) + 1):
        band = {same(cell.text) for each in first.grid.rows[row:last] for cell in each}
        if wanted <= band:
            return last
    return row + 1
