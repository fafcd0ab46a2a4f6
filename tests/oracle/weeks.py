"""A fund's week: AUM at both ends, every effect, and how far its flow is known.

A fund that changes its issuer within a week has a row for each: it takes its AUM along, out of one
and into the other (E39). The same holds for the firm behind the issuer (E84).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise

from tests.oracle.amounts import ZERO, added, plus
from tests.oracle.observed import Source
from tests.oracle.positions import FundDay, Ground
from tests.oracle.reference import Reference
from tests.oracle.steps import Step, week_of

WEEK = dt.timedelta(days=7)
MADE = ("shares", "assets", "closure")
"""Flows that positions make, over all days between them."""
Owner = Callable[[str, dt.date], str]
"""Who has a fund on a day: its issuer, or the firm behind it."""


@dataclass(slots=True)
class FundWeek:
    """A fund's week under one owner."""

    label: str
    fund: str
    week: dt.date
    owner: str
    flows: list[Decimal | None] = field(default_factory=list)
    step_flows: list[Decimal | None] = field(default_factory=list)
    seed: Decimal = ZERO
    structural: Decimal = ZERO
    fx: Decimal | None = None
    corporate: Decimal | None = None
    universe: Decimal | None = None
    change: Decimal = ZERO
    open: Decimal | None = None
    close: Decimal | None = None
    methods: set[str] = field(default_factory=set)
    is_weekly: bool = False
    sessions: int = 0
    sessions_without_flow: int = 0
    has_position: bool = False
    is_known: bool = True
    is_preliminary: bool = False
    status: str = "final"

    @property
    def flow(self) -> Decimal | None:
        """Flow of the reported days."""
        return added(self.flows)

    @property
    def bridge_flow(self) -> Decimal | None:
        """Flow between the positions: what the bridge uses."""
        return added(self.step_flows)

    @property
    def market(self) -> Decimal | None:
        """What is left of the change; None if the flow of a day is unknown: never a guess."""
        if not (self.is_known and self.has_position):
            return None
        explained = added((self.bridge_flow, self.fx, self.corporate, self.universe))
        return self.change - (explained or ZERO)

    @property
    def method(self) -> str | None:
        """How its flows are known."""
        return one_or_mixed(self.methods)


def one_or_mixed(methods: set[str]) -> str | None:
    """Return the only method, `mixed` of several, None of none."""
    return next(iter(methods), None) if len(methods) < 2 else "mixed"


def fund_weeks(
    ground: Ground,
    chains: list[list[Step]],
    days: list[list[FundDay]],
    sessions: Mapping[dt.date, dt.date],
    owner: Owner,
) -> list[FundWeek]:
    """Return the weeks of every fund of a source by owner."""
    newest = _newest(ground.source, chains)
    found: list[FundWeek] = []
    for steps, printed in zip(chains, days, strict=True):
        lacking = _lacking(ground.source, steps, printed, sessions)
        spanning = _spanning(ground.source, steps, printed, lacking)
        known = [
            replace(each, is_known=each.is_known and each.method in MADE)
            if each in spanning
            else each
            for each in steps
        ]
        weeks = _weeks_of(known, ground.reference, owner)
        _count_lacking(weeks, lacking, owner)
        for each in weeks:
            last = newest.get(each.label if not ground.source.has_all_funds else "")
            if each.is_preliminary or (last and each.week > last):
                each.status = "preliminary"
            elif (
                each.sessions_without_flow
                or each.week in lacking.values()
                or each.week in {step.week for step in spanning}
                or each.week in _doubtful(printed)
                or any(not day.is_usable and day.week == each.week for day in printed)
            ):
                each.status = "partial"
        found += weeks
    return found


