"""A fund's week: AUM at both ends, every effect, and how far its flow is known.

A fund that changes its issuer, the firm behind it or its country within a week has a row for each
span: it takes its AUM along, out of one and into the other (E39, E84, E109).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.oracle import missing_days
from tests.oracle.amounts import ZERO, added, bound, plus
from tests.oracle.positions import FundDay, Ground
from tests.oracle.reference import UNMAPPED, Reference
from tests.oracle.steps import Step

WEEK = dt.timedelta(days=7)
MADE = ("shares", "assets", "closure")
"""Flows that positions make, over all days between them."""
Since = Callable[[str, dt.date], dt.date]
"""From which day on a fund is what it is on a day."""


@dataclass(slots=True)
class FundWeek:
    """A fund's week, or the part of it in which the fund is one thing."""

    label: str
    fund: str
    week: dt.date
    since: dt.date
    flows: list[Decimal | None] = field(default_factory=list)
    half_units: list[Decimal | None] = field(default_factory=list)
    """Of the flows: how far rounding in print can move each (F9)."""
    aum_half_unit: Decimal | None = None
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
    is_entered: bool = False
    is_known: bool = True
    is_preliminary: bool = False
    is_printed: bool = False
    status: str = "final"
    reason: str | None = None
    """Why something of the week is doubtful, if it is."""
    is_first: bool = False

    @property
    def holder(self) -> str:
        """The fund; of an unmapped one its label."""
        return self.label if self.fund == UNMAPPED else self.fund

    @property
    def flow(self) -> Decimal | None:
        """Flow of the reported days."""
        return added(self.flows)

    @property
    def flow_half_unit(self) -> Decimal | None:
        """How far rounding in print can move the flow; None of one that is computed."""
        return bound(zip(self.flows, self.half_units, strict=True))

    @property
    def bridge_flow(self) -> Decimal | None:
        """Flow between the positions; of the days, where an end is not known (E77)."""
        between = added(self.step_flows) if self.is_bridged else None
        return self.flow if between is None else between

    @property
    def is_bridged(self) -> bool:
        """Whether the AUM is known at both ends."""
        return self.open is not None and self.close is not None

    @property
    def market(self) -> Decimal | None:
        """What is left of the change; None if the flow of a day is unknown: never a guess."""
        if not (self.is_known and self.has_position and self.is_bridged):
            return None
        explained = added((self.bridge_flow, self.fx, self.corporate, self.universe))
        return self.change - (explained or ZERO)

    @property
    def null_reason(self) -> str | None:
        """Why flow or market effect is not known, the first that applies; None if they are."""
        if self.flow is not None and self.market is not None:
            return None
        if self.is_first and self.open is None and not self.is_printed:
            return "not read"
        if self.reason and not self.is_printed:
            return self.reason
        if self.is_first and self.sessions_without_flow and not self.is_printed:
            return "first week"
        return "no position" if self.flow is not None and not self.is_bridged else "flow unknown"

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
    since: Since,
) -> list[FundWeek]:
    """Return the weeks of every fund of a source."""
    newest = missing_days.newest(ground.source, chains)
    found: list[FundWeek] = []
    for steps, printed in zip(chains, days, strict=True):
        lacking = missing_days.lacking(ground.source, steps, printed, sessions)
        spanning = missing_days.spanning(ground.source, steps, printed, lacking)
        known = [
            replace(each, is_known=each.is_known and each.method in MADE)
            if each in spanning
            else each
            for each in steps
        ]
        weeks = _weeks_of(known, ground.reference, since, _closes(known, lacking))
        weeks += _absent(known, lacking, since)
        _count_lacking(weeks, lacking, since)
        for each in weeks:
            each.reason = missing_days.reason(each.week, printed, lacking, spanning)
            last = newest.get(each.label if not ground.source.has_all_funds else "")
            if each.is_preliminary or (last and each.week > last):
                each.status = "preliminary"
            elif (
                each.sessions_without_flow
                or each.week in lacking.values()
                or each.week in {step.week for step in spanning}
                or each.week in missing_days.doubtful(printed)
                or any(not day.is_usable and day.week == each.week for day in printed)
            ):
                each.status = "partial"
        found += weeks
    return found


def _closes(steps: list[Step], lacking: Mapping[dt.date, dt.date]) -> set[dt.date]:
    """Return the days whose AUM is a week's close: that of its last session, or none is (E77)."""
    last = dict(lacking)
    last |= {
        each.day: each.week
        for each in steps
        if each.is_session or each.close is not None or each.flow
    }
    ends = {week: max(day for day, its in last.items() if its == week) for week in last.values()}
    return set(ends.values()) & {each.day for each in steps if each.close is not None}


