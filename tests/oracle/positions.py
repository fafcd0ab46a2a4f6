"""What a source says about a fund on a day: flow, shares, NAV and AUM, with the basis of splits.

A fund goes by its id, not by its label: a label can pass from one fund to another (E94), and a
fund can be printed under several labels (E19). A fund that no reference row names is its label.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from tests.oracle.observed import Observation, Source
from tests.oracle.rates import Rates
from tests.oracle.reference import UNMAPPED, Action, Reference

Basis = tuple[Decimal, Decimal]
"""Shares now for so many shares before all splits of the history."""
ONE: Basis = (Decimal(1), Decimal(1))
NEAR = 3
"""Vendors move NAV and shares to the new basis within so many days of a split (E11)."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What everything about a source stands on."""

    source: Source
    reference: Reference
    rates: Rates


@dataclass(frozen=True, slots=True)
class FundDay:
    """A fund on a day, as printed, in its own currency."""

    label: str
    fund: str
    day: dt.date
    week: dt.date
    currency: str
    flow: Decimal | None
    printed_aum: Decimal | None
    nav: Decimal | None
    shares: Decimal | None
    has_coins: bool
    is_preliminary: bool
    is_refused: bool
    rate: Decimal | None
    flow_half_unit: Decimal | None = None
    aum_half_unit: Decimal | None = None
    basis: Basis = ONE
    is_held: bool = False

    @property
    def aum(self) -> Decimal | None:
        """Printed AUM, else shares x NAV."""
        if self.printed_aum is not None or self.shares is None or self.nav is None:
            return self.printed_aum
        return self.shares * self.nav

    @property
    def says_something(self) -> bool:
        """Whether there is any number, or only dashes."""
        numbers = (self.flow, self.printed_aum, self.nav, self.shares)
        return self.has_coins or any(each is not None for each in numbers)

    @property
    def is_usable(self) -> bool:
        """Whether it can be counted: not held back, and with a rate."""
        return not self.is_held and self.rate is not None


def fund_days(ground: Ground, observations: Iterable[Observation]) -> list[list[FundDay]]:
    """Return the days of every fund of a source, each in order."""
    cells: dict[tuple[str, dt.date], list[Observation]] = defaultdict(list)
    for each in observations:
        if each.dimension == "fund" and each.period in ("day", "close") and each.measure != "seed":
            cells[each.label, each.period_end].append(each)
    by_label: dict[tuple[str, str], list[FundDay]] = defaultdict(list)
    for (label, day), said in cells.items():
        fund_day = _fund_day(ground, label, day, said)
        by_label[fund_day.fund, label].append(fund_day)
    funds: dict[str, list[FundDay]] = defaultdict(list)
    for (fund, label), days in by_label.items():
        funds[label if fund == UNMAPPED else fund].extend(_listed(days))
    chains = [_once(days) for days in funds.values() if days]
    return [_own(ground, _until_closed(_split(ground, days))) for days in chains]


def _own(ground: Ground, days: list[FundDay]) -> list[FundDay]:
    """Leave the days of a fund without a rate whose NAV is never in its currency (E118, E29)."""
    priced = [each for each in days if each.nav is not None]
    known = [(each, ground.reference.fund(each.fund, each.day)) for each in priced]
    own = [(each.currency, fund.currency) for each, fund in known if fund and fund.currency]
    if not own or any(printed == currency for printed, currency in own):
        return days
    return [replace(each, rate=None) for each in days]


def countable(days: list[FundDay]) -> list[FundDay]:
    """Return the days that can be counted; of a week without any rate, as days without numbers.

    So the fund is still there, and no total of the week is called final (E99).
    """
    rated = {each.week for each in days if each.is_usable}
    nothing = {"flow": None, "printed_aum": None, "nav": None, "shares": None}
    return [
        each if each.is_usable else replace(each, **nothing)
        for each in days
        if each.is_usable or not (each.is_held or each.week in rated)
    ]


