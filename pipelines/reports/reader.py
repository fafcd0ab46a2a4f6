"""A report's bytes become observations: one printed number each, with its cell.

The last pure step before contracts. It applies a layout to grids, and refuses rows and cells
that it cannot read; it does not judge whether numbers add up, and it maps no label to a member.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from pipelines.reports import grids as containers
from pipelines.reports import weeks
from pipelines.reports.captions import facts_of, parse_date
from pipelines.reports.errors import FundflowsError, ShapeError, Where
from pipelines.reports.grids import Cell, Grid
from pipelines.reports.layout import (
    Across,
    KeyColumn,
    Layout,
    NumberColumn,
    Printed,
    RowRule,
    Source,
    label_in,
)
from pipelines.reports.numbers import NotANumber, Number, Unit, clean, kept, parse_number
from pipelines.reports.tables import Found, Mapped, find
from schemas.measures import MEASURES
from schemas.observation import Observation, Refused, frame

_SESSIONS = 5


@dataclass(frozen=True, slots=True)
class Report:
    """A report as archived: its bytes' identity, its name and its clocks."""

    source: str
    report_id: str
    name: str
    received_at: dt.datetime
    published_at: dt.datetime | None = None


@dataclass(slots=True)
class Reading:
    """What one report says: observations and refused rows, not yet judged."""

    report: Report
    layout: Layout
    known_at: dt.datetime
    published_at: dt.datetime | None
    observations: pl.DataFrame
    refused: pl.DataFrame
    tables: list[Found]
    sheets: list[str]
    complete: bool = True
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Row:
    """One row below a header: what it is about, and which rule speaks for it."""

    index: int
    key: str
    label: str | None
    sublabel: str | None
    date: dt.date | None
    rule: RowRule | None = None
    status: str = "final"


def read(source: Source, report: Report, content: bytes) -> Reading:
    """Read a report with the layout of its source that fits it.

    Raises:
        UnreadableReport: the bytes are not a whole report.
        ShapeError: no layout of the source describes the report; the error of the closest one.
    """
    try:
        container = containers.container_of(content)
        candidates = [layout for layout in source.layouts if layout.container == container]
        if not candidates:
            raise _wrong_container(source, container)
        sheets = containers.read(content, container)
        return _read_with_fitting_layout(source, report, candidates, sheets)
    except FundflowsError as error:
        raise error.at(source=source.name, file=report.name) from error


def _wrong_container(source: Source, container: str) -> ShapeError:
    known = ", ".join(sorted({layout.container for layout in source.layouts}))
    return ShapeError(
        f"No layout of {source.name} reads {container} files.",
        expected=f"a report of {source.publisher} as {known}",
        found=f"a {container} file",
        fix="check that the report belongs to this source, or add a layout for this container",
    )


def _read_with_fitting_layout(
    source: Source, report: Report, candidates: list[Layout], sheets: list[Grid]
) -> Reading:
    """Try the newest layout first; of several that fail, the one that found most explains why."""
    failures: list[tuple[int, ShapeError]] = []
    for layout in sorted(candidates, key=lambda layout: layout.valid_from, reverse=True):
        found: list[Found] = []
        try:
            for table in layout.tables:
                found += find(table, sheets)
            return _Reader(source, report, layout, sheets, found).reading()
        except ShapeError as error:
            failures.append((len(found) * 2 + ("column" in error.what), error))
    raise max(failures, key=lambda failure: failure[0])[1]


