"""Laws that hold whatever the numbers are: the same reports told in another way.

Pairs of sources about the same funds stand in one build; every row of the four marts is held
against its twin. No oracle is asked.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.bridge_world import BridgeWorld
from tests.oracle import seam
from tests.oracle.compare import KEYS
from tests.oracle.fund_worlds import fund_worlds
from tests.oracle.observed import Observation, observations, select_all
from tests.oracle.page import page_layout
from tests.oracle.weekly_worlds import weekly_worlds
from tests.oracle.worlds import Report, World

Record = Callable[[str, object], None]
Row = dict[str, Any]
PAIRS = 12
MONEY = ("flow", "nav", "aum", "close")
TEN = Decimal(10)
A_DAY = Decimal("0.06")
"""By how much ten times a rounded cent and the rounded ten times differ at most."""
CERTAINTY = {"partial": 0, "preliminary": 1, "final": 2}


def told_again(world: World, name: str, reports: list[Report]) -> World:
    """Return another source about the funds of a world."""
    return replace(world, name=name, references=[], reports=reports)


def by_fund(report: Report) -> list[Report]:
    """Return a report's rows as a report each fund."""
    header, *lines = report.text.splitlines()
    funds: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        label = line.split(",")[1]
        funds[label.removesuffix("X")].append(line)
    return [replace(report, text="\n".join([header, *each])) for each in funds.values()]


def tenfold(report: Report) -> Report:
    """Return a report with ten times the money."""
    header, *lines = (line.split(",") for line in report.text.splitlines())
    scaled = [
        [
            f"{Decimal(cell) * TEN:f}" if name in MONEY and cell else cell
            for name, cell in zip(header, line, strict=False)
        ]
        for line in lines
    ]
    return replace(report, text="\n".join(",".join(line) for line in [header, *scaled]))


def page(chance: Random, name: str) -> tuple[World, World]:
    """Return a page that adds up, and the same one without one cell that is not a fund's first."""
    labels = [f"{name}{letter}".upper() for letter in "abc"]
    days = [dt.date(2025, 3, 3) + dt.timedelta(days=each) for each in range(12)]
    days = [each for each in days if each.isoweekday() < 6]
    cells = {(day, label): chance.randint(-900, 900) for day in days for label in labels}
    hole = chance.choice(days[1:]), chance.choice(labels)
    world = World(name, {"layouts": [page_layout()]})
    for label in labels:
        fund = f"{label.lower()}-us"
        identity = {"kind": "ticker", "identifier": label, "valid_from": "1900-01-01"}
        world.references += [
            ("fund", {**FUND, "fund": fund, "fund_name": label}),
            ("fund_identifier", {"fund": fund, **identity}),
            ("fund_issuer", {"fund": fund, "issuer": "north", "valid_from": "1900-01-01"}),
        ]

    def text(without: tuple[dt.date, str] | None) -> str:
        lines = [",".join(["Date", *labels, "Total"])]
        for day in days:
            shown = ["-" if (day, each) == without else _m(cells[day, each]) for each in labels]
            lines.append(",".join([str(day), *shown, _m(sum(cells[day, each] for each in labels))]))
        return "\n".join(lines)

    clock = dt.datetime(2025, 3, 20, tzinfo=dt.UTC)
    world.reports.append(Report(text(None), "USD", clock))
    return world, told_again(world, f"{name}hole", [Report(text(hole), "USD", clock)])


FUND = {
    "asset": "BTC",
    "currency": "USD",
    "listing_country": "US",
    "product_type": "spot_etf",
    "leverage": 1,
    "direction": 1,
    "is_hedged": False,
    "underlying_currency": "USD",
}


