"""The rows of mart.fund_bridge and mart.aum_change, column by column."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from tests.oracle.amounts import ZERO, added, bound, cents, percent, plus
from tests.oracle.book import Book
from tests.oracle.flows import (
    FINAL,
    PARTIAL,
    PRELIMINARY,
    Key,
    Row,
    counted,
    first_reason,
    grouped,
    reported_members,
)
from tests.oracle.reference import UNMAPPED, Fund
from tests.oracle.weeks import WEEK, FundWeek, one_or_mixed


def fund_bridge(book: Book) -> list[Row]:
    """The bridge of every fund and week from opening to closing AUM, with both lenses."""
    paid = _distributed(book)
    spans: dict[tuple[str, dt.date, str], list[FundWeek]] = defaultdict(list)
    for each in book.weeks:
        if each.is_entered:
            issuer = book.reference.issuer(each.fund, each.since)
            spans[each.holder, each.week, issuer].append(each)
    return [
        _bridge_row(
            book, issuer, weeks, sum((paid[holder, week, each.since] for each in weeks), ZERO)
        )
        for (holder, week, issuer), weeks in spans.items()
    ]


def _bridge_row(book: Book, issuer: str, weeks: list[FundWeek], paid: Decimal) -> Row:
    """Of several spans of one issuer, the country or the firm behind it changed in the week."""
    week = max(weeks, key=lambda each: each.since)
    fund = book.reference.fund(week.fund, week.since)

    def total(name: str) -> Decimal | None:
        return added(getattr(each, name) for each in weeks)

    market, fx = total("market"), total("fx")
    if any(each.market is None for each in weeks):
        market = None
    statuses = {each.status for each in weeks}
    own_market, own_fx = _own_lens(fund, market, fx)
    return {
        "source": book.source.source,
        "week_ending": week.week,
        "fund": week.fund,
        "label": week.label,
        "issuer": issuer,
        "fund_name": fund.name if fund else week.label,
        "aum_open_usd": total("open"),
        "net_flow_usd": total("bridge_flow"),
        "market_effect_usd": market,
        "fx_effect_usd": fx,
        "corporate_action_usd": total("corporate"),
        "universe_effect_usd": total("universe"),
        "aum_close_usd": total("close"),
        "net_flow_half_unit_usd": bound((each.bridge_flow, each.flow_half_unit) for each in weeks),
        "aum_half_unit_usd": total("aum_half_unit"),
        "underlying_market_effect_usd": own_market,
        "underlying_fx_effect_usd": own_fx,
        "seed_flow_usd": total("seed"),
        "structural_flow_usd": total("structural"),
        "distributed_usd": cents(paid),
        "flow_method": one_or_mixed({each.method for each in weeks if each.method}),
        "sampling": "weekly" if any(each.is_weekly for each in weeks) else "daily",
        "status": next(each for each in (PRELIMINARY, PARTIAL, FINAL) if each in statuses),
        "null_reason": first_reason(each for each in weeks if each.market is None),
    }


def _own_lens(
    fund: Fund | None, market: Decimal | None, fx: Decimal | None
) -> tuple[Decimal | None, Decimal | None]:
    """A coin is priced in dollars, so an unhedged class has no FX of its own (E28)."""
    if fund is None or fund.underlying_currency != "USD" or fund.is_hedged:
        return market, fx
    return (None, None) if market is None else (plus(market, fx), ZERO)


def _distributed(book: Book) -> dict[tuple[str, dt.date, dt.date], Decimal]:
    """Per share x shares, on the first day on or after the ex-date that tells the shares (E12)."""
    paid: dict[tuple[str, dt.date, dt.date], Decimal] = defaultdict(Decimal)
    for days in book.days:
        for action in book.reference.of(days[0].fund, "distribution"):
            for day in days:
                shares = day.shares
                if shares is None and day.aum is not None and day.nav:
                    shares = day.aum / day.nav
                if shares is not None and action.day <= day.day < action.day + WEEK:
                    holder = day.label if day.fund == UNMAPPED else day.fund
                    since = book.reference.since(day.fund, day.day)
                    paid[holder, day.week, since] += action.per_share * shares * (day.rate or 0)
                    break
    return paid


def aum_change(book: Book) -> list[Row]:
    """The change of AUM over a week, split into flow, market, FX, corporate actions, universe."""
    rows = []
    for key, all_parts in grouped(book).items():
        if any(week.is_entered for week, _ in all_parts):
            rows.append(_change_of_funds(book, key, all_parts))
    reported = list(_change_reported(book))
    printed = {(row["week_ending"], row["dimension"]) for row in reported}
    own = [row for row in rows if (row["week_ending"], row["dimension"]) not in printed]
    return [*own, *reported]


def _change_of_funds(book: Book, key: Key, parts: list[tuple[FundWeek, Decimal]]) -> Row:
    def total(name: str) -> Decimal | None:
        return added(counted(getattr(week, name), share) for week, share in parts)

    opened, closed, flow = total("open"), total("close"), total("bridge_flow")
    effects = {name: total(name) for name in ("fx", "corporate", "universe")}
    known = [each for each in parts if each[0].market is not None]
    based = [each for each in parts if each[0].bridge_flow is not None and each[0].open is not None]
    market = None
    if len(known) == len(parts) and opened is not None and closed is not None:
        market = closed - opened - (added((flow, *effects.values())) or ZERO)
    is_whole = market is not None and not book.lacks_a_fund(*key)
    status = _status([week for week, _ in parts], is_whole=is_whole)
    row = _change_row(book, key, "funds", status, opened=opened, closed=closed, flow=flow)
    if not all(week.is_bridged for week, _ in parts):
        row |= {"aum_change_usd": None, "aum_change_pct": None}
    return {
        **row,
        "net_flow_half_unit_usd": bound(
            (week.bridge_flow, counted(week.flow_half_unit, share)) for week, share in parts
        ),
        "aum_half_unit_usd": bound(
            (week.close, counted(week.aum_half_unit, share)) for week, share in parts
        ),
        # Known flow over the AUM of the same funds (E80).
        "flow_pct_of_aum": percent(
            added(counted(week.bridge_flow, share) for week, share in based),
            added(counted(week.open, share) for week, share in based),
        ),
        "market_effect_usd": market,
        "null_reason": first_reason(week for week, _ in parts if week.market is None)
        if market is None
        else None,
        "fx_effect_usd": effects["fx"],
        "corporate_action_usd": effects["corporate"],
        "universe_effect_usd": effects["universe"],
        "coverage": percent(
            added(counted(week.close, share) for week, share in known) or ZERO, closed
        ),
    }


def _status(weeks: list[FundWeek], *, is_whole: bool) -> str:
    if any(each.status == PRELIMINARY for each in weeks):
        return PRELIMINARY
    is_partial = any(each.status == PARTIAL or each.fund == UNMAPPED for each in weeks)
    return PARTIAL if is_partial or not is_whole else FINAL


def _change_row(
    book: Book,
    key: Key,
    method: str,
    status: str,
    *,
    opened: Decimal | None,
    closed: Decimal | None,
    flow: Decimal | None,
) -> Row:
    week, dimension, member = key
    change = None if opened is None or closed is None else closed - opened
    return {
        "source": book.source.source,
        "week_ending": week,
        "dimension": dimension,
        "member": member,
        "member_name": book.reference.name(dimension, member),
        "aum_open_usd": opened,
        "net_flow_usd": flow,
        "market_effect_usd": None,
        "fx_effect_usd": None,
        "corporate_action_usd": None,
        "universe_effect_usd": None,
        "aum_close_usd": closed,
        "net_flow_half_unit_usd": None,
        "aum_half_unit_usd": None,
        "aum_change_usd": change,
        "aum_change_pct": percent(change, opened),
        "flow_pct_of_aum": percent(flow, opened),
        "method": method,
        "coverage": None,
        "status": status,
        "null_reason": None,
    }


def _change_reported(book: Book) -> Iterator[Row]:
    members = reported_members(book)
    aum = {key: added(each.aum for each in labels) for key, labels in members.items()}
    for key, labels in members.items():
        week, dimension, member = key
        closed, opened = aum[key], aum.get((week - WEEK, dimension, member))
        if closed is None:
            continue
        flow = added(each.flow for each in labels)
        status = PARTIAL if any(each.is_partial for each in labels) else FINAL
        if any(each.is_preliminary for each in labels):
            status = PRELIMINARY
        row = _change_row(book, key, "reported", status, opened=opened, closed=closed, flow=flow)
        row["net_flow_half_unit_usd"] = bound((each.flow, each.flow_half_unit) for each in labels)
        row["aum_half_unit_usd"] = bound((each.aum, each.aum_half_unit) for each in labels)
        if row["aum_change_usd"] is not None and flow is not None:
            # Market and FX are one number where only AUM and flow are printed.
            row["market_effect_usd"] = row["aum_change_usd"] - flow
        else:
            row["null_reason"] = "flow unknown" if flow is None else "no position"
        yield row
