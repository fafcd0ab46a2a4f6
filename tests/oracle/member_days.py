"""Days that a source prints by asset, issuer or country, not by fund, summed to weeks (E114)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from tests.oracle.amounts import added
from tests.oracle.observed import Observation
from tests.oracle.reference import UNMAPPED, Reference
from tests.oracle.reported import ReportedWeek, flow_of_day, precise

AXES = ("asset", "issuer", "country")
Key = tuple[str, str, str]
"""Dimension, label, member."""


@dataclass(frozen=True, slots=True)
class MemberDay:
    """A printed label on a day; or the total of one breakdown, where none is printed."""

    day: dt.date
    week: dt.date
    dimension: str
    label: str
    member: str
    flow: Decimal | None
    half_unit: Decimal | None
    aum: Decimal | None
    aum_half_unit: Decimal | None
    is_preliminary: bool
    is_complete: bool
    is_derived: bool = False


def member_days(
    money: Iterable[Observation], reference: Reference, weeks_of_funds: Collection[dt.date]
) -> list[MemberDay]:
    """Return the days, of weeks of which neither the week nor any fund is printed."""
    said = list(money)
    elsewhere = {each.week_ending for each in said if each.period == "week"} | set(weeks_of_funds)
    cells: dict[tuple[dt.date, Key], list[Observation]] = defaultdict(list)
    for each in said:
        if each.period in ("day", "close") and each.week_ending not in elsewhere:
            member = reference.member(each.dimension, each.label, each.period_end)
            cells[each.period_end, (each.dimension, each.label, member)].append(each)
    days = [_day(day, key, printed) for (day, key), printed in cells.items()]
    return [*days, *_totals(days)]


def _day(day: dt.date, key: Key, printed: list[Observation]) -> MemberDay:
    flow = precise(printed, flow_of_day)

    def half_unit(measure: str) -> Decimal | None:
        units = [each.half_unit for each in printed if each.measure == measure]
        return min((each for each in units if each is not None), default=None)

    return MemberDay(
        day,
        printed[0].week_ending,
        *key,
        flow=flow,
        half_unit=half_unit("net_flow"),
        aum=precise(printed, lambda each: each.measure == "aum"),
        aum_half_unit=half_unit("aum"),
        is_preliminary=any(each.is_preliminary for each in printed),
        is_complete=flow is not None,
    )


def _totals(days: list[MemberDay]) -> list[MemberDay]:
    """Return the sum of assets, else of issuers, else of countries, on days without a total."""
    printed = {each.day for each in days if each.dimension == "total"}
    totals = []
    for week in {each.week for each in days}:
        own = [each for each in days if each.week == week and each.day not in printed]
        axis = next((axis for axis in AXES if any(each.dimension == axis for each in own)), None)
        by_day: dict[dt.date, list[MemberDay]] = defaultdict(list)
        for each in own:
            if each.dimension == axis:
                by_day[each.day].append(each)
        most = max(map(len, by_day.values()), default=0)
        totals += [_total(parts, is_whole=len(parts) == most) for parts in by_day.values()]
    return totals


def _total(parts: list[MemberDay], *, is_whole: bool) -> MemberDay:
    has_aum = is_whole and all(each.aum is not None for each in parts)
    return MemberDay(
        parts[0].day,
        parts[0].week,
        "total",
        "total",
        "total",
        flow=added(each.flow for each in parts),
        half_unit=added(each.half_unit for each in parts),
        aum=added(each.aum for each in parts) if has_aum else None,
        aum_half_unit=added(each.aum_half_unit for each in parts),
        is_preliminary=any(each.is_preliminary for each in parts),
        # What is unmapped may be there already, under another name (E103).
        is_complete=is_whole
        and all(each.is_complete and each.member != UNMAPPED for each in parts),
        is_derived=True,
    )


def weeks_of_days(days: list[MemberDay]) -> list[ReportedWeek]:
    """Return the weeks that the days make, as reported ones."""
    grouped: dict[tuple[dt.date, Key, bool], list[MemberDay]] = defaultdict(list)
    for each in days:
        key = each.dimension, each.label, each.member
        grouped[each.week, key, each.is_derived].append(each)
    newest = max((each.day for each in days), default=dt.date.min)
    found = []
    for (week, (dimension, label, member), is_derived), own in grouped.items():
        sessions = {each.day for each in days if each.week == week}
        with_aum = [each for each in own if each.aum is not None]
        with_unit = [each for each in own if each.aum_half_unit is not None]
        found.append(
            ReportedWeek(
                week=week,
                dimension=dimension,
                label=label,
                member=member,
                flow=added(each.flow for each in own),
                flow_half_unit=added(each.half_unit for each in own),
                mtd=None,
                ytd=None,
                aum=max(with_aum, key=lambda each: each.day).aum if with_aum else None,
                aum_half_unit=max(with_unit, key=lambda each: each.day).aum_half_unit
                if with_unit
                else None,
                is_preliminary=week > newest or any(each.is_preliminary for each in own),
                is_partial=len(own) < len(sessions) or not all(each.is_complete for each in own),
                is_derived=is_derived,
            )
        )
    return found
