"""A cell in the unit of its column: the number that it shows, or why it shows none."""

from __future__ import annotations

from dataclasses import replace

from pipelines.errors import ShapeError, Where
from pipelines.layouts.columns import Printed
from pipelines.layouts.language import Layout
from pipelines.layouts.units import Unit
from pipelines.reading.found import Found, Mapped
from pipelines.reading.grid import Cell
from pipelines.reading.numbers import NotANumber, Number, kept, parse_number


def column_unit(found: Found, mapped: Mapped, means: Printed) -> Unit:
    """Return the unit of a column.

    Raises:
        ShapeError: the header prints another unit than the layout declares (E51).
    """
    declared, printed = means.in_unit, mapped.unit
    if printed is not None and not printed.can_be(declared):
        raise ShapeError(
            f"The unit of column {mapped.header[0]!r} is not the layout's.",
            where=Where(
                sheet=found.grid.name,
                cell=found.grid.address(found.first_row - 1, mapped.column),
            ),
            expected=means.unit,
            found=" ".join(mapped.header),
            fix="if the publisher changed the unit, add a layout with the date of the change",
        )
    return declared


def number_in(cell: Cell, mapped: Mapped, unit: Unit, layout: Layout) -> Number:
    """Read a cell of a column. The stored number is exact and wins over the shown one.

    Raises:
        NotANumber: the cell shows no number, or another one than it holds.
    """
    if cell.covered:
        raise NotANumber(f"{cell.text} (in merged cells)")
    if cell.date is not None:
        raise NotANumber(f"{cell.text} (a date)")
    number = parse_number(
        cell.text,
        unit,
        nulls=layout.null_reasons,
        decimals=mapped.means.decimals if isinstance(mapped.means, Printed) else None,
        style=mapped.style if cell.stored is None else mapped.typed,
    )
    if cell.stored is None or number.value is None or number.half_unit is None:
        return number
    exact = kept(cell.stored, number.printed) * number.factor
    # A colour may show a loss without its sign; a sign that is shown must be stored too.
    loses_sign = number.value < 0 < exact
    if loses_sign or abs(abs(exact) - abs(number.value)) > number.half_unit:
        raise NotANumber(f"{cell.text} (but the cell holds {cell.stored:f})")
    return replace(number, value=exact)
