"""The rows of mart.fund_bridge and mart.aum_change, column by column."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from tests.oracle.amounts import ZERO, added, cents, percent, plus
from tests.oracle.book import Book
from tests.oracle.faults import MARKS, marks_of_change
from tests.oracle.flows import (
    FINAL,
    PARTIAL,
    PRELIMINARY,
    Key,
    Row,
    counted,
    grouped,
    reported_members,
)
from tests.oracle.reference import UNMAPPED
from tests.oracle.weeks import WEEK, FundWeek


def fund_bridge(book: Book) -> list[Row]:
    """The bridge of every fund and week from opening to closing AUM, with both lenses."""
    paid = _distributed(book)
    return [
        _bridge_row(book, each, paid.get((each.label, each.week, each.owner), Decimal(0)))
        for each in book.by_issuer
        if each.open is not None and each.close is not None
    ]


def _bridge_row(book: Book, week: FundWeek, paid: Decimal) -> Row:
    fund = book.reference.funds.get(week.fund)
    market, fx = week.market, week.fx
    # A coin is priced in dollars, so an unhedged class has no FX of its own (E28).
    is_in_dollars = fund is not None and fund.underlying_currency == "USD" and not fund.is_hedged
    own_market = market if market is None or not is_in_dollars else plus(market, fx)
    own_fx = (None if market is None else ZERO) if is_in_dollars else fx
    return {
        "source": book.source.source,
        "week_ending": week.week,
        "fund": week.fund,
        "label": week.label,
        "issuer": week.owner,
        "fund_name": fund.name if fund else week.label,
        "aum_open_usd": week.open,
        "net_flow_usd": week.bridge_flow,
        "market_effect_usd": market,
        "fx_effect_usd": fx,
        "corporate_action_usd": week.corporate,
        "universe_effect_usd": week.universe,
        "aum_close_usd": week.close,
        "underlying_market_effect_usd": own_market,
        "underlying_fx_effect_usd": own_fx,
        "seed_flow_usd": week.seed,
        "structural_flow_usd": week.structural,
        "distributed_usd": cents(paid),
        "flow_method": week.method,
        "sampling": "weekly" if week.is_weekly else "daily",
        "status": week.status,
    }


def _distributed(book: Book) -> dict[tuple[str, dt.date, str], Decimal]:
    """Per share x shares, on the first day on or after the ex-date that tells the shares (E12)."""
    paid: dict[tuple[str, dt.date, str], Decimal] = defaultdict(Decimal)
    for days in book.days:
        for action in book.reference.of(days[0].fund, "distribution"):
            for day in days:
                shares = day.shares
                if shares is None and day.aum is not None and day.nav:
                    shares = day.aum / day.nav
                if shares is not None and action.day <= day.day < action.day + WEEK:
                    owner = book.reference.issuer(day.fund, day.day)
                    paid[day.label, day.week, owner] += action.per_share * shares * (day.rate or 0)
                    break
    return paid


def aum_change(book: Book) -> list[Row]:
    """The change of AUM over a week, split into flow, market, FX, corporate actions, universe."""
    rows = []
    for key, all_parts in grouped(book).items():
        parts = [
            each for each in all_parts if each[0].open is not None and each[0].close is not None
        ]
        if parts:
            rows.append(_change_of_funds(book, key, parts))
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
    with_flow = [each for each in parts if each[0].bridge_flow is not None]
    market = None
    if len(known) == len(parts) and opened is not None and closed is not None:
        market = closed - opened - (added((flow, *effects.values())) or ZERO)
    status = FINAL
    if any(each.status == PRELIMINARY for each, _ in parts):
        status = PRELIMINARY
    elif (
        market is None
        or book.lacks_a_fund(*key)
        or any(each.status == PARTIAL or each.fund == UNMAPPED for each, _ in parts)
    ):
        status = PARTIAL
    return {
        **_change_row(book, key, "funds", status, opened=opened, closed=closed, flow=flow),
        # Known flow over the AUM of the same funds (E80).
        "flow_pct_of_aum": percent(
            flow, added(counted(week.open, share) for week, share in with_flow)
        ),
        "market_effect_usd": market,
        "fx_effect_usd": effects["fx"],
        "corporate_action_usd": effects["corporate"],
        "universe_effect_usd": effects["universe"],
        "coverage": percent(
            added(counted(week.close, share) for week, share in known) or ZERO, closed
        ),
        MARKS: marks_of_change(book, key, [each for each, _ in parts]),
    }


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
        "aum_change_usd": change,
        "aum_change_pct": percent(change, opened),
        "flow_pct_of_aum": percent(flow, opened),
        "method": method,
        "coverage": None,
        "status": status,
        MARKS: {},
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
        if row["aum_change_usd"] is not None and flow is not None:
            # Market and FX are one number where only AUM and flow are printed.
            row["market_effect_usd"] = row["aum_change_usd"] - flow
        yield row
