"""Of which days of a fund something is missing, and what that makes doubtful (E37, E74, E105)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import pairwise

from tests.oracle.observed import Source
from tests.oracle.positions import FundDay
from tests.oracle.steps import WEEK, Step, week_of


def spanning(
    source: Source, steps: list[Step], days: list[FundDay], lacking: Mapping[dt.date, dt.date]
) -> list[Step]:
    """Return the steps over a day that is missing, or over a week of which nothing is known (E74).

    Shares and assets show what flowed on it, but not when; printed flows lack it.
    """
    positions = {each.day for each in days if each.is_usable and each.aum is not None}
    return [
        each
        for each in steps
        if each.before and each.day in positions and each.close is not None
        if any(each.before < day < each.day for day in lacking)
        or (source.calendar is None and week_of(source, each.before) < each.week - WEEK)
    ]


def doubtful(days: list[FundDay]) -> set[dt.date]:
    """Return the weeks of refused numbers, and of the positions that follow them (E105)."""
    after = {day.week for before, day in pairwise(days) if before.is_refused and day.flow is None}
    return {each.week for each in days if each.is_refused} | after


def newest(source: Source, chains: list[list[Step]]) -> dict[str, dt.date]:
    """Return the newest session, of the source or of the fund's own file (E37)."""
    newest: dict[str, dt.date] = {}
    for step in (each for chain in chains for each in chain if each.is_session):
        scope = "" if source.has_all_funds else step.label
        newest[scope] = max(step.day, newest.get(scope, step.day))
    return newest


def lacking(
    source: Source,
    steps: list[Step],
    days: list[FundDay],
    sessions: Mapping[dt.date, dt.date],
) -> dict[dt.date, dt.date]:
    """Return the days that are held back, and the sessions without a row, by day (E11, E74).

    Of a fund with a file of its own they are known where the market's calendar is.
    """
    present = {each.day for each in steps}
    lacking = {
        each.day: each.week for each in days if not each.is_usable and each.day not in present
    }
    own = {each.day for each in steps if each.is_session}
    if own and (source.has_all_funds or source.calendar):
        first, last = min(own), max(own)
        lacking |= {
            day: week for day, week in sessions.items() if first < day < last and day not in present
        }
    return lacking


def reason(
    week: dt.date,
    days: list[FundDay],
    lacking: Mapping[dt.date, dt.date],
    spanning: list[Step],
) -> str | None:
    """Return why a week is doubtful: the first that applies, None if it is not."""
    own = [each for each in days if each.week == week]
    if any(each.rate is None for each in own):
        return "no rate"
    if week in doubtful(days) or any(each.is_held for each in own):
        return "refused"
    is_missing = week in lacking.values() or week in {each.week for each in spanning}
    return "session missing" if is_missing else None