class _Reader:
    """Applies one layout to the grids of one report."""

    def __init__(
        self,
        source: Source,
        report: Report,
        layout: Layout,
        sheets: list[Grid],
        found: list[Found],
    ) -> None:
        self.source, self.report, self.layout, self.found = source, report, layout, found
        self.sheets = sheets
        self.facts = facts_of(layout, sheets)
        self.as_of = self._fact_date("as_of")
        self._check_week_rule()
        self.published_at = report.published_at or self._printed_publication()
        self.known_at = min(report.received_at, self.published_at or report.received_at)
        self.observations: list[dict[str, object]] = []
        self.refused: list[dict[str, object]] = []

    def reading(self) -> Reading:
        for found in self.found:
            self._read_table(found)
        observations = frame(Observation, self.observations)
        newest = observations.get_column("period_end").max()
        self._check_validity(newest if isinstance(newest, dt.date) else self.as_of)
        complete = self.facts.get("completeness", "complete").casefold() == "complete"
        return Reading(
            self.report,
            self.layout,
            self.known_at,
            self.published_at,
            observations,
            frame(Refused, self.refused),
            self.found,
            [sheet.name for sheet in self.sheets],
            complete,
            self.facts,
        )

    def _fact_date(self, name: str) -> dt.date | None:
        fact = self.layout.facts.get(name)  # type: ignore[call-overload]
        if fact is None or name not in self.facts:
            return None
        day = parse_date(Cell(self.facts[name]), fact.formats)
        if day is None:
            raise ShapeError(
                f"The report's date {fact.caption[0]!r} is not a date.",
                expected=f"a date, as {', '.join(fact.formats) or 'YYYY-MM-DD'}",
                found=repr(self.facts[name]),
                fix="mend the date in the report, or add its format to the layout",
            )
        return day

    def _check_week_rule(self) -> None:
        """A weekly report is as of the day on which its week ends, not of its publication (E31)."""
        week = self.source.week
        if self.as_of is None or week.in_progress:
            return
        if weeks.week_ending(self.as_of, week.ends) != self.as_of:
            raise ShapeError(
                f"The report is as of {self.as_of}, a {self.as_of:%A}.",
                expected=f"a {week.ends.capitalize()}, on which weeks of {self.source.name} end",
                found=f"{self.as_of}; the week before it ended on "
                f"{weeks.week_ending(self.as_of, week.ends) - weeks.ONE_WEEK}",
                fix="correct the date in the report: the day of publication is not the data's date",
            )

    def _printed_publication(self) -> dt.datetime | None:
        """Return when a printed publication date was over: a day is not known before it ends."""
        day = self._fact_date("published")
        if day is None:
            return None
        return dt.datetime.combine(day, dt.time(23, 59, 59), dt.UTC)

    def _check_validity(self, newest: dt.date | None) -> None:
        layout = self.layout
        if newest is None:
            raise ShapeError(
                "The report has no dated row.",
                expected="at least one row with a date and a number",
                found="a header without rows",
                fix="check that the report was saved whole",
            )
        if newest < layout.valid_from or (layout.valid_until and newest > layout.valid_until):
            raise ShapeError(
                f"Layout {layout.name} is not valid for the dates of this report.",
                expected=f"dates from {layout.valid_from} to {layout.valid_until or 'now'}",
                found=f"newest date {newest}",
                fix="correct the layout's valid_from or valid_until, or add a layout",
            )

    # -- rows ----------------------------------------------------------------------------------

    def _read_table(self, found: Found) -> None:
        rows = list(self._rows(found))
        if not rows and not self._refused_in(found):
            raise ShapeError(
                f"Table {found.table.name} has no row.",
                where=Where(sheet=found.grid.name),
                expected="at least one row below the header",
                found="a header without rows",
                fix="check that the report was saved whole",
            )
        self._mark_preliminary(found, rows)
        final = [
            row.date for row in rows if row.date and row.rule is None and row.status == "final"
        ]
        newest = max(final, default=self.as_of)
        for row in rows:
            if row.rule is not None and row.date is None:
                row.date = newest
            self._read_row(found, row)

    def _rows(self, found: Found) -> Iterator[_Row]:
        """Yield the rows of a table, classified by the text of their key cell."""
        grid, table = found.grid, found.table
        date_at, label_at = found.keyed("date"), found.keyed("label")
        sublabel_at = found.keyed("sublabel")
        key_at = date_at if date_at is not None else label_at
        constant = self._constant_label(found)
        rules = {clean(text).casefold(): rule for rule in table.rows for text in rule.text}
        for index in range(found.first_row, len(grid.rows)):
            if not any(cell.text for cell in grid.rows[index]):
                continue
            key = grid.cell(index, key_at).text if key_at is not None else ""
            if table.end and label_in(table.end, key) is not None:
                return
            label = grid.cell(index, label_at).text if label_at is not None else constant
            rule = rules.get(key.casefold()) or rules.get((label or "").casefold())
            if rule is not None and rule.role == "skip":
                continue
            row = _Row(index, key, label, None, self.as_of, rule)
            row.sublabel = grid.cell(index, sublabel_at).text if sublabel_at is not None else None
            if date_at is not None:
                row.date = parse_date(grid.cell(index, date_at), self._formats(found))
            if date_at is not None and row.date is None and rule is None:
                self._refuse_row(found, row, date_at, "date", "a date, or a row that `rows` names")
            elif label_at is not None and not label and rule is None:
                self._refuse_row(found, row, label_at, "label", "a label")
            else:
                yield row

    def _refused_in(self, found: Found) -> bool:
        return any(row["printed_table"] == found.table.name for row in self.refused)

    def _constant_label(self, found: Found) -> str | None:
        rule = found.table.label
        if rule is None:
            return None
        pattern, text = (
            (rule.sheet, found.grid.name) if rule.sheet else (rule.file, self.report.name)
        )
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

    def _formats(self, found: Found) -> tuple[str, ...]:
        keys = (column for column in found.table.columns.values() if isinstance(column, KeyColumn))
        return next(column.formats for column in keys if column.key == "date")

    def _refuse_row(self, found: Found, row: _Row, at: int, rule: str, expected: str) -> None:
        shown = " | ".join(cell.text for cell in found.grid.rows[row.index] if cell.text)
        self._refuse(
            found,
            row,
            at,
            rule=rule,
            printed=shown[:200],
            reason=f"expected {expected}; "
            f"found {row.key!r}: mend the report, or add the row to `rows` of the layout",
        )

    def _mark_preliminary(self, found: Found, rows: list[_Row]) -> None:
        """Mark the newest dated rows that the publisher is still filling (E37, E07).

        Such a row has nothing but blanks and zeros, or lacks a member that was there in the week
        of sessions before it; a fund that has closed stops being missed after that week.
        """
        if not found.table.filling:
            return
        parts = [mapped.column for mapped in found.columns if isinstance(mapped.means, Across)]
        dated = sorted(
            (row for row in rows if row.date and row.rule is None),
            key=lambda row: row.date or dt.date.min,
        )
        filled = [self._filled(found, row, parts) for row in dated]
        for back in range(len(dated) - 1, -1, -1):
            sessions = [cells for cells in filled[:back] if cells][-_SESSIONS:]
            missed = {column for cells in sessions for column, _ in cells}
            missed -= {column for column, _ in filled[back]}
            if any(value for _, value in filled[back]) and not missed:
                return
            dated[back].status = "preliminary"

    def _filled(self, found: Found, row: _Row, parts: list[int]) -> set[tuple[int, Decimal]]:
        numbers = set()
        for column in parts:
            try:
                number = self._parse(found.grid.cell(row.index, column), Unit("USD"), None)
            except NotANumber:
                continue
            if number.value is not None:
                numbers.add((column, number.value))
        return numbers

    # -- numbers -------------------------------------------------------------------------------

    def _read_row(self, found: Found, row: _Row) -> None:
        for mapped in found.columns:
            if not isinstance(mapped.means, NumberColumn | Across):
                continue
            cell = found.grid.cell(row.index, mapped.column)
            unit = self._unit_of(found, mapped, mapped.means)
            try:
                number = self._parse(cell, unit, mapped.means.decimals)
            except NotANumber as error:
                self._refuse(
                    found,
                    row,
                    mapped.column,
                    rule="number",
                    printed=str(error),
                    measure=mapped.means.measure,
                    label=mapped.label or row.label,
                    reason=f"expected a number in {mapped.means.unit}, or a known word for none; "
                    "mend the report, or add the word to `nulls` of the layout",
                )
                continue
            self._observe(found, row, mapped, mapped.means, number=number, unit=unit)

    def _unit_of(self, found: Found, mapped: Mapped, means: Printed) -> Unit:
        """Return the unit of a column; a header that prints another one stops the report (E51)."""
        declared, printed = means.in_unit, mapped.unit
        if printed is None:
            return declared
        if printed.factor != declared.factor or (
            printed.base not in (None, declared.base, declared.currency)
        ):
            raise ShapeError(
                f"The unit of column {mapped.header[0]!r} is not the layout's.",
                where=Where(
                    sheet=found.grid.name,
                    cell=found.grid.ref(found.first_row - 1, mapped.column),
                ),
                expected=means.unit,
                found=" ".join(mapped.header),
                fix="if the publisher changed the unit, add a layout with the date of the change",
            )
        return declared

    def _parse(self, cell: Cell, unit: Unit, decimals: int | None) -> Number:
        """Read a cell. The exact stored number wins over the shown one; units are as shown."""
        if cell.covered:
            raise NotANumber(f"{cell.text} (in merged cells)")
        if cell.date is not None:
            raise NotANumber(f"{cell.text} (a date)")
        number = parse_number(cell.text, unit, nulls=self.layout.null_reasons, decimals=decimals)
        if cell.stored is None or number.value is None or number.half_unit is None:
            return number
        factor = number.half_unit / parse_half(cell.text, decimals)
        exact = kept(cell.stored, number.printed) * factor
        # A colour may show a loss without its sign; a sign that is shown must be stored too.
        loses_sign = number.value < 0 < exact
        if loses_sign or abs(abs(exact) - abs(number.value)) > number.half_unit:
            raise NotANumber(f"{cell.text} (but the cell holds {cell.stored:f})")
        return Number(number.printed, exact, number.half_unit)

    def _observe(
        self,
        found: Found,
        row: _Row,
        mapped: Mapped,
        means: Printed,
        *,
        number: Number,
        unit: Unit,
    ) -> None:
        rule, table = row.rule, found.table
        measure = rule.measure if rule and rule.measure else means.measure
        period = rule.period if rule and rule.period else means.period
        dimension = means.dimension or table.dimension
        if rule is not None:
            dimension = "total" if rule.role == "total" else "check"
        label = mapped.label or (
            mapped.header[0] if means.dimension == "total" else row.label or row.key
        )
        end = row.date or self.as_of
        if end is None:
            self._refuse(
                found,
                row,
                mapped.column,
                rule="date",
                printed=number.printed,
                reason="expected the report's date (`facts: as_of`) or a date column",
            )
            return
        week = weeks.week_ending(end, self.source.week.ends)
        early = self.source.week.ended_early
        if period == "week" and end != weeks.week_end(week, early):
            self._refuse(
                found,
                row,
                mapped.column,
                rule="date",
                printed=f"{number.printed} of {end:%A} {end}",
                label=label,
                measure=measure,
                reason=f"expected a week that ends on a {self.source.week.ends.capitalize()}; if "
                "the publisher ended it early, add the day to `week.ended_early` of the source",
            )
            return
        self.observations.append(
            {
                "source": self.source.name,
                "report_id": self.report.report_id,
                "layout": self.layout.name,
                "known_at": self.known_at,
                "published_at": self.published_at,
                "week_ending": week,
                "period_start": weeks.period_start(
                    period, end, week=week, early=early, inception=table.inception
                ),
                "period_end": end,
                "printed_table": table.name,
                "dimension": dimension,
                "label": label,
                "sublabel": mapped.sublabel if mapped.label else row.sublabel,
                "measure": measure,
                "period": period,
                "value": None if number.value is None else number.value * means.sign,
                "currency": unit.currency,
                "unit": MEASURES[measure].base if unit.base == "ratio" else unit.base,
                "half_unit": number.half_unit,
                "printed": number.printed,
                "null_reason": number.null_reason,
                "status": row.status,
                "sheet": found.grid.name,
                "cell": found.grid.ref(row.index, mapped.column),
            }
        )

    def _refuse(
        self,
        found: Found,
        row: _Row,
        column: int,
        *,
        rule: str,
        printed: str,
        reason: str,
        measure: str | None = None,
        label: str | None = None,
    ) -> None:
        day = row.date or self.as_of or self.known_at.date()
        self.refused.append(
            {
                "source": self.source.name,
                "week_ending": weeks.week_ending(day, self.source.week.ends),
                "report_id": self.report.report_id,
                "known_at": self.known_at,
                "rule": rule,
                "printed_table": found.table.name,
                "label": label or row.label,
                "measure": measure,
                "printed": printed,
                "reason": reason,
                "sheet": found.grid.name,
                "cell": found.grid.ref(row.index, column),
            }
        )


def parse_half(text: str, decimals: int | None) -> Decimal:
    """Return half of the last printed digit of a text, in the scale in which it is printed."""
    digits = "".join(character for character in text if character.isdigit() or character == ".")
    places = max(len(digits.partition(".")[2]), decimals or 0)
    return Decimal(5).scaleb(-places - 1)
