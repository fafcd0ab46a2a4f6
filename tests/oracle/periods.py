"""The rows of mart.period_flows: sums of days to the end of a week, and sums of weeks.

Calendar periods are sums of days (F17); of a period without a known day there is no sum (E78).
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from tests.oracle.amounts import added, cents
from tests.oracle.book import DIMENSIONS, Book
from tests.oracle.flows import day_total, is_stated
from tests.oracle.reported import ReportedWeek
from tests.oracle.weeks import WEEK

Row = dict[str, Any]
Days = dict[tuple[str, str], dict[dt.date, Decimal]]
PERIODS: dict[str, Callable[[dt.date], dt.date]] = {
    "mtd": lambda end: end.replace(day=1),
    "qtd": lambda end: end.replace(month=(end.month - 1) // 3 * 3 + 1, day=1),
    "ytd": lambda end: end.replace(month=1, day=1),
    "since_inception": lambda _: dt.date.min,
}
ROLLING = (4, 13, 52)


def period_flows(book: Book, flows: Iterable[Row]) -> list[Row]:
    """Net flow to the end of every week of mart.flows."""
    days = _days(book)
    weeks: dict[tuple[str, str], dict[dt.date, Row]] = defaultdict(dict)
    for row in flows:
        weeks[row["dimension"], row["member"]][row["week_ending"]] = row
    printed: dict[tuple[dt.date, str, str], list[ReportedWeek]] = defaultdict(list)
    for each in book.reported:
        printed[each.week, each.dimension, each.member].append(each)
    found = []
    for of, rows in weeks.items():
        unread = book.source.unread
        by_day, by_week = Series(days.get(of, {}), unread), Series(_flow_by_week(rows), unread)
        found += [_row(row, by_day, by_week, printed[week, *of]) for week, row in rows.items()]
    return found


class Series:
    """Known amounts by date, added from a date to a date."""

    def __init__(
        self, amounts: Mapping[dt.date, Decimal | None], unread: Collection[dt.date]
    ) -> None:
        self._amounts = amounts
        self._unread = unread
        self._dates = sorted(day for day, amount in amounts.items() if amount is not None)

    def between(self, first: dt.date, last: dt.date) -> Decimal | None:
        """Add the amounts of the dates, both included; None if none is known, or a week unread."""
        if any(first <= week <= last for week in self._unread):
            return None
        start, end = bisect_left(self._dates, first), bisect_right(self._dates, last)
        return added(self._amounts[day] for day in self._dates[start:end])


def _flow_by_week(rows: Mapping[dt.date, Row]) -> dict[dt.date, Decimal | None]:
    return {week: row["net_flow_usd"] for week, row in rows.items()}


def _days(book: Book) -> Days:
    """Return the known flow of every member and day, with the identity of that day (E39)."""
    found: Days = defaultdict(lambda: defaultdict(Decimal))
    for step in (each for chain in book.steps for each in chain if each.flow is not None):
        if is_stated(book, step):
            continue
        for dimension in DIMENSIONS:
            share = book.share(dimension, step.fund, step.week)
            member = book.member(dimension, step.fund, step.day)
            found[dimension, member][step.day] += cents((step.flow or Decimal(0)) * share)
    for each in book.member_days:
        if each.flow is not None:
            found[each.dimension, each.member][each.day] += each.flow
    totals = found["total", "total"]
    for day in {*totals, *book.printed_totals}:
        total = day_total(book, day, totals.get(day))
        if total is not None:
            totals[day] = total
    return found


def _row(row: Row, days: Series, weeks: Series, labels: list[ReportedWeek]) -> Row:
    end: dt.date = row["week_ending"]
    kept = ("source", "week_ending", "dimension", "member", "member_name", "net_flow_usd", "status")
    sums = {
        f"{period}_net_flow_usd": days.between(first(end), end) for period, first in PERIODS.items()
    }
    return {
        **{name: row[name] for name in kept},
        **sums,
        **{
            f"rolling_{count}w_net_flow_usd": weeks.between(end - (count - 1) * WEEK, end)
            for count in ROLLING
        },
        "printed_mtd_net_flow_usd": added(each.mtd for each in labels),
        "printed_ytd_net_flow_usd": added(each.ytd for each in labels),
    }