def _m(tenths: int) -> str:
    return f"{Decimal(tenths) / 10:.1f}"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build every pair: `x` told once, and again as `xagain`, `xlater`, `xtenfold`, `xhole`."""
    built = BridgeWorld(tmp_path_factory.mktemp("laws"))
    seam.fill(built, weekly_worlds("laws", PAIRS))
    for world in fund_worlds("split", PAIRS):
        single = replace(world, attributes={**world.attributes, "report_covers": "one fund"})
        seam.put(built, single)
        reports = [part for report in single.reports for part in by_fund(report)]
        seam.put(built, told_again(single, f"{single.name}again", reports))
    for world in fund_worlds("order", PAIRS):
        seam.put(built, replace(world, reports=[]))
        seam.arrive(built, world, world.reports)
        seam.arrive(built, replace(world, name=f"{world.name}later"), world.reports[::-1])
    for world in fund_worlds("money", PAIRS):
        seam.put(built, world)
        reports = [tenfold(each) for each in world.reports]
        seam.put(built, told_again(world, f"{world.name}tenfold", reports))
    for number in range(PAIRS):
        for world in page(Random(f"page{number}"), f"page{number}"):
            seam.put(built, world)
    return seam.publish(built)


def twins(database: Path, table: str, suffix: str) -> list[tuple[Row, Row]]:
    """Return the rows of a table twice told; both have the same keys."""
    rows = select_all(database, table)
    key = [name for name in KEYS[table] if name != "source"]
    again = {
        (row["source"].removesuffix(suffix), *(row[name] for name in key)): row
        for row in rows
        if row["source"].endswith(suffix)
    }
    sources = {source for source, *_ in again}
    once = {
        (row["source"], *(row[name] for name in key)): row
        for row in rows
        if row["source"] in sources
    }
    assert once.keys() == again.keys()
    return [(once[each], again[each]) for each in once]


@pytest.mark.parametrize("suffix", ["again", "later"])
def test_splitting_by_fund_and_order_of_arrival_change_nothing(
    database: Path, record_property: Record, suffix: str
) -> None:
    count = 0
    for table in KEYS:
        for once, again in twins(database, table, suffix):
            assert {**again, "source": once["source"]} == once
            count += 1
    record_property("rows", count)
    print(f"{suffix}: {count} rows are the same")
    assert count > 500


def test_ten_times_the_money_is_ten_times_every_flow(
    database: Path, record_property: Record
) -> None:
    days: dict[str, int] = defaultdict(int)
    for each in observations(database):
        days[each.source] += 1
    count = 0
    for table in ("mart.flows", "mart.fund_bridge"):
        for once, tenfold_ in twins(database, table, "tenfold"):
            names = ("net_flow_usd", "market_effect_usd") if "bridge" in table else FLOWS
            for name in names:
                one, ten = once[name], tenfold_[name]
                assert (one is None) == (ten is None)
                if one is not None:
                    assert abs(ten - TEN * one) <= A_DAY * days[once["source"]], (name, once)
                    count += 1
    record_property("amounts", count)
    print(f"tenfold: {count} amounts")
    assert count > 500


FLOWS = ("net_flow_usd", "net_flow_ex_seed_usd", "exposure_flow_usd")


def test_a_page_without_a_cell_is_nowhere_more_certain(
    database: Path, record_property: Record
) -> None:
    count, lower = 0, 0
    for table in ("mart.flows", "mart.period_flows"):
        for whole, without in twins(database, table, "hole"):
            assert CERTAINTY[without["status"]] <= CERTAINTY[whole["status"]]
            assert without.get("coverage", 0) <= whole.get("coverage", 0)
            known = [name for name, value in whole.items() if value is None]
            assert all(without[name] is None for name in known)
            lower += CERTAINTY[without["status"]] < CERTAINTY[whole["status"]]
            count += 1
    record_property("rows", count)
    print(f"hole: {count} rows, {lower} less certain")
    assert lower >= PAIRS


def test_the_sum_over_a_dimension_is_its_total(database: Path, record_property: Record) -> None:
    """Exactly where we add funds; within the hard bound of rounding where members are printed."""
    rows = select_all(database, "mart.flows")
    totals = {(row["source"], row["week_ending"]): row for row in rows if row["member"] == "total"}
    bounds = hard_bounds(observations(database))
    sums: dict[tuple[str, dt.date, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        key = row["source"], row["week_ending"], row["dimension"]
        sums[key] += row["net_flow_usd"] or 0
    exact, bounded = 0, 0
    for (source, week, dimension), added in sums.items():
        total = totals.get((source, week))
        if total is None or total["net_flow_usd"] is None or dimension in ("fund", "country"):
            continue
        if total["basis"] == "sum of funds":
            assert added == total["net_flow_usd"], (source, week, dimension)
            exact += 1
        elif (source, week, dimension) in bounds:
            bound = bounds[source, week, dimension]
            assert abs(added - total["net_flow_usd"]) <= bound, (source, week, dimension)
            bounded += 1
    record_property("sums", {"exact": exact, "within the bound": bounded})
    print(f"sums: {exact} exact, {bounded} within the bound of rounding")
    assert exact > 500
    assert bounded > 50


def hard_bounds(said: list[Observation]) -> dict[tuple[str, dt.date, str], Decimal]:
    """Return half of the last digits of an axis's members and of the finest total (F9)."""
    weeks = [
        each
        for each in said
        if each.measure == "net_flow" and each.period == "week" and each.half_unit is not None
    ]
    finest: dict[tuple[str, dt.date], Decimal] = {}
    for each in (each for each in weeks if each.dimension == "total"):
        key = each.source, each.week_ending
        finest[key] = min(each.half_unit or Decimal(0), finest.get(key, Decimal("Infinity")))
    bounds: dict[tuple[str, dt.date, str], Decimal] = defaultdict(Decimal)
    for each in (each for each in weeks if each.dimension != "total"):
        bounds[each.source, each.week_ending, each.dimension] += each.half_unit or Decimal(0)
    return {
        (source, week, dimension): bound + finest[source, week]
        for (source, week, dimension), bound in bounds.items()
        if (source, week) in finest
    }
