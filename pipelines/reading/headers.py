"""Finding a printed table in a grid, or the exact reason why it is not as the layout describes.

From a grid to a `Found`: where the header is and which column means what. Numbers are not read
here. An unknown or a missing column stops the report; the error carries the lines to add.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pipelines.errors import ShapeError, Where
from pipelines.layouts.columns import Across, IgnoredColumn, NumberColumn
from pipelines.layouts.language import Table, label_in
from pipelines.layouts.units import Unit, parse_unit, split_header
from pipelines.reading.found import Found, Mapped, column_error, header_texts, same
from pipelines.reading.grid import Grid, column_letters
from pipelines.reading.second_headers import end_of, parts


def find(table: Table, grids: list[Grid]) -> list[Found]:
    """Find a table in the grids of a report: once, or once per sheet if the sheet gives its label.

    Raises:
        ShapeError: sheet missing, header not found, a column unknown or missing.
    """
    candidates = [
        grid
        for grid in grids
        if table.sheet is None or label_in(table.sheet, grid.name) is not None
    ]
    if not candidates:
        raise ShapeError(
            f"The sheet of table {table.name} is missing.",
            expected=f"a visible sheet named {table.sheet}",
            found=", ".join(grid.name for grid in grids),
            fix="check that this is the whole report; if the publisher renamed the sheet, "
            f"change `sheet` of table {table.name} in the source's defs.yaml",
        )
    every_sheet = table.label is not None and table.label.sheet is not None
    found = []
    for grid in candidates:
        place = _header_of(table, grid)
        if place is not None:
            first = _map_columns(table, grid, *place)
            found += parts(first, partial(_map_columns, table, grid))
        elif every_sheet:
            raise _no_header(table, [grid])
        if found and not every_sheet:
            break
    if not found:
        raise _no_header(table, candidates)
    return found


def _header_of(table: Table, grid: Grid) -> tuple[int, int] | None:
    """Return the first row of the header and the row after its last, wherever its texts are."""
    wanted = _spellings(table)
    shown = [{same(cell.text) for cell in row if cell.text} for row in grid.rows]
    for first, texts in enumerate(shown):
        if not any(each & texts for each in wanted):
            continue
        for last in range(first + 1, min(first + table.header_rows, len(shown)) + 1):
            band = set().union(*shown[first:last])
            if all(each & band for each in wanted):
                return first, last
    return None


def _spellings(table: Table) -> list[set[str]]:
    """Return all declared spellings of each text by which the table is found."""
    return [
        {same(text)}.union(
            *(
                {same(spelling) for spelling in (header, *column.also)}
                for header, column in table.columns.items()
                if same(header) == same(text)
            )
        )
        for text in table.header
    ]


def _no_header(table: Table, grids: list[Grid]) -> ShapeError:
    wanted = set().union(*_spellings(table))
    closest, seen, where = 0, "no row with any of these texts", Where(sheet=grids[0].name)
    for grid in grids:
        for index, row in enumerate(grid.rows):
            texts = [cell.text for cell in row if cell.text]
            hits = len(wanted & {same(text) for text in texts})
            if hits > closest:
                closest = hits
                where = Where(sheet=grid.name, cell=grid.address(index, 0))
                seen = f"the closest row: {' | '.join(texts[:12])}{grid.remark}"
    return ShapeError(
        f"Table {table.name} is not in the report: its header was not found.",
        where=where,
        expected=f"a header with {' | '.join(table.header)}",
        found=seen,
        fix="check that the report belongs to this source; if the publisher changed the header, "
        "add a layout with its date (docs/a-header-changed.md)",
    )


def _map_columns(table: Table, grid: Grid, first: int, last: int) -> Found:
    known = {
        same(spelling): (header, column)
        for header, column in table.columns.items()
        for spelling in (header, *column.also)
    }
    found = Found(table, grid, first, last, below=len(grid.rows))
    unknown: list[tuple[int, tuple[str, ...]]] = []
    seen: dict[str, Mapped] = {}
    for place, texts in _named_columns(table, grid, first, last):
        hit = next((known[same(text)] for text in texts if same(text) in known), None)
        label = _label_across(table.across, texts)
        if hit is not None:
            name = hit[0]
            unit = _printed_unit(grid, last - 1, place, texts, known=set(known))
            mapped = Mapped(place, texts, hit[1], unit=unit)
        elif label and table.across:
            name = label
            unit = _printed_unit(grid, last - 1, place, texts, known={same(label)})
            mapped = Mapped(place, texts, table.across, label=label, unit=unit)
        else:
            unknown.append((place, texts))
            continue
        _refuse_twice(grid, last - 1, seen.get(name), mapped)
        seen[name] = mapped
        found.columns.append(mapped)
    optional = {h for h, c in table.columns.items() if isinstance(c, NumberColumn) and c.optional}
    missing = [
        header
        for header, column in table.columns.items()
        if header not in seen and header not in optional and not isinstance(column, IgnoredColumn)
    ]
    if unknown or missing:
        raise column_error(found, unknown, missing)
    return found


def _named_columns(
    table: Table, grid: Grid, first: int, last: int
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the columns that hold anything, with their header texts.

    A column without a header is named by its letters, so that a layout can refer to it. What is
    below the table does not count, and neither does a field beyond the header that few rows have.
    """
    below = end_of(table, grid, last)
    width = max((len(row) for row in grid.rows[first:below]), default=0)
    headers = header_texts(grid, first, last)
    for place in range(width):
        texts = headers[place] if place < len(headers) else ()
        if texts:
            yield place, texts
            continue
        cells = [grid.cell(row, place) for row in range(last, below)]
        filled = sum(bool(cell.text) and not cell.covered for cell in cells)
        rows = sum(bool(grid.rows[row]) for row in range(last, below))
        name = f"(column {column_letters(place)}, no header)"
        if filled and (place < len(headers) or name in table.columns or filled * 2 > rows):
            yield place, (name,)


def _label_across(across: Across | None, texts: tuple[str, ...]) -> str | None:
    if across is None:
        return None
    return next((label for text in texts if (label := label_in(across.label, text))), None)


def _printed_unit(
    grid: Grid, row: int, place: int, texts: tuple[str, ...], *, known: set[str]
) -> Unit | None:
    """Return the unit printed in a header: after its name, or in a row of its own."""
    units = [unit for text in texts if (unit := split_header(text)[1]) is not None]
    alone = [parse_unit(text) for text in texts if same(text) not in known]
    units += [unit for unit in alone if unit is not None and unit.base is not None]
    if len({(unit.base, unit.factor) for unit in units}) > 1:
        raise ShapeError(
            "A header prints two units.",
            where=Where(sheet=grid.name, cell=grid.address(row, place)),
            expected="one unit per column",
            found=" | ".join(texts),
            fix="mend the header in the report, or add a layout that says what it means",
        )
    return units[0] if units else None


def _refuse_twice(grid: Grid, row: int, first: Mapped | None, second: Mapped) -> None:
    if first is not None and not isinstance(second.means, IgnoredColumn):
        raise ShapeError(
            "Two columns have the same header.",
            where=Where(sheet=grid.name, cell=grid.address(row, second.column)),
            expected="each header once",
            found=f"{' '.join(second.header)} in columns {column_letters(first.column)} and "
            f"{column_letters(second.column)}",
            fix="delete or rename the second column in the report",
        )
