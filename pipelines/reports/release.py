"""Releases: when a week's report is expected, and which expected weeks are there.

The calendar is data in the source's own file (`release`). Lateness is about the content, a week
that ended and has no report, never about when something last ran.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pipelines.reports import weeks
from pipelines.reports.facts import Contents
from pipelines.reports.layout import Release, Source

State = Literal["on time", "late", "missing", "holiday", "expected", "history"]
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A week that a source is expected to report, and since when it is known."""

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
    """Return what the calendar alone says at a moment: it changes when a week ends or gets late."""
    if source.release is None:
        return ""
    ended = last_ended(source, until)
    overdue = ended
    while expected_by(source.release, overdue) > until:
        overdue -= weeks.ONE_WEEK
    return f"{source.release.model_dump_json()} {ended} {overdue}"


def coverage(source: Source, covered: Iterable[Contents], until: dt.datetime) -> list[Coverage]:
    """Return every week that a source was expected to report by a moment, oldest first.

    Weeks are expected from the first one that any report covers; a source without a calendar, or
    without a report, expects none.
    """
    if source.release is None:
        return []
    usable = [each for each in covered if each.weeks and each.known_at <= until]
    if not usable:
        return []
    known: dict[dt.date, dt.datetime] = {}
    for each in usable:
        for week in each.weeks:
            if _is_over(source, week, each.known_at):
                known[week] = min(each.known_at, known.get(week, each.known_at))
    began = min(each.known_at for each in usable)
    first = min(week for each in usable for week in each.weeks)
    return [
        _covered(source.name, source.release, week, known.get(week), began=began, until=until)
        for week in _weeks(first, last_ended(source, until))
    ]


def overdue(covered: list[Coverage]) -> list[Coverage]:
    """Return the missing weeks after the last one that is there: what freshness is about."""
    late: list[Coverage] = []
    for each in reversed(covered):
        if each.first_known_at is not None:
            break
        if each.state == "missing":
            late.append(each)
    return late[::-1]


def _is_over(source: Source, week: dt.date, known_at: dt.datetime) -> bool:
    """A page of Wednesday covers the week of Friday, but is not yet its report."""
    return not source.week.in_progress or known_at.date() > week


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
        # Nobody can be on time for a week before the ledger had any report of the source.
        state = "history" if by <= began else "late"
    return Coverage(source, week, by, known, state)
