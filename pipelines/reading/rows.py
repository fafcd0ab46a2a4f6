"""The rows below a header: what each is about, and which rule of the layout applies to it.

A row is classified by the text of its key cell, never by its position. Numbers are not read here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from pipelines.errors import ShapeError, Where
from pipelines.layouts.columns import KeyColumn, Printed
from pipelines.layouts.language import RowRule, label_in
from pipelines.layouts.units import clean
from pipelines.reading.dates import lacks_year, parse_date
from pipelines.reading.facts import ReportFacts
from pipelines.reading.found import Found
from pipelines.reading.lengths import Lengths

_SHOWN = 200
"""How many characters of a refused row are kept."""
_WORDS = 2
"""A row with words in so many columns of numbers may be a header."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row below a header; `rule` is that of a total, a footer or a subtotal."""

    index: int
    key: str
    label: str | None
    sublabel: str | None
    date: dt.date | None
    rule: RowRule | None = None
    status: Literal["final", "preliminary"] = "final"
    currency: str | None = None
    """As printed, where a column names the currency of each row."""

    def dated(self, day: dt.date | None) -> Row:
        """Return the row with another date."""
        return replace(self, date=day)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row or cell that cannot be read: the rule, what is printed there, and what to do."""

    row: Row
    column: int
    rule: str
    printed: str
    reason: str
    measure: str | None = None
    label: str | None = None


def rows_of(found: Found, file: str, facts: ReportFacts) -> tuple[list[Row], list[Refusal]]:
    """Return the rows of a table, and a refusal for each that lacks its date or label.

    Args:
        found: the table in its grid.
        file: the report's name, from which a layout may take the label.
        facts: the report's own date, for tables without a column of dates and days without a year.
    """
    rows: list[Row] = []
    refusals: list[Refusal] = []
    date_at, label_at = found.keyed("date"), found.keyed("label")
    lengths, undated = Lengths.of(found), list[Row]()
    for row in _classified(found, file, facts):
        if row.rule is None and date_at is not None and row.date is None:
            expected = "a date, or a row that `rows` names"
            if lacks_year(row.key, _date_formats(found)):
                expected = "a date with its year (the year is missing, and the report has no date)"
            reason = _unnamed(expected, row)
            refusals.append(_refusal(found, row, date_at, "date", reason))
            undated.append(row)
            continue
        while date_at is not None and row.date and undated:
            _refuse_header(found, undated.pop())
        if wrong := lengths.wrong(row.index):
            refusals.append(_refusal(found, row, 0, "row", wrong))
        elif row.rule is None and label_at is not None and not row.label:
            refusals.append(_refusal(found, row, label_at, "label", _unnamed("a label", row)))
        else:
            rows.append(row)
    return rows, refusals


def _classified(found: Found, file: str, facts: ReportFacts) -> Iterator[Row]:
    grid, table = found.grid, found.table
    date_at, label_at = found.keyed("date"), found.keyed("label")
    sublabel_at, currency_at = found.keyed("sublabel"), found.keyed("currency")
    key_at = date_at if date_at is not None else label_at
    constant = _constant_label(found, file)
    rules = {clean(text).casefold(): rule for rule in table.rows for text in rule.text}
    for index in found.rows():
        key = grid.cell(index, key_at).text if key_at is not None else ""
        if table.end and label_in(table.end, key) is not None:
            return
        label = grid.cell(index, label_at).text if label_at is not None else constant
        rule = rules.get(key.casefold()) or rules.get((label or "").casefold())
        if rule is not None and rule.role == "skip":
            continue
        sublabel = grid.cell(index, sublabel_at).text if sublabel_at is not None else None
        date = facts.as_of
        if date_at is not None:
            cell = grid.cell(index, date_at)
            date = parse_date(cell, _date_formats(found), own=facts.own_date)
        currency = grid.cell(index, currency_at).text if currency_at is not None else None
        yield Row(index, key, label, sublabel, date, rule, currency=currency)


def _constant_label(found: Found, file: str) -> str | None:
    """Return the label of a whole table, from its sheet's name or the file's."""
    rule = found.table.label
    if rule is None:
        return None
    pattern, text = (rule.sheet, found.grid.name) if rule.sheet else (rule.file, file)
    label = label_in(pattern or "", text)
    if label is None:
        raise ShapeError(
            f"Table {found.table.name} has no label.",
            where=Where(sheet=found.grid.name),
            expected=f"a name like {pattern}",
            found=text,
            fix="rename the file or sheet as the layout's `label` says",
        )
    return label


def _date_formats(found: Found) -> tuple[str, ...]:
    keys = (column for column in found.table.columns.values() if isinstance(column, KeyColumn))
    return next(column.formats for column in keys if column.key == "date")


def _refusal(found: Found, row: Row, at: int, rule: str, reason: str) -> Refusal:
    shown = " | ".join(cell.text for cell in found.grid.rows[row.index] if cell.text)
    return Refusal(row, at, rule, shown[:_SHOWN], reason)


def _unnamed(what: str, row: Row) -> str:
    return (
        f"expected {what}; "
        f"found {row.key!r}: mend the report, or add the row to `rows` of the layout"
    )


def _refuse_header(found: Found, row: Row) -> None:
    """Refuse a report with a row of words above dated rows: it may be a header of theirs (E102)."""
    words = [
        cell.text
        for mapped in found.columns
        if isinstance(mapped.means, Printed)
        and not (cell := found.grid.cell(row.index, mapped.column)).covered
        and cell.text[:1].isalpha()
    ]
    if len(words) >= _WORDS:
        raise ShapeError(
            f"Table {found.table.name} has a row of words above its last rows.",
            where=Where(sheet=found.grid.name, cell=found.grid.address(row.index, 0)),
            expected="a date, or the header once more as the layout knows it",
            found=" | ".join([row.key, *words])[:_SHOWN],
            fix="if the rows below it have other columns, mend the report or add a layout for "
            "them; else add the row to `rows` of the layout, with `role: skip`",
        )
