"""Dates that a file contradicts: before its source began, or with day and month swapped (E100).

A typed date is as another program has read it, which may have taken the day for the month. The
order and the span of the other dates of the file show that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from pipelines import weeks
from pipelines.layouts.source import WeekRule
from pipelines.reading.found import Found
from pipelines.reading.numbers import Number
from pipelines.reading.rows import Refusal, Row


def plausible(found: Found, rows: list[Row], week: WeekRule) -> tuple[list[Row], list[Refusal]]:
    """Return the rows whose dates can be, and a refusal for the others."""
    at = found.keyed("date")
    if at is None:
        return rows, []
    kept, swapped = _in_order(found, rows, at)
    return _from_the_first(kept, at, week, swapped)


def wrong_day(
    end: dt.date | None, period: str, number: Number, week: WeekRule, known: dt.date
) -> tuple[str, str, str] | None:
    """Return why a number cannot be about a period that ends on a day: rule, printed, reason.

    Nothing is known before its day is over somewhere (E38); a dash says nothing of it (E07).
    """
    if end is None:
        reason = "expected the report's date (`facts: as_of`) or a date column"
        return "date", number.printed, reason
    if period == "week" and not weeks.ends_a_week(end, week.ends, week.ended_early):
        reason = (
            f"expected a week that ends on a {week.ends.capitalize()}; if the publisher ended it "
            "early, add the day to `week.ended_early` of the source"
        )
        return "date", f"{number.printed} of {end:%A} {end}", reason
    if number.value is not None and end > known + weeks.ONE_DAY:
        reason = (
            f"expected days up to {known}, when the report was known; mend the date in the report, "
            "or correct --published"
        )
        return "not_from_the_future", f"{number.printed} of {end}", reason
    return None


def _from_the_first(
    rows: list[Row], at: int, week: WeekRule, refusals: list[Refusal]
) -> tuple[list[Row], list[Refusal]]:
    """Refuse the days before the source's first week, all together."""
    first = weeks.week_start(week.first, week.ended_early)
    early = [row for row in rows if row.date is not None and row.date < first]
    if not early:
        return rows, refusals
    more = f" and {len(early) - 1} more rows" if len(early) > 1 else ""
    refusal = Refusal(
        early[0].dated(None),
        at,
        "date",
        f"{early[0].date}{more}",
        f"expected days from {first} on, with which the first week of the source begins; mend the "
        "year in the report, or `week.first` of the source",
    )
    return [row for row in rows if row not in early], [*refusals, refusal]


def _in_order(found: Found, rows: list[Row], at: int) -> tuple[list[Row], list[Refusal]]:
    """Refuse typed dates among texts that fit the file only with day and month swapped (E100)."""
    typed = {
        row.index: row.date
        for row in rows
        if row.date is not None and found.grid.cell(row.index, at).date is not None
    }
    swapped = {index: _swapped(day) for index, day in typed.items()}
    dated = [row for row in rows if row.date is not None]
    if len(typed) in (0, len(dated)) or not _fits_better(dated, swapped):
        return rows, []
    wrong = {index: day for index, day in swapped.items() if day and day != typed[index]}
    refusals = [_both(row, at, wrong[row.index]) for row in rows if row.index in wrong]
    return [row for row in rows if row.index not in wrong], refusals


def _swapped(day: dt.date) -> dt.date | None:
    return day.replace(month=day.day, day=day.month) if day.day <= 12 else None  # noqa: PLR2004


def _fits_better(rows: Iterable[Row], swapped: Mapping[int, dt.date | None]) -> bool:
    """Whether the swapped days keep the order of the file better and span fewer days."""
    read = [(row.date, swapped.get(row.index) or row.date) for row in rows if row.date]
    as_typed, other = [one for one, _ in read], [two for _, two in read]
    return _turns(other) < _turns(as_typed) and _span(other) < _span(as_typed)


def _turns(days: Sequence[dt.date]) -> int:
    """Return how often the days go against their order, be it newest first or last."""
    up = sum(one < two for one, two in pairwise(days))
    down = sum(one > two for one, two in pairwise(days))
    return min(up, down)


def _span(days: Sequence[dt.date]) -> dt.timedelta:
    return max(days) - min(days)


def _both(row: Row, at: int, swapped: dt.date) -> Refusal:
    return Refusal(
        row.dated(None),
        at,
        "date",
        f"{row.date} (typed), {swapped} in the order of the file",
        "expected typed dates that keep the order of the dates that are texts; another program has "
        "taken the day for the month: save the file with its dates as texts, as published",
    )
