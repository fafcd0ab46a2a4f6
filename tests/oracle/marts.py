"""The rows of mart.flows, mart.aum_change and mart.fund_bridge, column by column."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.oracle.amounts import HUNDRED, ZERO, added, cents, percent, rounded
from tests.oracle.book import DIMENSIONS, Book
from tests.oracle.reported import ReportedWeek, remainders
from tests.oracle.weeks import WEEK, FundWeek, one_or_mixed

Row = dict[str, Any]
Key = tuple[dt.date, str, str]
"""Week, dimension, member."""
PARTIAL, PRELIMINARY, FINAL = "partial", "preliminary", "final"


# -- flows -----------------------------------------------------------------------------------------


def flows(book: Book) -> list[Row]:
    """Net flow of every week by fund, asset, issuer, country and in total."""
    rows = [_with_printed_total(book, row) for row in _flows_of_funds(book)]
    rows += _flows_reported(book)
    for each in remainders(book.reported):
        status = PRELIMINARY if each.is_preliminary else FINAL
        row = _flow_row(book, (each.week, each.dimension, "other-derived"), "derived", status)
        rows.append({**row, "net_flow_usd": each.amount})
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
        "net_flow_ex_seed_usd": None,
        "net_flow_ex_structural_usd": None,
        "exposure_flow_usd": None,
        "basis": basis,
        "method": "printed" if basis == "printed" else None,
        "country_basis": book.source.country_basis if dimension == "country" else None,
        "funds": None,
        "coverage": None,
        "status": status,
    }


def _grouped(book: Book) -> dict[Key, list[tuple[FundWeek, Decimal]]]:
    """Return the fund weeks of every member, each with the part of it that counts."""
    found: dict[Key, list[tuple[FundWeek, Decimal]]] = defaultdict(list)
    for dimension in DIMENSIONS:
        for each in book.by_sponsor if dimension == "sponsor" else book.by_issuer:
            member = book.member(dimension, each.fund, each.owner)
            share = book.share(dimension, each.fund, each.week)
            found[each.week, dimension, member].append((each, share))
    return found


def _counted(amount: Decimal | None, share: Decimal) -> Decimal | None:
    return None if amount is None else cents(amount * share)


def _flows_of_funds(book: Book) -> Iterator[Row]:
    for key, all_parts in _grouped(book).items():
        parts = [each for each in all_parts if each[0].sessions or each[0].flow is not None]
        if not parts:
            continue
        flow, ex_seed, ex_structural, exposure = [], [], [], []
        for week, share in parts:
            counted = _counted(week.flow, share)
            flow.append(counted)
            if counted is not None:
                fund = book.reference.funds.get(week.fund)
                ex_seed.append(counted - cents(week.seed * share))
                ex_structural.append(counted - cents(week.structural * share))
                exposure.append(counted * (fund.exposure if fund else 1))
        yield {
            **_flow_row(book, key, "sum of funds", _status_of_flows(book, key, parts)),
            "net_flow_usd": added(flow),
            "net_flow_ex_seed_usd": added(ex_seed),
            "net_flow_ex_structural_usd": added(ex_structural),
            "exposure_flow_usd": added(exposure),
            "method": one_or_mixed({each.method for each, _ in parts if each.method}),
            "funds": len({each.label for each, _ in parts}),
            "coverage": _coverage_of_days([each for each, _ in parts]),
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
    return PARTIAL if lacks_a_fund(book, key) else FINAL


def lacks_a_fund(book: Book, key: Key) -> bool:
    """Whether a fund of a member has not been renewed, so that its week is unknown (E81)."""
    week, dimension, member = key
    if not any(last < week for last in book.not_renewed.values()):
        return False
    weeks = book.by_sponsor if dimension == "sponsor" else book.by_issuer
    return any(
        book.not_renewed.get(each.label) == each.week < week
        and book.member(dimension, each.fund, each.owner) == member
        for each in weeks
    )


def day_total(book: Book, day: dt.date, of_funds: Decimal | None) -> Decimal | None:
    """Return the total of a day: the source's own, else our sum."""
    _, printed, _ = book.printed_totals.get(day, (day, None, False))
    return of_funds if printed is None else cents(printed)


def _with_printed_total(book: Book, row: Row) -> Row:
    """Let the totals of days that a source prints stand for those days, instead of our sum."""
    week = row["week_ending"]
    printed = {day: each for day, each in book.printed_totals.items() if each[0] == week}
    if row["dimension"] != "total" or not printed:
        return row
    of_funds = days_of_funds(book, "total", "total", week)
    total = added(day_total(book, day, of_funds.get(day)) for day in {*printed, *of_funds})
    if total is None:
        return row
    apart = total - (row["net_flow_usd"] or ZERO)
    is_preliminary = any(each[2] for each in printed.values())
    return {
        **row,
        "net_flow_usd": total,
        **{
            name: None if row[name] is None else row[name] + apart
            for name in ("net_flow_ex_seed_usd", "net_flow_ex_structural_usd")
        },
        "basis": "printed",
        "method": "printed",
        "status": PRELIMINARY if is_preliminary else row["status"],
    }


