"""The release calendar: when a week's report is expected, and which expected weeks have one.

The calendar is data in the source's own file (`release`). A week is late because it has ended and
has no report, never because of when something last ran.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import polars as pl

from pipelines import weeks
from pipelines.layouts.source import Release, Source

State = Literal["on time", "late", "missing", "holiday", "expected", "history"]
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A week that a source is expected to report, and since when it could be known."""

    source: str
    week: dt.date
    expected_by: dt.datetime
    first_known_at: dt.datetime | None
    state: State


def expected_by(release: Release, week: dt.date) -> dt.datetime:
    """Return the moment from which the report of a week is late, UTC."""
    day = weeks.week_ending(week + _DAY, release.weekday)
    while day in release.holidays:
        day += _DAY
    late = day + _DAY * (1 + release.grace_days)
    return dt.datetime.combine(late, dt.time(), dt.UTC)


def last_ended(source: Source, until: dt.datetime) -> dt.date:
    """Return the last week of a source that was over at a moment."""
    return weeks.week_ending(until.date(), source.week.ends) - weeks.ONE_WEEK


def position(source: Source, until: dt.datetime) -> str:
    """Return the calendar's state at a moment: it changes when a week ends or becomes late."""
    if source.release is None:
        return ""
    ended = last_ended(source, until)
    overdue = ended
    while expected_by(source.release, overdue) > until:
        overdue -= weeks.ONE_WEEK
    return f"{source.release.model_dump_json()} {ended} {overdue}"


def coverage(source: Source, covered: pl.DataFrame, until: dt.datetime) -> list[Coverage]:
    """Return every week that a source was expected to report by a moment, oldest first.

    Weeks are expected from the first one that any report covers; a source without a calendar, or
    without a report, expects none.

    Args:
        source: the source, with its calendar.
        covered: which report covers which week, and since when it is known (`Plan.coverage`).
        until: the moment.
    """
    usable = covered.filter(pl.col("known_at") <= until)
    if source.release is None or usable.is_empty():
        return []
    over = usable
    if source.week.in_progress:
        # A page of Wednesday covers the week to Friday, but is not yet its report.
        over = usable.filter(pl.col("known_at").dt.date() > pl.col("week_ending"))
    known = dict(over.group_by("week_ending").agg(pl.col("known_at").min()).iter_rows())
    began, first = usable.select(pl.col("known_at").min(), pl.col("week_ending").min()).row(0)
    return [
        _covered(source.name, source.release, week, known.get(week), began=began, until=until)
        for week in _weeks(first, last_ended(source, until))
    ]


def overdue(covered: list[Coverage]) -> list[Coverage]:
    """Return the missing weeks after the last one that has a report: those that are overdue now."""
    late: list[Coverage] = []
    for each in reversed(covered):
        if each.first_known_at is not None:
            break
        if each.state == "missing":
            late.append(each)
    return late[::-1]


def _weeks(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    while first <= last:
        yield first
        first += weeks.ONE_WEEK


def _covered(
    source: str,
    release: Release,
    week: dt.date,
    known: dt.datetime | None,
    *,
    began: dt.datetime,
    until: dt.datetime,
) -> Coverage:
    by = expected_by(release, week)
    state: State
    if known is None:
        state = "holiday" if week in release.no_report else "missing" if until >= by else "expected"
    elif known < by:
        state = "on time"
    else:
        # No week can be on time that was due before the ledger had any report of the source.
        state = "history" if by <= began else "late"
    return Coverage(source, week, by, known, state)
