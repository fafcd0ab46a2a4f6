"""The rows of mart.period_flows: sums of days to the end of a week, and sums of weeks.

Calendar periods are sums of days (F17); of a period without a known day there is no sum (E78).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from tests.oracle.amounts import added, cents
from tests.oracle.book import DIMENSIONS, Book
from tests.oracle.marts import day_total

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
        if row["dimension"] != "sponsor":
            weeks[row["dimension"], row["member"]][row["week_ending"]] = row
    return [
        _row(book, row, days.get(of, {}), rows)
        for of, rows in weeks.items()
        for row in rows.values()
    ]


def _days(book: Book) -> Days:
    """Return the known flow of every member and day, with the identity of that day (E39)."""
    found: Days = defaultdict(lambda: defaultdict(Decimal))
    for step in (each for chain in book.steps for each in chain if each.flow is not None):
        owner = book.reference.issuer(step.fund, step.day)
        for dimension in DIMENSIONS:
            if dimension != "sponsor":
                share = book.share(dimension, step.fund, step.week)
                member = book.member(dimension, step.fund, owner)
                found[dimension, member][step.day] += cents((step.flow or Decimal(0)) * share)
    totals = found["total", "total"]
    for day in {*totals, *book.printed_totals}:
        total = day_total(book, day, totals.get(day))
        if total is not None:
            totals[day] = total
    return found


def _row(book: Book, row: Row, days: dict[dt.date, Decimal], weeks: dict[dt.date, Row]) -> Row:
    end: dt.date = row["week_ending"]
    labels = [
        each
        for each in book.reported
        if (each.week, each.dimension, each.member) == (end, row["dimension"], row["member"])
    ]
    kept = ("source", "week_ending", "dimension", "member", "member_name", "net_flow_usd", "status")
    return {
        **{name: row[name] for name in kept},
        **{
            f"{period}_net_flow_usd": added(
                flow for day, flow in days.items() if first(end) <= day <= end
            )
            for period, first in PERIODS.items()
        },
        **{
            f"rolling_{count}w_net_flow_usd": added(
                each["net_flow_usd"]
                for week, each in weeks.items()
                if end - (count - 1) * dt.timedelta(weeks=1) <= week <= end
            )
            for count in ROLLING
        },
        "printed_mtd_net_flow_usd": added(each.mtd for each in labels),
        "printed_ytd_net_flow_usd": added(each.ytd for each in labels),
    }