def _fund_day(ground: Ground, label: str, day: dt.date, said: list[Observation]) -> FundDay:
    def best(measure: str) -> Observation | None:
        return _most_precise([each for each in said if each.measure == measure])

    def printed(measure: str) -> Decimal | None:
        found = best(measure)
        return found.value if found else None

    def half_unit(measure: str) -> Decimal | None:
        found = best(measure)
        return found.half_unit if found else None

    currency = max((each.currency for each in said if each.currency), default="USD")
    return FundDay(
        label=label,
        fund=ground.reference.member("fund", label, day),
        day=day,
        week=said[0].week_ending,
        currency=currency,
        flow=printed("net_flow"),
        printed_aum=printed("aum"),
        nav=printed("market_price" if ground.source.price_basis == "market" else "nav"),
        shares=printed("shares_outstanding"),
        has_coins=printed("coins_held") is not None,
        is_preliminary=any(each.is_preliminary for each in said),
        is_refused=any(each.is_refused and each.measure != "market_price" for each in said),
        rate=ground.rates.on(currency, day),
        flow_half_unit=half_unit("net_flow"),
        aum_half_unit=half_unit("aum"),
    )


def _most_precise(said: list[Observation]) -> Observation | None:
    """Return the number with more digits of what two tables print (E116)."""
    known = [
        each
        for each in said
        if each.value is not None
        # A zero in a row that is still being filled says nothing yet (E07, E37).
        and not (each.measure == "net_flow" and each.value == 0 and each.is_preliminary)
    ]
    return min(
        known,
        key=lambda each: (each.half_unit is None, each.half_unit or 0, each.printed_table),
        default=None,
    )


def _listed(days: list[FundDay]) -> list[FundDay]:
    """Leave out the dashes that are printed before a fund is listed (E07)."""
    first = min((each.day for each in days if each.says_something), default=dt.date.max)
    return [each for each in days if each.day >= first]


def _once(days: list[FundDay]) -> list[FundDay]:
    """Count a fund of several labels once a day, under the first of them (E19)."""
    label = min(each.label for each in days)
    best: dict[dt.date, FundDay] = {}
    for each in sorted(days, key=lambda one: (not _has_numbers(one), one.label)):
        best.setdefault(each.day, replace(each, label=label))
    return sorted(best.values(), key=lambda each: each.day)


def _has_numbers(day: FundDay) -> bool:
    return any(each is not None for each in (day.flow, day.aum, day.nav, day.shares))


def _split(ground: Ground, days: list[FundDay]) -> list[FundDay]:
    """Give every day the basis of its NAV (E09, E10); hold it where shares have another (E11)."""
    if ground.source.is_split_adjusted:
        return days
    for action in ground.reference.of(days[0].fund, "split"):
        days = [_based(each, action, days) for each in days]
    return days


def _based(day: FundDay, action: Action, days: list[FundDay]) -> FundDay:
    new, old = action.shares_new, action.shares_old
    apart = (day.day - action.day).days
    is_split = apart >= 0
    is_held = False
    if abs(apart) <= NEAR and max(new, old) >= Decimal("1.5") * min(new, old):
        earlier = [each for each in days if (each.day - action.day).days < -NEAR]
        nav = next((each.nav for each in reversed(earlier) if each.nav is not None), None)
        shares = next((each.shares for each in reversed(earlier) if each.shares is not None), None)
        if nav and day.nav:
            is_split = _is_nearer(day.nav, nav, nav * old / new)
        if shares and day.shares:
            is_held = _is_nearer(day.shares, shares, shares * new / old) != is_split
    basis = (day.basis[0] * new, day.basis[1] * old) if is_split else day.basis
    return replace(day, basis=basis, is_held=day.is_held or is_held)


def _is_nearer(value: Decimal, before: Decimal, after: Decimal) -> bool:
    """Whether a value is nearer, as a ratio, to what a split makes of it than to what it was."""
    middle = before * after
    return value * value < middle if after < before else value * value > middle


def _until_closed(days: list[FundDay]) -> list[FundDay]:
    """Stop at a closed fund (E75).

    A fund whose NAV and AUM are both 0 after it had assets is closed: nothing follows.
    """
    kept: list[FundDay] = []
    for each in days:
        kept.append(each)
        if each.nav == 0 and each.aum == 0 and any(before.aum for before in kept):
            break
    return kept