def _spanning(
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


def _doubtful(days: list[FundDay]) -> set[dt.date]:
    """Return the weeks of refused numbers, and of the positions that follow them (E105)."""
    after = {day.week for before, day in pairwise(days) if before.is_refused and day.flow is None}
    return {each.week for each in days if each.is_refused} | after


def _weeks_of(steps: list[Step], reference: Reference, owner: Owner) -> list[FundWeek]:
    weeks: dict[tuple[dt.date, str], FundWeek] = {}
    ends: dict[dt.date, tuple[tuple[str, Decimal], tuple[str, Decimal]]] = {}

    def week_of(step: Step, name: str) -> FundWeek:
        key = step.week, name
        if key not in weeks:
            weeks[key] = FundWeek(step.label, step.fund, step.week, name)
        return weeks[key]

    previous: dt.date | None = None
    for step in sorted(steps, key=lambda each: each.day):
        name = owner(step.fund, step.day)
        then = owner(step.fund, step.before) if step.before else name
        _add(week_of(step, name), step)
        if step.flow is not None:
            week_of(step, name).structural += _structural(step, previous, reference)
        if step.close is not None:
            opened = step.open or ZERO
            if name != then:
                for each, amount in ((week_of(step, then), -opened), (week_of(step, name), opened)):
                    each.universe = plus(each.universe, amount)
                    each.fx, each.corporate = plus(each.fx, ZERO), plus(each.corporate, ZERO)
                    each.change += amount
                    each.has_position = True
                    each.is_weekly = each.is_weekly or step.is_weekly
            first = ends[step.week][0] if step.week in ends else (then, opened)
            ends[step.week] = first, (name, step.close)
        previous = step.day
    for (week, name), each in weeks.items():
        if week in ends:
            (name_open, opened), (name_close, closed) = ends[week]
            each.open = opened if name == name_open else ZERO
            each.close = closed if name == name_close else ZERO
    return list(weeks.values())


def _add(week: FundWeek, step: Step) -> None:
    week.flows.append(step.flow)
    week.step_flows.append(step.step_flow)
    week.seed += step.seed
    week.fx = plus(week.fx, step.fx)
    week.corporate = plus(week.corporate, step.corporate)
    week.universe = plus(week.universe, step.universe)
    week.is_weekly = week.is_weekly or step.is_weekly
    week.is_preliminary = week.is_preliminary or step.is_preliminary
    if step.method:
        week.methods.add(step.method)
    if step.is_session:
        week.sessions += 1
        # A day that is still being filled, and silent, lowers the coverage (E37), and so does the
        # day of a first position (E86).
        is_first = step.before is None and step.close is not None
        if step.flow is None and (step.lacks_flow or step.is_preliminary or is_first):
            week.sessions_without_flow += 1
    if step.close is not None:
        week.change += step.close - (step.open or ZERO)
        week.has_position = True
        week.is_known = week.is_known and step.is_known


def _structural(step: Step, previous: dt.date | None, reference: Reference) -> Decimal:
    """Return the part of a day's flow that only changed vehicles (E18)."""
    since = previous or step.day - WEEK
    actions = reference.of(step.fund, "structural")
    return sum((each.amount_usd for each in actions if since < each.day <= step.day), ZERO)


def _newest(source: Source, chains: list[list[Step]]) -> dict[str, dt.date]:
    """Return the newest session, of the source or of the fund's own file (E37)."""
    newest: dict[str, dt.date] = {}
    for step in (each for chain in chains for each in chain if each.is_session):
        scope = "" if source.has_all_funds else step.label
        newest[scope] = max(step.day, newest.get(scope, step.day))
    return newest


def _lacking(
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


def _count_lacking(weeks: list[FundWeek], lacking: Mapping[dt.date, dt.date], owner: Owner) -> None:
    """Count a session without a usable row as one without a known flow, in a week that has any."""
    for day, week in lacking.items():
        for each in (each for each in weeks if each.sessions):
            if (each.week, each.owner) == (week, owner(each.fund, day)):
                each.sessions += 1
                each.sessions_without_flow += 1
