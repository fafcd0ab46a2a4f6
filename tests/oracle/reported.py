"""Weeks that a source prints by member: flow of the week and to date, and AUM.

Of a number printed in several tables of a report the one with the most digits stands, then that of
the first table by name.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from tests.oracle.amounts import added, cents
from tests.oracle.observed import Observation
from tests.oracle.reference import Reference


@dataclass(frozen=True, slots=True)
class ReportedWeek:
    """A printed label in a printed week."""

    week: dt.date
    dimension: str
    label: str
    member: str
    flow: Decimal | None
    flow_half_unit: Decimal | None
    mtd: Decimal | None
    ytd: Decimal | None
    aum: Decimal | None
    aum_half_unit: Decimal | None
    is_preliminary: bool
    is_partial: bool = False
    is_derived: bool = False


@dataclass(frozen=True, slots=True)
class Remainder:
    """What the printed members of an axis leave of the printed total, beyond rounding (E49)."""

    week: dt.date
    dimension: str
    amount: Decimal
    bound: Decimal
    is_preliminary: bool


def reported_weeks(money: Iterable[Observation], reference: Reference) -> list[ReportedWeek]:
    """Return the labels of every week of which a source prints the week itself, from dollars."""
    said = list(money)
    printed = {each.week_ending for each in said if each.period == "week"}
    grouped: dict[tuple[dt.date, str, str, str], list[Observation]] = defaultdict(list)
    for each in said:
        if each.week_ending in printed:
            member = reference.member(each.dimension, each.label, each.period_end)
            grouped[each.week_ending, each.dimension, each.label, member].append(each)
    return [_reported(*key, cells) for key, cells in grouped.items()]


def _reported(
    week: dt.date, dimension: str, label: str, member: str, cells: list[Observation]
) -> ReportedWeek:
    def flow(period: str) -> Callable[[Observation], bool]:
        return lambda each: each.measure == "net_flow" and each.period == period

    def is_aum(each: Observation) -> bool:
        return each.measure == "aum"

    return ReportedWeek(
        week=week,
        dimension=dimension,
        label=label,
        member=member,
        flow=precise(cells, flow("week")),
        flow_half_unit=_half_unit(cells, flow("week")),
        mtd=precise(cells, flow("mtd")),
        ytd=precise(cells, flow("ytd")),
        aum=precise(cells, is_aum),
        aum_half_unit=_half_unit(cells, is_aum),
        is_preliminary=any(each.is_preliminary for each in cells),
    )


def precise(cells: list[Observation], wanted: Callable[[Observation], bool]) -> Decimal | None:
    """Return the number with the most digits, then of the first table by name."""
    known = [each for each in cells if wanted(each) and each.value is not None]
    if not known:
        return None
    best = min(known, key=lambda each: (*_digits(each), each.printed_table, each.period))
    return cents(best.value or Decimal(0))


def flow_of_day(each: Observation) -> bool:
    """Whether it is a flow, and no zero in a row that is still being filled (E07, E37)."""
    return each.measure == "net_flow" and not (each.value == 0 and each.is_preliminary)


def _digits(each: Observation) -> tuple[bool, Decimal]:
    return each.half_unit is None, each.half_unit or Decimal(0)


def _half_unit(cells: list[Observation], wanted: Callable[[Observation], bool]) -> Decimal | None:
    units = [each.half_unit for each in cells if wanted(each) and each.value is not None]
    known = [cents(each) for each in units if each is not None]
    return min(known, default=None)


def remainders(weeks: list[ReportedWeek]) -> list[Remainder]:
    """Return what rounding cannot explain of each axis and week (E49, F9)."""
    found = []
    for week in sorted({each.week for each in weeks}):
        known = [each for each in weeks if each.week == week and each.flow is not None]
        totals = [each for each in known if each.dimension == "total"]
        if not totals:
            continue
        total = min(
            totals,
            key=lambda each: (
                each.flow_half_unit is None,
                each.flow_half_unit or Decimal(0),
                each.label,
            ),
        )
        for axis in ("asset", "issuer", "country"):
            members = [each for each in known if each.dimension == axis]
            left = (total.flow or Decimal(0)) - (added(each.flow for each in members) or 0)
            units = [*(each.flow_half_unit for each in members), total.flow_half_unit]
            most = added(units) or Decimal(0)
            if members and abs(left) > most:
                is_preliminary = any(each.is_preliminary for each in members)
                found.append(Remainder(week, axis, left, most, is_preliminary))
    return found
