"""The rows of mart.flows, column by column; and which fund weeks count for which member."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from tests.oracle.amounts import HUNDRED, ZERO, added, bound, cents, rounded
from tests.oracle.book import DIMENSIONS, Book
from tests.oracle.reference import UNMAPPED
from tests.oracle.reported import ReportedWeek, remainders
from tests.oracle.steps import Step
from tests.oracle.weeks import FundWeek, one_or_mixed

Row = dict[str, Any]
Key = tuple[dt.date, str, str]
"""Week, dimension, member."""
REASONS = (
    "not read",
    "no rate",
    "refused",
    "session missing",
    "no position",
    "first week",
    "flow unknown",
)
PARTIAL, PRELIMINARY, FINAL = "partial", "preliminary", "final"


def flows(book: Book) -> list[Row]:
    """Net flow of every week by fund, asset, issuer, country and in total."""
    rows = [_with_printed_total(book, row) for row in _flows_of_funds(book)]
    # Printed members of a week stand, instead of our sums.
    reported = {(week, dimension) for week, dimension, _ in reported_members(book)}
    rows = [row for row in rows if (row["week_ending"], row["dimension"]) not in reported]
    rows += _flows_reported(book)
    for each in remainders(book.reported):
        status = PRELIMINARY if each.is_preliminary else FINAL
        row = _flow_row(book, (each.week, each.dimension, "other-derived"), "derived", status)
        rows.append({**row, "net_flow_usd": each.amount, "net_flow_half_unit_usd": each.bound})
    return rows


def _flow_row(book: Book, key: Key, basis: str, status: str) -> Row:
    week, dimension, member = key
    return {
        "source": book.source.source,
        "week_ending": week,
        "dimension": dimension,
        "member": member,
        "member_name": book.reference.name(dimension, member),
        "net_flow_usd": None,
        "net_flow_half_unit_usd": None,
        "net_flow_ex_seed_usd": None,
        "net_flow_ex_structural_usd": None,
        "exposure_flow_usd": None,
        "basis": basis,
        "method": "printed" if basis == "printed" else None,
        "country_basis": book.source.country_basis if dimension == "country" else None,
        "funds": None,
        "coverage": None,
        "status": status,
        "null_reason": None,
    }


def grouped(book: Book) -> dict[Key, list[tuple[FundWeek, Decimal]]]:
    """Return the fund weeks of every member, each with the part of it that counts."""
    found: dict[Key, list[tuple[FundWeek, Decimal]]] = defaultdict(list)
    for dimension in DIMENSIONS:
        for each in book.weeks:
            member = book.member(dimension, each.fund, each.since)
            share = book.share(dimension, each.fund, each.week)
            found[each.week, dimension, member].append((each, share))
    return found


def first_reason(weeks: Iterable[FundWeek]) -> str | None:
    """Return the first in the list of the reasons why something of weeks is not known."""
    reasons = {each.null_reason for each in weeks}
    return next((each for each in REASONS if each in reasons), None)


def counted(amount: Decimal | None, share: Decimal) -> Decimal | None:
    """Return the part of an amount that counts, to the cent."""
    return None if amount is None else cents(amount * share)


def _flows_of_funds(book: Book) -> Iterator[Row]:
    for key, all_parts in grouped(book).items():
        parts = [each for each in all_parts if each[0].sessions or each[0].flow is not None]
        if not parts:
            continue
        flow, ex_seed, ex_structural, exposure = [], [], [], []
        for week, share in parts:
            part = counted(week.flow, share)
            flow.append(part)
            if part is not None:
                fund = book.reference.fund(week.fund, week.since)
                ex_seed.append(part - cents(week.seed * share))
                ex_structural.append(part - cents(week.structural * share))
                exposure.append(part * (fund.exposure if fund else 1))
        status = _status_of_flows(book, key, parts)
        if status == FINAL and any(each.fund == UNMAPPED for each, _ in parts):
            # It may be a fund that is there already, unless the publisher has added up (E103).
            status = FINAL if key[1] == "total" and _printed_days(book, key[0]) else PARTIAL
        yield {
            **_flow_row(book, key, "sum of funds", status),
            "net_flow_usd": added(flow),
            "net_flow_half_unit_usd": bound(
                (week.flow, counted(week.flow_half_unit, share)) for week, share in parts
            ),
            "net_flow_ex_seed_usd": added(ex_seed),
            "net_flow_ex_structural_usd": added(ex_structural),
            "exposure_flow_usd": added(exposure),
            "method": one_or_mixed({each.method for each, _ in parts if each.method}),
            "funds": len({each.holder for each, _ in parts}),
            "coverage": _coverage_of_days([each for each, _ in parts]),
            "null_reason": first_reason(week for week, _ in parts) if added(flow) is None else None,
        }


def _coverage_of_days(weeks: list[FundWeek]) -> Decimal | None:
    """Fund-days with a known flow, in percent (E37); of weeks without sessions, fund-weeks."""
    sessions = sum(each.sessions for each in weeks)
    if sessions:
        known = sessions - sum(each.sessions_without_flow for each in weeks)
        return rounded(HUNDRED * known / sessions, 6)
    known = sum(each.flow is not None for each in weeks)
    return rounded(HUNDRED * known / len(weeks), 6)


def _status_of_flows(book: Book, key: Key, parts: list[tuple[FundWeek, Decimal]]) -> str:
    weeks = [each for each, _ in parts]
    if any(each.status == PRELIMINARY for each in weeks):
        return PRELIMINARY
    if any(each.status == PARTIAL or each.flow is None for each in weeks):
        return PARTIAL
    return PARTIAL if book.lacks_a_fund(*key) else FINAL


def _printed_days(book: Book, week: dt.date) -> bool:
    return any(each.week == week for each in book.printed_totals.values())


def day_total(book: Book, day: dt.date, of_funds: Decimal | None) -> Decimal | None:
    """Return the total of a day: the source's own, else our sum."""
    printed = book.printed_totals.get(day)
    return of_funds if printed is None or printed.flow is None else cents(printed.flow)


