"""A workbook for an xlsx layout, written from the layout itself: blank or filled in.

Captions, headers, units, total rows and sheet names come from the layout and are typed nowhere
else, so the form cannot drift from what the reader expects. Nothing is read here, no figure is
computed or rounded, and no source is known by name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties

from pipelines.errors import LayoutError, Where
from pipelines.ingest.form_cells import DATE, put_text, put_value, same_bytes
from pipelines.layouts.columns import Column, IgnoredColumn, KeyColumn, NumberColumn
from pipelines.layouts.language import Layout, Table, label_in
from pipelines.layouts.source import Source
from pipelines.layouts.units import clean

_COMPLETENESS = "complete,as quoted"
_BLANK_ROWS = 10
_ANY_NUMBER = "#,##0.0;-#,##0.0;0.0"
_TITLE = Font(name="Calibri", size=14, bold=True)
_BOLD = Font(name="Calibri", size=11, bold=True)
_QUIET = Font(name="Calibri", size=10, italic=True, color="595959")
_HEADER_FILL = PatternFill("solid", fgColor="DCE6F1")
_RULE = Side(style="thin", color="8EA9C8")
_HAIRLINE = Side(style="hair", color="BFBFBF")
_RIGHT = Alignment(horizontal="right")
_LEFT = Alignment(horizontal="left")
_REMARK = Alignment(horizontal="left", indent=1)

Row = Mapping[str, object]


def write_workbook(
    source: Source,
    layout: Layout,
    path: Path,
    *,
    facts: Mapping[str, str | dt.date] = {},
    rows: Mapping[str, Sequence[Row]] = {},
    labels: Mapping[str, Sequence[str]] = {},
) -> None:
    """Write the workbook of a layout: one sheet per table. The same input gives the same bytes.

    Args:
        source: whose layout it is; its publisher and title head each sheet.
        layout: an xlsx layout in which each table has a sheet of a fixed name.
        path: the file to write.
        facts: values by the fact's name (`as_of`, `published`, `completeness`).
        rows: filled rows by table, each a value by column header. A number shows exactly the
            digits it has; a text stays a text, so that "-1.09bn" keeps its rounding.
        labels: labels of rows to be filled in, by table, where `rows` has none.

    Raises:
        LayoutError: the layout is not one workbook: not xlsx, a sheet of any name, members across.
        ValueError: a table, column or fact that the layout does not have.
    """
    sheets = _sheet_names(source, layout)
    _refuse_unknown(layout, facts, rows, labels)
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "fundflows"
    book.properties.title = f"{source.publisher}: {source.title}"
    for table, name in zip(layout.tables, sheets, strict=True):
        filled = rows.get(table.name) or [
            {_label_column(table): label} for label in labels.get(table.name, ())
        ]
        table = _without_unused(table, filled)  # noqa: PLW2901
        _write_sheet(book.create_sheet(name), source, layout, table, facts=facts, filled=filled)
    path.write_bytes(same_bytes(book))


# -- what the layout allows ----------------------------------------------------------------------


def _sheet_names(source: Source, layout: Layout) -> list[str]:
    """Return the sheet of each table; refuse a layout that does not describe one workbook."""
    names = [table.sheet or table.name for table in layout.tables]
    for table, name in zip(layout.tables, names, strict=True):
        fixed = table.sheet is None or label_in(table.sheet, name) is not None
        if layout.container != "xlsx" or not fixed or table.across or names.count(name) > 1:
            raise LayoutError(
                f"There is no template for layout {layout.name}.",
                where=Where(source=source.name),
                expected="an xlsx layout: each table on a sheet of its own, with a fixed name "
                "and a column for each measure",
                found=f"{layout.container}, table {table.name}, sheet {table.sheet or 'any'}"
                + (", members across" if table.across else ""),
                fix="use a report of the publisher itself; templates are for figures typed by hand",
            )
    return names


def _refuse_unknown(
    layout: Layout,
    facts: Mapping[str, object],
    rows: Mapping[str, Sequence[Row]],
    labels: Mapping[str, Sequence[str]],
) -> None:
    """Refuse what has no cell in the layout, rather than lose it."""
    tables = {table.name: table for table in layout.tables}
    unknown = [*(set(facts) - set(layout.facts)), *((set(rows) | set(labels)) - set(tables))]
    for name in set(rows) & set(tables):
        headers = {header for row in rows[name] for header in row}
        unknown += [f"{name}.{header}" for header in headers - set(tables[name].columns)]
    if unknown:
        raise ValueError(f"layout {layout.name} has no {', '.join(sorted(unknown))}")


def _without_unused(table: Table, filled: Sequence[Row]) -> Table:
    """Leave out optional columns that no row fills: reports seldom print them."""
    used = {header for row in filled for header in row}
    columns = {
        header: column
        for header, column in table.columns.items()
        if header in used or not (isinstance(column, NumberColumn) and column.optional)
    }
    return table.model_copy(update={"columns": columns})


def _label_column(table: Table) -> str:
    labels = (
        header
        for header, column in table.columns.items()
        if isinstance(column, KeyColumn) and column.key == "label"
    )
    return next(labels, table.key_column)


# -- a sheet -------------------------------------------------------------------------------------


def _write_sheet(
    sheet: Any,
    source: Source,
    layout: Layout,
    table: Table,
    *,
    facts: Mapping[str, str | dt.date],
    filled: Sequence[Row],
) -> None:
    """Write a sheet from the title down to the notes."""
    lines = count(1)
    put_text(sheet.cell(next(lines), 1), _title(source, table), _TITLE)
    _write_facts(sheet, layout, facts, lines)
    next(lines)
    header = next(lines)
    _write_header(sheet, table, header)
    members, totals = _split(table, filled)
    for row in members or [{}] * _BLANK_ROWS:
        _write_row(sheet, table, next(lines), row)
    for row in totals:
        _write_row(sheet, table, next(lines), row, total=True)
    next(lines)
    put_text(sheet.cell(next(lines), 1), "Notes", _BOLD)
    for note in _notes(table):
        put_text(sheet.cell(next(lines), 1), note, _QUIET)
    _fit(sheet, table, header)


def _title(source: Source, table: Table) -> str:
    """Return "Publisher: what, by key": the source's title up to its own list of tables."""
    what = source.title.partition(", by ")[0]
    if what.partition(" ")[0][1:].islower():
        what = what[0].lower() + what[1:]
    return f"{source.publisher}: {what}, by {_label_column(table).lower()}"