@dataclass(slots=True)
class _Ends:
    """The AUM at both ends of a week, each with the span and the day that it is of."""

    since_open: dt.date
    opened: Decimal | None
    open_day: dt.date | None
    since_close: dt.date
    closed: Decimal
    close_day: dt.date
    half_unit: Decimal | None = None


def _weeks_of(
    steps: list[Step], reference: Reference, since: Since, closes: set[dt.date]
) -> list[FundWeek]:
    weeks: dict[tuple[dt.date, dt.date], FundWeek] = {}

    def week_of(step: Step, first: dt.date) -> FundWeek:
        key = step.week, first
        if key not in weeks:
            weeks[key] = FundWeek(step.label, step.fund, step.week, first)
        return weeks[key]

    previous: dt.date | None = None
    in_order = sorted(steps, key=lambda each: each.day)
    for step in in_order:
        now = since(step.fund, step.day)
        then = since(step.fund, step.before) if step.before else now
        _add(week_of(step, now), step)
        if step.flow is not None:
            week_of(step, now).structural += reference.structural(
                step.fund, previous or step.day - WEEK, step.day
            )
        if step.close is not None and now != then:
            _hand_over(week_of(step, then), week_of(step, now), step)
        previous = step.day
    ends = _ends_of(in_order, since)
    for each in weeks.values():
        each.is_entered = bool(ends) and min(ends) <= each.week
        each.is_first = bool(ends) and min(ends) == each.week
        if each.week in ends:
            _bound(each, ends[each.week], closes)
    return list(weeks.values())


def _hand_over(gives: FundWeek, takes: FundWeek, step: Step) -> None:
    """Let a fund that becomes another one take its AUM along: out of one, into the other."""
    opened = step.open or ZERO
    for each, amount in ((gives, -opened), (takes, opened)):
        each.universe = plus(each.universe, amount)
        each.fx, each.corporate = plus(each.fx, ZERO), plus(each.corporate, ZERO)
        each.change += amount
        each.has_position = True
        each.is_weekly = each.is_weekly or step.is_weekly


def _ends_of(steps: list[Step], since: Since) -> dict[dt.date, _Ends]:
    ends: dict[dt.date, _Ends] = {}
    for step in steps:
        if step.close is None:
            continue
        now = since(step.fund, step.day)
        then = since(step.fund, step.before) if step.before else now
        opened = step.open
        end = ends.setdefault(
            step.week, _Ends(then, opened, step.before, now, step.close, step.day)
        )
        end.since_close, end.closed, end.close_day = now, step.close, step.day
        end.half_unit = step.aum_half_unit
    return ends


def _bound(week: FundWeek, ends: _Ends, closes: set[dt.date]) -> None:
    """Give a week its AUM at both ends, in the span that has it."""
    if ends.open_day is None or ends.open_day in closes:
        week.open = ends.opened if week.since == ends.since_open else ZERO
    if ends.close_day in closes:
        is_last = week.since == ends.since_close
        week.close = ends.closed if is_last else ZERO
        if ends.half_unit is not None:
            week.aum_half_unit = ends.half_unit if is_last else ZERO


def _add(week: FundWeek, step: Step) -> None:
    week.flows.append(step.flow)
    week.half_units.append(step.flow_half_unit)
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


def _count_lacking(weeks: list[FundWeek], lacking: Mapping[dt.date, dt.date], since: Since) -> None:
    """Count a session without a usable row as one without a known flow."""
    for day, week in lacking.items():
        for each in weeks:
            if (each.week, each.since) == (week, since(each.fund, day)):
                each.sessions += 1
                each.sessions_without_flow += 1


def _absent(steps: list[Step], lacking: Mapping[dt.date, dt.date], since: Since) -> list[FundWeek]:
    """Return the weeks without a row of a fund that is there before and after them (E113)."""
    if not steps:
        return []
    label, fund = steps[0].label, steps[0].fund
    own = {each.week for each in steps}
    first = min((each.week for each in steps if each.close is not None), default=dt.date.max)
    spans = {(week, since(fund, day)) for day, week in lacking.items() if week not in own}
    return [
        FundWeek(label, fund, week, start, is_entered=first <= week)
        for week, start in sorted(spans)
    ]