def _with_printed_total(book: Book, row: Row) -> Row:
    """Let the totals of days that a source prints stand for those days, instead of our sum."""
    week = row["week_ending"]
    printed = {day: each for day, each in book.printed_totals.items() if each.week == week}
    if row["dimension"] != "total" or not printed:
        return row
    of_funds = days_of_funds(book, "total", "total", week)
    days = {*printed, *of_funds}
    total = added(day_total(book, day, of_funds.get(day)) for day in days)
    if total is None:
        return row
    apart = total - (row["net_flow_usd"] or ZERO)
    is_preliminary = any(each.is_preliminary for each in printed.values())
    return {
        **row,
        "net_flow_usd": total,
        "net_flow_half_unit_usd": bound(_bound_of_day(book, week, day) for day in days),
        **{
            name: None if row[name] is None else row[name] + apart
            for name in ("net_flow_ex_seed_usd", "net_flow_ex_structural_usd")
        },
        "basis": "printed",
        "method": "printed",
        "null_reason": None,
        "status": PRELIMINARY if is_preliminary else row["status"],
    }


def _bound_of_day(book: Book, week: dt.date, day: dt.date) -> tuple[Decimal | None, Decimal | None]:
    """Return the total of a day, and how far rounding in print can move it."""
    printed = book.printed_totals.get(day)
    if printed is not None and printed.flow is not None:
        unit = printed.half_unit
        return printed.flow, None if unit is None else cents(unit)
    steps = [
        each
        for chain in book.steps
        for each in chain
        if each.day == day and each.flow is not None and not is_stated(book, each)
    ]
    units = bound(
        (each.flow, counted(each.flow_half_unit, book.share("total", each.fund, week)))
        for each in steps
    )
    return added(each.flow for each in steps), units


def days_of_funds(
    book: Book, dimension: str, member: str, week: dt.date | None = None
) -> dict[dt.date, Decimal]:
    """Return the known flows of a member's funds by day, each day's to the cent."""
    found: dict[dt.date, Decimal] = {}
    for step in (each for chain in book.steps for each in chain):
        if step.flow is None or (week and step.week != week):
            continue
        if is_stated(book, step):
            continue
        if book.member(dimension, step.fund, step.day) == member:
            counted = cents(step.flow * book.share(dimension, step.fund, step.week))
            found[step.day] = found.get(step.day, ZERO) + counted
    return found


def is_stated(book: Book, step: Step) -> bool:
    """Whether a day stands beside a printed week, so that it is one of its days, not all (E115)."""
    return bool({(step.fund, step.week), (step.label, step.week)} & book.stated)


def reported_members(book: Book) -> dict[Key, list[ReportedWeek]]:
    """Return the printed labels of every week by the member that they mean."""
    found: dict[Key, list[ReportedWeek]] = defaultdict(list)
    for each in book.reported:
        if each.dimension != "fund":  # its week is one of its own (E115)
            found[each.week, each.dimension, each.member].append(each)
    return found


def _flows_reported(book: Book) -> Iterator[Row]:
    for key, labels in reported_members(book).items():
        _, dimension, member = key
        status = FINAL
        if any(each.is_preliminary for each in labels):
            status = PRELIMINARY
        elif any(each.flow is None or each.is_partial for each in labels):
            status = PARTIAL
        flow = added(each.flow for each in labels)
        direction = book.reference.directions.get(member) if dimension == "asset" else None
        yield {
            **_flow_row(book, key, "printed", status),
            "basis": "printed" if any(not each.is_derived for each in labels) else "derived",
            "net_flow_usd": flow,
            "null_reason": "flow unknown" if flow is None else None,
            "net_flow_half_unit_usd": bound((each.flow, each.flow_half_unit) for each in labels),
            "exposure_flow_usd": None if flow is None or direction is None else flow * direction,
        }