def _write_facts(
    sheet: Any, layout: Layout, facts: Mapping[str, str | dt.date], lines: Iterator[int]
) -> None:
    for name, fact in layout.facts.items():
        line = next(lines)
        put_text(sheet.cell(line, 1), fact.caption[0], _BOLD)
        value = sheet.cell(line, 2)
        value.alignment = _LEFT
        if name == "completeness":
            choice = DataValidation(type="list", formula1=f'"{_COMPLETENESS}"', allow_blank=True)
            sheet.add_data_validation(choice)
            choice.add(value)
        else:
            value.number_format = DATE
        put_value(value, facts.get(name))


def _write_header(sheet: Any, table: Table, line: int) -> None:
    for place, (header, column) in enumerate(table.columns.items(), 1):
        cell = sheet.cell(line, place)
        unit = f" ({column.unit})" if isinstance(column, NumberColumn) else ""
        put_text(cell, header + unit, _BOLD)
        cell.fill = _HEADER_FILL
        cell.border = Border(bottom=_RULE)
        cell.alignment = _aligned(column)


def _write_row(sheet: Any, table: Table, line: int, row: Row, *, total: bool = False) -> None:
    for place, (header, column) in enumerate(table.columns.items(), 1):
        cell = sheet.cell(line, place)
        cell.alignment = _aligned(column)
        cell.border = Border(top=_RULE) if total else Border(bottom=_HAIRLINE)
        if isinstance(column, NumberColumn):
            cell.number_format = _ANY_NUMBER
        put_value(cell, row.get(header))
        if isinstance(column, IgnoredColumn):
            cell.font = _QUIET
        elif total:
            cell.font = _BOLD


def _aligned(column: Column) -> Alignment:
    if isinstance(column, IgnoredColumn):
        return _REMARK
    return _RIGHT if isinstance(column, NumberColumn) else _LEFT


def _split(table: Table, filled: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows of members and of totals; blank totals if none is given."""
    totals = [rule.text for rule in table.rows if rule.role == "total"]
    texts = {clean(text).casefold() for total in totals for text in total}
    is_total = [clean(str(row.get(table.key_column))).casefold() in texts for row in filled]
    members = [row for row, is_one in zip(filled, is_total, strict=True) if not is_one]
    given = [row for row, is_one in zip(filled, is_total, strict=True) if is_one]
    return members, given or [{table.key_column: total[0]} for total in totals]


def _notes(table: Table) -> tuple[str, str, str]:
    units = list(dict.fromkeys(column.unit for column in table.numbers.values()))
    flows = (column.sign for column in table.numbers.values() if column.period != "close")
    positive = "An outflow" if next(flows, 1) < 0 else "An inflow"
    return (
        f"Figures in {units[0] if len(units) == 1 else 'the unit of their header'}. "
        f"{positive} is positive.",
        'A blank or "not declared" is not reported; 0.0 is zero.',
        "Type a figure that is printed with fewer digits as it is printed, e.g. -1.09bn.",
    )


def _fit(sheet: Any, table: Table, header: int) -> None:
    """Set widths, freeze what is above the rows, and print all but the remarks on one page."""
    for place, (name, column) in enumerate(table.columns.items(), 1):
        letter, is_remark = get_column_letter(place), isinstance(column, IgnoredColumn)
        width = 70 if is_remark else max(20 - 2 * (place > 1), len(name))
        sheet.column_dimensions[letter].width = width
        if not is_remark:
            sheet.print_area = f"A1:{letter}{sheet.max_row}"
    sheet.row_dimensions[1].height = 24
    sheet.freeze_panes = f"A{header + 1}"
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToHeight = 0
