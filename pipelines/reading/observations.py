"""The numbers and refusals of a report as rows of their contracts: week, period, dimension, cell.

The column, the rule of the row and the table declare what a number means; no cell is read here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from pipelines import weeks
from pipelines.layouts.columns import Printed
from pipelines.layouts.language import Layout, Table
from pipelines.layouts.source import Source
from pipelines.layouts.units import Unit
from pipelines.reading.facts import ReportFacts
from pipelines.reading.found import Found, Mapped
from pipelines.reading.numbers import Number
from pipelines.reading.plausible import wrong_day
from pipelines.reading.rows import Refusal, Row
from pipelines.report import Report
from schemas.measures import MEASURES


@dataclass(frozen=True, slots=True)
class Record:
    """Collects the rows that a report makes under one layout."""

    source: Source
    report: Report
    layout: Layout
    facts: ReportFacts
    observations: list[dict[str, object]] = field(default_factory=list)
    refused: list[dict[str, object]] = field(default_factory=list)

    def observe(
        self, found: Found, row: Row, mapped: Mapped, *, number: Number, unit: Unit
    ) -> None:
        """Add a number; refuse it if its day is not known or fits no week."""
        means = mapped.means
        assert isinstance(means, Printed)  # noqa: S101 (only columns of numbers are read)
        measure, period, dimension, label = _meaning(found.table, row, mapped, means)
        end = row.date or self.facts.as_of
        wrong = wrong_day(end, period, number, self.source.week, self.facts.known_at.date())
        if wrong is not None:
            self.refuse(found, Refusal(row.dated(end), mapped.column, *wrong, measure, label))
            return
        assert end is not None  # noqa: S101 (else the day is wrong)
        week, early = weeks.week_ending(end, self.source.week.ends), self.source.week.ended_early
        start = weeks.period_start(
            period, end, week=week, early=early, inception=found.table.inception
        )
        self.observations.append(
            {
                **self._of_report(),
                "week_ending": week,
                "period_start": start,
                "period_end": end,
                "printed_table": found.table.name,
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
                "cell": found.grid.address(row.index, mapped.column),
            }
        )

    def _of_report(self) -> dict[str, object]:
        return {
            "source": self.source.name,
            "report_id": self.report.report_id,
            "layout": self.layout.name,
            "known_at": self.facts.known_at,
            "published_at": self.facts.published_at,
        }

    def has_refused(self, table: str) -> bool:
        """Return whether anything of a table has been refused, on any sheet."""
        return any(row["printed_table"] == table for row in self.refused)

    def refuse(self, found: Found, refusal: Refusal) -> None:
        """Add a row or cell that cannot be read."""
        row = refusal.row
        day = row.date or self.facts.as_of
        if day is not None and day > self.facts.known_at.date() + weeks.ONE_DAY:
            day = None
        self.refused.append(
            {
                "source": self.source.name,
                "week_ending": day,
                "report_id": self.report.report_id,
                "known_at": self.facts.known_at,
                "rule": refusal.rule,
                "printed_table": found.table.name,
                "label": refusal.label or row.label,
                "measure": refusal.measure,
                "printed": refusal.printed,
                "reason": refusal.reason,
                "sheet": found.grid.name,
                "cell": found.grid.address(row.index, refusal.column),
            }
        )


def newest_of(record: Record) -> dt.date | None:
    """Return the newest date of a number, else of what was refused."""
    ends = [row["period_end"] for row in record.observations]
    days = ends or [row["week_ending"] for row in record.refused]
    return max((day for day in days if isinstance(day, dt.date)), default=None)


def refused_by_week(record: Record, newest: dt.date) -> list[dict[str, object]]:
    """Return what was refused; a row without a date is the newest week's (E108)."""
    ends = record.source.week.ends
    dated = [(row, row["week_ending"]) for row in record.refused]
    return [
        {**row, "week_ending": weeks.week_ending(day if isinstance(day, dt.date) else newest, ends)}
        for row, day in dated
    ]


def _meaning(table: Table, row: Row, mapped: Mapped, means: Printed) -> tuple[str, str, str, str]:
    """Return measure, period, dimension and label of a number; the rule of its row comes first."""
    rule = row.rule
    measure = rule.measure if rule and rule.measure else means.measure
    period = rule.period if rule and rule.period else means.period
    dimension = means.dimension or table.dimension
    if rule is not None:
        dimension = "total" if rule.role == "total" else "check"
    own = mapped.header[0] if means.dimension == "total" else row.label or row.key
    return measure, period, dimension, mapped.label or own
