"""All that the marts are made of, source by source: fund weeks, days, printed weeks and totals."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tests.oracle.amounts import added, exactly
from tests.oracle.member_days import MemberDay, member_days, weeks_of_days
from tests.oracle.observed import Observation, Source
from tests.oracle.positions import FundDay, Ground, fund_days
from tests.oracle.rates import Rates
from tests.oracle.reference import UNMAPPED, Reference
from tests.oracle.reported import ReportedWeek, reported_weeks
from tests.oracle.stated_weeks import stated_weeks, with_stated
from tests.oracle.steps import Step, ended, exit_of, own_flows, steps_of, week_of
from tests.oracle.transfers import Transfers
from tests.oracle.weeks import FundWeek, fund_weeks

DIMENSIONS = (
    "fund",
    "asset",
    "issuer",
    "issuer_as_is",
    "sponsor",
    "country",
    "product_type",
    "total",
)
DAY = dt.timedelta(days=1)
Sessions = Mapping[dt.date, dt.date]
"""The trading days that a source should have, each with the end of its week."""


@dataclass(frozen=True, slots=True)
class PrintedTotal:
    """The total of a day as printed, with how far rounding can move it."""

    week: dt.date
    flow: Decimal | None
    half_unit: Decimal | None
    is_preliminary: bool


@dataclass(frozen=True, slots=True)
class Book:
    """A source, computed."""

    source: Source
    reference: Reference
    days: list[list[FundDay]]
    steps: list[list[Step]]
    weeks: list[FundWeek]
    stated: set[tuple[str, dt.date]]
    """Funds and weeks of which the week itself is printed (E115)."""
    covered: set[tuple[str, dt.date]]
    """Funds and weeks that the source covers."""
    reported: list[ReportedWeek]
    member_days: list[MemberDay]
    """Days by member of weeks without funds (E114)."""
    printed_totals: dict[dt.date, PrintedTotal]
    """The totals of days that the source prints."""
    not_renewed: dict[str, dt.date]
    """Of a source of one file a fund: the last week of a fund that has not ended (E81)."""

    def member(self, dimension: str, fund: str, day: dt.date) -> str:
        """Return the member of a dimension for which a fund counts on a day."""
        known = self.reference.fund(fund, day)
        issuer = self.reference.issuer(fund, day)
        is_domicile = self.source.country_basis == "domicile"
        members = {
            "fund": fund,
            "total": "total",
            "issuer": issuer,
            "sponsor": self.reference.sponsor(issuer, day),
            "issuer_as_is": self.reference.issuer_today(fund),
            "asset": known.asset if known else UNMAPPED,
            "product_type": known.product_type if known else UNMAPPED,
            "country": (known.domicile if is_domicile else known.listing_country)
            if known
            else UNMAPPED,
        }
        return members[dimension]

    def share(self, dimension: str, fund: str, week: dt.date) -> Decimal:
        """Return the part of a fund's money that no other covered fund holds (E20, E21)."""
        if dimension in ("fund", "country"):
            return Decimal(1)
        holdings = self.reference.holdings(fund, week)
        held = (each.weight for each in holdings if (each.holds, week) in self.covered)
        return 1 - sum(held, Decimal(0))

    def lacks_a_fund(self, week: dt.date, dimension: str, member: str) -> bool:
        """Whether a fund of a member has not been renewed, so that its week is unknown (E81)."""
        if not any(last < week for last in self.not_renewed.values()):
            return False
        return any(
            self.not_renewed.get(each.holder) == each.week < week
            and self.member(dimension, each.fund, each.since) == member
            for each in self.weeks
        )


@exactly
def books(
    sources: Iterable[Source],
    observations: Iterable[Observation],
    reference: Reference,
) -> list[Book]:
    """Compute every source."""
    said = list(observations)
    rates = Rates(said, reference.fx_holidays)
    by_source: dict[str, list[Observation]] = defaultdict(list)
    for each in said:
        by_source[each.source].append(each)
    return [_book(Ground(source, reference, rates), by_source[source.source]) for source in sources]