def days_of_funds(
    book: Book, dimension: str, member: str, week: dt.date | None = None
) -> dict[dt.date, Decimal]:
    """Return the known flows of a member's funds by day, each day's to the cent."""
    found: dict[dt.date, Decimal] = {}
    for step in (each for chain in book.steps for each in chain):
        if step.flow is None or (week and step.week != week):
            continue
        owner = book.reference.issuer(step.fund, step.day)
        if book.member(dimension, step.fund, owner) == member:
            counted = cents(step.flow * book.share(dimension, step.fund, step.week))
            found[step.day] = found.get(step.day, ZERO) + counted
    return found


def _reported_members(book: Book) -> dict[Key, list[ReportedWeek]]:
    found: dict[Key, list[ReportedWeek]] = defaultdict(list)
    for each in book.reported:
        found[each.week, each.dimension, each.member].append(each)
    return found


def _flows_reported(book: Book) -> Iterator[Row]:
    for key, labels in _reported_members(book).items():
        _, dimension, member = key
        status = FINAL
        if any(each.is_preliminary for each in labels):
            status = PRELIMINARY
        elif any(each.flow is None for each in labels):
            status = PARTIAL
        flow = added(each.flow for each in labels)
        direction = book.reference.directions.get(member) if dimension == "asset" else None
        yield {
            **_flow_row(book, key, "printed", status),
            "net_flow_usd": flow,
            "exposure_flow_usd": None if flow is None or direction is None else flow * direction,
        }


# -- the bridge of funds --------------------------------------------------------------------------


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
    is_in_dollars = bool(fund) and fund.underlying_currency == "USD" and not fund.is_hedged
    own_market = market if market is None or not is_in_dollars else market + fx
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


# -- the change of AUM ----------------------------------------------------------------------------


def aum_change(book: Book) -> list[Row]:
    """The change of AUM over a week, split into flow, market, FX, corporate actions, universe."""
    rows = []
    for key, all_parts in _grouped(book).items():
        parts = [
            each for each in all_parts if each[0].open is not None and each[0].close is not None
        ]
        if parts:
            rows.append(_change_of_funds(book, key, parts))
    return [*rows, *_change_reported(book)]


def _change_of_funds(book: Book, key: Key, parts: list[tuple[FundWeek, Decimal]]) -> Row:
    def total(name: str) -> Decimal | None:
        return added(_counted(getattr(week, name), share) for week, share in parts)

    opened, closed, flow = total("open"), total("close"), total("bridge_flow")
    effects = {name: total(name) or ZERO for name in ("fx", "corporate", "universe")}
    known = [each for each in parts if each[0].market is not None]
    with_flow = [each for each in parts if each[0].bridge_flow is not None]
    market = None
    if len(known) == len(parts) and opened is not None and closed is not None:
        market = closed - opened - (flow or ZERO) - sum(effects.values(), ZERO)
    status = FINAL
    if any(each.status == PRELIMINARY for each, _ in parts):
        status = PRELIMINARY
    elif market is None or lacks_a_fund(book, key):
        status = PARTIAL
    return {
        **_change_row(book, key, "funds", status, opened=opened, closed=closed, flow=flow),
        # Known flow over the AUM of the same funds (E80).
        "flow_pct_of_aum": percent(
            flow, added(_counted(week.open, share) for week, share in with_flow)
        ),
        "market_effect_usd": market,
        "fx_effect_usd": effects["fx"],
        "corporate_action_usd": effects["corporate"],
        "universe_effect_usd": effects["universe"],
        "coverage": percent(
            added(_counted(week.close, share) for week, share in known) or ZERO, closed
        ),
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
    }


def _change_reported(book: Book) -> Iterator[Row]:
    members = _reported_members(book)
    aum = {key: added(each.aum for each in labels) for key, labels in members.items()}
    for key, labels in members.items():
        week, dimension, member = key
        closed, opened = aum[key], aum.get((week - WEEK, dimension, member))
        if closed is None:
            continue
        flow = added(each.flow for each in labels)
        status = PRELIMINARY if any(each.is_preliminary for each in labels) else FINAL
        row = _change_row(book, key, "reported", status, opened=opened, closed=closed, flow=flow)
        if row["aum_change_usd"] is not None and flow is not None:
            # Market and FX are one number where only AUM and flow are printed.
            row["market_effect_usd"] = row["aum_change_usd"] - flow
        yield row
