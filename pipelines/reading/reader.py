"""A report's bytes become observations: one printed number each, with its cell.

The last step before the contract: finds the layout that fits and applies it table by table.
Whether numbers add up is checked elsewhere, and no label is mapped to a member here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from pipelines.errors import FundflowsError, ShapeError, Where
from pipelines.layouts.columns import Across, NumberColumn, Printed
from pipelines.layouts.language import Layout
from pipelines.layouts.source import Source
from pipelines.reading import containers
from pipelines.reading.cells import column_unit, number_in
from pipelines.reading.combined import combined
from pipelines.reading.currency import NotItsCurrency, unit_in_row
from pipelines.reading.decimal_mark import with_styles
from pipelines.reading.facts import ReportFacts, report_facts
from pipelines.reading.filling import with_preliminary
from pipelines.reading.found import Found, Mapped
from pipelines.reading.grid import Grid
from pipelines.reading.headers import find
from pipelines.reading.numbers import NotANumber, missing
from pipelines.reading.observations import Record, newest_of, refused_by_week
from pipelines.reading.plausible import plausible
from pipelines.reading.rows import Refusal, Row, rows_of
from pipelines.reading.settlement import at_trade, dated_at_trade
from pipelines.report import Report
from schemas.observation import Observation, Refused, frame


@dataclass(frozen=True, slots=True)
class Reading:
    """What one report says: observations and refused rows, not yet checked."""

    report: Report
    layout: Layout
    known_at: dt.datetime
    published_at: dt.datetime | None
    observations: pl.DataFrame
    refused: pl.DataFrame
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Inspection:
    """A reading with what it was made from, for people who write a layout."""

    reading: Reading
    tables: list[Found]
    sheets: list[str]
    facts: dict[str, str]


def read_report(source: Source, report: Report, content: bytes) -> Reading:
    """Read a report with the layout of its source that fits it.

    Raises:
        UnreadableReport: the bytes are not a whole report.
        ShapeError: no layout of the source describes the report; the error of the closest one.
    """
    return inspect(source, report, content).reading


def inspect(source: Source, report: Report, content: bytes) -> Inspection:
    """Read a report, and keep the tables in which its numbers were found.

    Raises:
        UnreadableReport, ShapeError: as `read_report`.
    """
    try:
        container = containers.container_of(content)
        candidates = [layout for layout in source.layouts if layout.container == container]
        if not candidates:
            raise _wrong_container(source, container)
        sheets = containers.read(content, container)
        return _with_fitting_layout(source, report, candidates, sheets)
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


def _with_fitting_layout(
    source: Source, report: Report, candidates: list[Layout], sheets: list[Grid]
) -> Inspection:
    """Try the newest layout first; if all fail, raise the error of the one that found most."""
    failures: list[tuple[int, ShapeError]] = []
    for layout in sorted(candidates, key=lambda layout: layout.valid_from, reverse=True):
        found: list[Found] = []
        try:
            for table in layout.tables:
                found += find(table, sheets)
            return _applied(source, report, layout, sheets, found)
        except ShapeError as error:
            failures.append((len(found) * 2 + ("column" in error.what), error))
    raise max(failures, key=lambda failure: failure[0])[1]


def _applied(
    source: Source, report: Report, layout: Layout, sheets: list[Grid], found: list[Found]
) -> Inspection:
    """Apply one layout to the tables that were found in the grids of a report."""
    facts = report_facts(source, report, layout, sheets)
    record = Record(source, report, layout, facts)
    for table in with_styles(found, layout):
        _read_table(record, table)
    observations = frame(Observation, combined(layout, record.observations))
    known = facts.known_at.date() if record.refused else None
    newest = _valid(layout, newest_of(record) or facts.as_of or known)
    reading = Reading(
        report,
        layout,
        facts.known_at,
        facts.published_at,
        observations,
        frame(Refused, refused_by_week(record, newest)),
        facts.is_complete,
    )
    return Inspection(reading, found, [sheet.name for sheet in sheets], facts.printed)


def _valid(layout: Layout, newest: dt.date | None) -> dt.date:
    """Return the newest date of a report, for which its layout must be valid."""
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
    return newest


def _read_table(record: Record, found: Found) -> None:
    rows, refusals = rows_of(found, record.report.name, record.facts)
    rows, impossible = plausible(found, rows, record.source.week)
    for refusal in (*refusals, *impossible):
        record.refuse(found, refusal)
        _miss_row(record, found, refusal)
    if not rows and not found.continued and not record.has_refused(found.table.name):
        raise ShapeError(
            f"Table {found.table.name} has no row.",
            where=Where(sheet=found.grid.name),
            expected="at least one row below the header",
            found="a header without rows",
            fix="check that the report was saved whole",
        )
    rows = with_preliminary(found, rows, record.layout)
    sessions = dated_at_trade(found.table, rows)
    for row in _footers_dated(rows, record.facts):
        _read_row(record, found, row, sessions)


def _footers_dated(rows: list[Row], facts: ReportFacts) -> list[Row]:
    """Date totals and footers by the newest final row; if there is none, by the report."""
    final = [row.date for row in rows if row.date and row.rule is None and row.status == "final"]
    newest = max(final, default=facts.as_of)
    return [row.dated(newest) if row.rule is not None and row.date is None else row for row in rows]


def _read_row(record: Record, found: Found, row: Row, sessions: dict[int, dt.date] | None) -> None:
    for mapped in found.columns:
        means = mapped.means
        if not isinstance(means, NumberColumn | Across):
            continue
        unit = column_unit(found, mapped, means)
        cell = found.grid.cell(row.index, mapped.column)
        try:
            unit = unit_in_row(unit, row.currency)
            number = number_in(cell, mapped, unit, record.layout)
        except (NotANumber, NotItsCurrency) as error:
            record.refuse(found, _unreadable(row, mapped, means, cell.text, error))
            number = missing(cell.text)
        if of := at_trade(row, means.measure, sessions):
            record.observe(found, of, mapped, number=number, unit=unit)


def _miss_row(record: Record, found: Found, refusal: Refusal) -> None:
    """Say that the numbers of a refused row are missing, if it is known what they are about."""
    row = refusal.row
    if refusal.rule != "row" or row.date is None or row.rule is not None:
        return
    for mapped in found.columns:
        if isinstance(mapped.means, NumberColumn | Across) and (mapped.label or row.label):
            unit = column_unit(found, mapped, mapped.means)
            shown = found.grid.cell(row.index, mapped.column).text
            record.observe(found, row, mapped, number=missing(shown), unit=unit)


def _unreadable(
    row: Row, mapped: Mapped, means: Printed, shown: str, error: NotANumber | NotItsCurrency
) -> Refusal:
    if isinstance(error, NotItsCurrency):
        rule, printed, reason = "currency", f"{shown} ({error})", f"expected {error.expected}"
    else:
        rule, printed = "number", str(error)
        reason = (
            f"expected a number in {means.unit}, or a known word for none; "
            "mend the report, or add the word to `nulls` of the layout"
        )
    label = mapped.label or row.label
    return Refusal(row, mapped.column, rule, printed, reason, measure=means.measure, label=label)