def _book(ground: Ground, said: list[Observation]) -> Book:
    source, reference = ground.source, ground.reference
    money = _money(ground, said)
    days = fund_days(ground, said)
    sessions = _sessions(ground, days)
    transfers = Transfers(days, reference, own_flows)
    steps = [steps_of(ground, each, sessions, transfers) for each in days]
    with_aum = {step.week for chain in steps for step in chain if step.close is not None}
    ends = [exit_of(ground, chain, with_aum, _replaced(chain, steps)) for chain in steps]
    steps = [ended(chain, end) for chain, end in zip(steps, ends, strict=True)]

    stated = stated_weeks(money, reference)
    of_days = fund_weeks(ground, steps, days, sessions, reference.since)
    weeks = with_stated(of_days, stated, reference.since)
    of_members = member_days(money, reference, {each.week for chain in days for each in chain})
    return Book(
        source=source,
        reference=reference,
        days=days,
        steps=steps,
        weeks=weeks,
        stated={(each.who, each.week) for each in stated},
        covered={(each.fund, each.week) for each in weeks},
        reported=[*reported_weeks(money, reference), *weeks_of_days(of_members)],
        member_days=of_members,
        printed_totals=_printed_totals(money),
        not_renewed=_not_renewed(source, steps),
    )


def _money(ground: Ground, said: list[Observation]) -> list[Observation]:
    """Return the printed flows and AUM in US dollars."""
    return [
        ground.rates.dollars(each)
        for each in said
        if each.measure in ("net_flow", "aum") and each.dimension not in ("check", "currency")
    ]


def _replaced(chain: list[Step], chains: list[list[Step]]) -> dt.date | None:
    """Return when another fund takes over the label of a fund, if it does (E94)."""
    others = [each for other in chains if other is not chain for each in other]
    return min(
        (each.day for each in others if chain and each.label == chain[0].label), default=None
    )


def _sessions(ground: Ground, days: list[list[FundDay]]) -> Sessions:
    """Return the sessions of the source's market between its first and last day (E74, E79)."""
    reported, market = _reported_sessions(days), ground.source.calendar
    if market is None or not reported:
        return reported
    first, last = min(reported), max(reported)
    sessions = {}
    for day in (first + DAY * number for number in range((last - first).days + 1)):
        is_session = ground.reference.is_session(market, day)
        if is_session or (is_session is None and day in reported):
            sessions[day] = week_of(ground.source, day)
    return sessions


def _reported_sessions(days: list[list[FundDay]]) -> Sessions:
    """Return the days on which a source reports any fund, or that it is still filling (E37)."""
    return {
        each.day: each.week
        for chain in days
        for each in chain
        if each.flow is not None or each.aum is not None or each.is_preliminary
    }


def _printed_totals(
    said: list[Observation],
) -> dict[dt.date, PrintedTotal]:
    cells: dict[dt.date, list[Observation]] = defaultdict(list)
    for each in said:
        if each.dimension == "total" and each.measure == "net_flow" and each.period == "day":
            cells[each.period_end].append(each)
    totals = {}
    for day, printed in cells.items():
        known = [each for each in printed if not (each.value == 0 and each.is_preliminary)]
        totals[day] = PrintedTotal(
            printed[0].week_ending,
            added(each.value for each in known),
            added(each.half_unit for each in known if each.value is not None),
            any(each.is_preliminary for each in printed),
        )
    return totals


def _not_renewed(source: Source, steps: list[list[Step]]) -> dict[str, dt.date]:
    if source.has_all_funds:
        return {}
    last = {_holder(chain): max(each.week for each in chain) for chain in steps if chain}
    closed = {_holder(chain) for chain in steps if chain and chain[-1].close == 0}
    return {holder: week for holder, week in last.items() if holder not in closed}


def _holder(chain: list[Step]) -> str:
    return chain[0].label if chain[0].fund == UNMAPPED else chain[0].fund
