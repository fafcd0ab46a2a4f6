"""A fund's printed week: it is the week, whatever days stand beside it (E115)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tests.oracle.amounts import ZERO, added, cents
from tests.oracle.observed import Observation
from tests.oracle.reference import UNMAPPED, Reference
from tests.oracle.reported import precise
from tests.oracle.weeks import FundWeek, Since


@dataclass(frozen=True, slots=True)
class StatedWeek:
    """The flow of a fund's week as printed; None for a dash."""

    label: str
    fund: str
    week: dt.date
    last_day: dt.date
    flow: Decimal | None
    half_unit: Decimal | None
    is_preliminary: bool

    @property
    def who(self) -> str:
        """The fund, or its label where no reference row names it."""
        return self.label if self.fund == UNMAPPED else self.fund


def stated_weeks(money: Iterable[Observation], reference: Reference) -> list[StatedWeek]:
    """Return the printed weeks of the funds of a source."""
    grouped: dict[tuple[dt.date, str, str], list[Observation]] = defaultdict(list)
    for each in money:
        if (each.dimension, each.measure, each.period) == ("fund", "net_flow", "week"):
            fund = reference.member("fund", each.label, each.period_end)
            who = each.label if fund == UNMAPPED else fund
            grouped[each.week_ending, fund, who].append(each)
    return [
        StatedWeek(
            label=min(each.label for each in printed),
            fund=fund,
            week=week,
            last_day=max(each.period_end for each in printed),
            flow=precise(printed, lambda _: True),
            half_unit=min(
                (
                    each.half_unit
                    for each in printed
                    if each.value is not None and each.half_unit is not None
                ),
                default=None,
            ),
            is_preliminary=any(each.is_preliminary for each in printed),
        )
        for (week, fund, _), printed in grouped.items()
    ]


def with_stated(weeks: list[FundWeek], stated: list[StatedWeek], since: Since) -> list[FundWeek]:
    """Return the weeks of days, with the flow of the printed week where there is one."""
    found = list(weeks)
    for each in stated:
        own = [
            week
            for week in found
            if (week.label if week.fund == UNMAPPED else week.fund, week.week)
            == (each.who, each.week)
        ]
        if not own:
            now = since(each.fund, each.last_day)
            own = [FundWeek(each.label, each.fund, each.week, now, is_weekly=True)]
            found += own
        last = max(week.since for week in own)
        for week in own:
            flow = each.flow if week.since == last or each.flow is None else ZERO
            _state(week, flow, each)
    return found


def _state(week: FundWeek, flow: Decimal | None, stated: StatedWeek) -> None:
    week.flows, week.is_printed = [flow], True
    is_here = flow is stated.flow
    unit = None if stated.half_unit is None else cents(stated.half_unit)
    week.half_units = [unit if is_here or unit is None else ZERO]
    week.step_flows = [flow]
    week.methods, week.seed = {"printed"}, ZERO
    week.sessions = 1
    week.sessions_without_flow = int(flow is None)
    week.is_known = flow is not None
    if week.open == 0 and week.universe and flow is not None and week.close is not None:
        # What enters brings its AUM along, less what flowed into it.
        week.universe = cents(week.close - flow - (added([week.corporate]) or ZERO))
    week.status = "partial" if flow is None else "final"
    if stated.is_preliminary:
        week.status = "preliminary"
