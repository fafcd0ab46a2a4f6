"""Weeks: seven days named by the date on which they end, by the source's own rule.

The only module that knows how a week relates to a day, to a partition key and to calendar
periods (F17, E31, E33). Everything else passes dates.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from typing import Literal

from schemas.measures import RUNS

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LAST_TRADING_WEEKDAY = 4
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
ONE_DAY = dt.timedelta(days=1)
ONE_WEEK = 7 * ONE_DAY


def week_ending(day: dt.date, ends: Weekday) -> dt.date:
    """Return the date on which the week of `day` ends; a day is in the week that it ends."""
    return day + dt.timedelta(days=(WEEKDAYS.index(ends) - day.weekday()) % 7)


def week_end(week: dt.date, early: Collection[dt.date] = ()) -> dt.date:
    """Return the day on which a week really ended: its name, unless it ended early."""
    return next((day for day in early if week - ONE_WEEK < day < week), week)


def ends_a_week(day: dt.date, ends: Weekday, early: Collection[dt.date] = ()) -> bool:
    """Return whether a printed week can end on a day, so that nothing of it is left (E32, E104).

    A week also ends on the last session before a holiday of all markets.
    """
    week = week_ending(day, ends)
    if day in (week, week_end(week, early)):
        return True
    left = (day + n * ONE_DAY for n in range(1, (week - day).days + 1))
    return all(_is_closed(each) for each in left)


def _is_closed(day: dt.date) -> bool:
    """Return whether no stock exchange of Europe or America trades on a day, whatever the year."""
    return (
        day.weekday() > _LAST_TRADING_WEEKDAY
        or (day.month, day.day) in ((1, 1), (12, 25))
        or day == _good_friday(day.year)
    )


def _good_friday(year: int) -> dt.date:
    """Return Good Friday by the Gregorian rule of Easter (Meeus, Jones, Butcher)."""
    golden, (century, of_century) = year % 19, divmod(year, 100)
    leaps, rest = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - moon + 15) % 30
    fours, ones = divmod(of_century, 4)
    sunday = (32 + 2 * rest + 2 * fours - epact - ones) % 7
    late = (golden + 11 * epact + 22 * sunday) // 451
    month, day = divmod(epact + sunday - 7 * late + 114, 31)
    return dt.date(year, month, day + 1) - 2 * ONE_DAY


def week_start(week: dt.date, early: Collection[dt.date] = ()) -> dt.date:
    """Return the day after the one on which the week before really ended (E32)."""
    return week_end(week - ONE_WEEK, early) + dt.timedelta(days=1)


def period_start(
    period: str,
    end: dt.date,
    *,
    week: dt.date | None = None,
    early: Collection[dt.date] = (),
    inception: dt.date | None = None,
) -> dt.date:
    """Return the first day of a printed period that ends on `end`.

    Calendar periods begin on the first day of the month, quarter or year, whatever the week
    (F17, E33, E35); a run such as `4w` begins with the first of its whole weeks (E45). `day` and
    the stocks measured at a close begin and end on the same day.
    """
    if period in RUNS:
        return week_start((week or end) - (RUNS[period] - 1) * ONE_WEEK, early)
    if period == "mtd":
        return end.replace(day=1)
    if period == "qtd":
        return end.replace(month=(end.month - 1) // 3 * 3 + 1, day=1)
    if period == "ytd":
        return end.replace(month=1, day=1)
    if period == "since_inception" and inception is not None:
        return inception
    return end


def key_of(week: dt.date) -> str:
    """Return the partition key of a week: its week-ending date in ISO form."""
    return week.isoformat()


def week_of(key: str) -> dt.date:
    """Return the week-ending date of a partition key."""
    return dt.date.fromisoformat(key)


def cron_day_offset(ends: Weekday) -> int:
    """Return the `day_offset` of a weekly partition set whose keys are week-ending dates.

    Dagster counts weekdays from Sunday and names a weekly window by its first day. A window that
    begins on the day the week ends has the right name; `ingest` never uses its bounds.
    """
    return (WEEKDAYS.index(ends) + 1) % 7


def between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the weeks from `first` to `last`, oldest first."""
    return [first + n * ONE_WEEK for n in range((last - first) // ONE_WEEK + 1)]


def runs_of_weeks(weeks: Iterable[dt.date]) -> Iterator[tuple[dt.date, dt.date]]:
    """Group weeks into runs without a gap, as (first, last), oldest first."""
    first = last = None
    for week in sorted(set(weeks)):
        if last is not None and week - last == ONE_WEEK:
            last = week
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = week
    if first is not None and last is not None:
        yield first, last
