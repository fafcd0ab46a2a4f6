"""Rows that the publisher is still filling in: which of the newest are preliminary (E07, E37)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from pipelines.layouts.columns import Across
from pipelines.layouts.language import Layout
from pipelines.reading.cells import number_in
from pipelines.reading.found import Found
from pipelines.reading.numbers import NotANumber
from pipelines.reading.rows import Row

_SESSIONS = 5


def with_preliminary(found: Found, rows: list[Row], layout: Layout) -> list[Row]:
    """Return the rows; the newest dated ones are marked while they are still being filled.

    Such a row holds only blanks and zeros, or lacks a member that printed a number in the five
    sessions before it. A fund that has closed is missed for those five sessions only.
    """
    if not found.table.filling:
        return rows
    dated = sorted(
        (row for row in rows if row.date and row.rule is None),
        key=lambda row: row.date or dt.date.min,
    )
    filled = [_filled(found, row, layout) for row in dated]
    preliminary: set[int] = set()
    for back in range(len(dated) - 1, -1, -1):
        sessions = [cells for cells in filled[:back] if cells][-_SESSIONS:]
        missed = {column for cells in sessions for column, _ in cells}
        missed -= {column for column, _ in filled[back]}
        if any(value for _, value in filled[back]) and not missed:
            break
        preliminary.add(dated[back].index)
    return [replace(row, status="preliminary") if row.index in preliminary else row for row in rows]


def _filled(found: Found, row: Row, layout: Layout) -> set[tuple[int, Decimal]]:
    """Return the columns of members that hold a number in a row, each with the number."""
    numbers = set()
    for mapped in found.columns:
        if not isinstance(mapped.means, Across):
            continue
        try:
            number = number_in(
                found.grid.cell(row.index, mapped.column), mapped, mapped.means.in_unit, layout
            )
        except NotANumber:
            continue
        if number.value is not None:
            numbers.add((mapped.column, number.value))
    return numbers
