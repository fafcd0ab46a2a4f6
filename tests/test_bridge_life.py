"""The life of funds: spin-offs, conversions, launches, closures, mergers, structural moves.

E13-E18 of METHODOLOGY, rows in, mart rows out.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bridge_world import BridgeWorld, closes, day, effects, expected, m

pytestmark = pytest.mark.slow

Fill = Callable[[BridgeWorld], None]
EXAMPLES: list[Fill] = []


def example(fill: Fill) -> Fill:
    """Add an example to the world of this module."""
    EXAMPLES.append(fill)
    return fill


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    filled = BridgeWorld(tmp_path_factory.mktemp("life"))
    filled.fund("alpha-us")
    for fill in EXAMPLES:
        fill(filled)
    return filled.publish()


# -- E13: spin-off -------------------------------------------------------------------------------


@example
def _spin_off(world: BridgeWorld) -> None:
    world.report(
        "spin_positions",
        """
        date,fund,shares,nav
        2024-07-26,GBTC,400,50
        2024-07-30,GBTC,400,50
        2024-07-31,GBTC,400,45
        2024-07-31,BTC,400,5
        2024-08-02,GBTC,400,45
        2024-08-02,BTC,400,5
        """,
    )
    world.report(
        "spin_assets",
        """
        date,fund,nav,aum
        2024-07-26,GBTC,50,20000
        2024-07-30,GBTC,50,20000
        2024-07-31,GBTC,45,18000
        2024-07-31,BTC,5,2000
        2024-08-02,GBTC,45,18000
        2024-08-02,BTC,5,2000
        """,
    )
    world.report(
        "spin_printed",
        """
        date,fund,flow,aum
        2024-07-26,GBTC,0.0,20000
        2024-07-30,GBTC,0.0,20000
        2024-07-30,BTC,-,
        2024-07-31,GBTC,0.0,18000
        2024-07-31,BTC,18.0,2018
        2024-08-02,GBTC,0.0,18000
        2024-08-02,BTC,0.0,2018
        """,
    )


@pytest.mark.parametrize("name", ["spin_positions", "spin_assets"])
def test_e13_a_spin_off_moves_aum_and_is_no_flow(world: BridgeWorld, name: str) -> None:
    giver = world.bridge(name, "2024-08-02", "gbtc-us")
    taker = world.bridge(name, "2024-08-02", "btc-us")
    assert (giver["aum_open_usd"], giver["aum_close_usd"]) == (m(20_000), m(18_000))
    assert (taker["aum_open_usd"], taker["aum_close_usd"]) == (m(0), m(2_000))
    assert effects(giver) == expected(C=-2_000)
    assert effects(taker) == expected(C=2_000)
    for dimension, member in (("asset", "BTC"), ("issuer", "grayscale"), ("total", "total")):
        change = world.change(name, "2024-08-02", dimension, member)
        assert effects(change) == expected()


def test_e13_a_printed_creation_on_that_day_stays_the_flow(world: BridgeWorld) -> None:
    giver = world.bridge("spin_printed", "2024-08-02", "gbtc-us")
    taker = world.bridge("spin_printed", "2024-08-02", "btc-us")
    assert effects(giver) == expected(C=-2_000)
    assert effects(taker) == expected(F=18, C=2_000)
    assert effects(world.change("spin_printed", "2024-08-02")) == expected(F=18)
    assert world.flow("spin_printed", "2024-08-02")["net_flow_usd"] == m(18)


@example
def _falling_spin_off(world: BridgeWorld) -> None:
    world.report(
        "spin_falling",
        """
        date,fund,shares,nav
        2024-07-26,GBTC,400,50
        2024-07-30,GBTC,400,50
        2024-07-31,GBTC,400,44.1
        2024-07-31,BTC,400,4.9
        2024-08-02,GBTC,400,44.1
        2024-08-02,BTC,400,4.9
        """,
    )


def test_e13_the_market_of_the_day_is_no_flow_of_the_fund_that_is_spun_off(
    world: BridgeWorld,
) -> None:
    # Coins fall by 2% on the day: 18,000 -> 17,640 and 2,000 -> 1,960; nobody creates or redeems.
    flow = world.flow("spin_falling", "2024-08-02")
    assert (flow["net_flow_usd"], flow["net_flow_ex_seed_usd"]) == (0, 0)
    assert effects(world.change("spin_falling", "2024-08-02")) == expected(M=-400)


# -- E14: conversion -----------------------------------------------------------------------------


@example
def _conversion(world: BridgeWorld) -> None:
    world.report(
        "conversion",
        """
        date,fund,flow,aum
        2024-01-10,ALPHA,0.0,100
        2024-01-11,ALPHA,0.0,100
        2024-01-11,GBTC,-95.1,28000
        2024-01-12,ALPHA,0.0,100
        2024-01-12,GBTC,0.0,28000
        """,
    )
    world.report(
        "conversion_positions",
        """
        date,fund,shares,nav
        2024-01-11,GBTC,700,40
        2024-01-12,GBTC,690,40
        """,
    )


def test_e14_a_converted_fund_enters_by_universe_not_by_flow(world: BridgeWorld) -> None:
    row = world.bridge("conversion", "2024-01-12", "gbtc-us")
    assert effects(row) == expected(F="-95.1", U="28095.1")
    assert row["seed_flow_usd"] == 0
    flow = world.flow("conversion", "2024-01-12")
    assert flow["net_flow_usd"] == flow["net_flow_ex_seed_usd"] == m("-95.1")
    assert effects(world.bridge("conversion_positions", "2024-01-12")) == expected(F=-400, U=28_000)


# -- E15: launch with seed -----------------------------------------------------------------------


@example
def _launch(world: BridgeWorld) -> None:
    world.fund("seeded-hk")
    world.action("launch", "2024-04-30", "seeded-hk")
    world.report(
        "seed",
        """
        date,fund,shares,nav
        2024-04-26,ALPHA,1,100
        2024-04-30,ALPHA,1,100
        2024-04-30,SEEDED,285,1
        2024-05-02,ALPHA,1,100
        2024-05-02,SEEDED,307,1
        2024-05-03,ALPHA,1,100
        2024-05-03,SEEDED,307,1
        """,
    )
    world.fund("saturday-us")
    world.action("launch", "2024-04-27", "saturday-us")
    world.report(
        "seed_on_a_saturday",
        """
        date,fund,shares,nav
        2024-04-26,ALPHA,1,100
        2024-04-29,ALPHA,1,100
        2024-04-29,SATURDAY,10,1
        2024-05-03,ALPHA,1,100
        2024-05-03,SATURDAY,10,1
        """,
    )


def test_e15_a_launch_is_a_flow_with_and_without_its_seed(world: BridgeWorld) -> None:
    flow = world.flow("seed", "2024-05-03")
    assert (flow["net_flow_usd"], flow["net_flow_ex_seed_usd"]) == (m(307), m(22))
    assert world.flow("seed", "2024-05-03", "country", "HK")["net_flow_ex_seed_usd"] == m(22)
    row = world.bridge("seed", "2024-05-03", "seeded-hk")
    assert (row["seed_flow_usd"], effects(row)) == (m(285), expected(F=307))


def test_e15_a_launch_on_a_day_without_a_row_counts_on_the_first_day(world: BridgeWorld) -> None:
    row = world.bridge("seed_on_a_saturday", "2024-05-03", "saturday-us")
    assert (row["seed_flow_usd"], effects(row)) == (m(10), expected(F=10))


# -- E16: closure --------------------------------------------------------------------------------


@example
def _closure(world: BridgeWorld) -> None:
    world.fund("efut-us", closed_date="2024-09-16")
    world.action("closure", "2024-09-23", "efut-us")
    world.report(
        "closure",
        """
        date,fund,shares,nav
        2024-09-13,ALPHA,1,100
        2024-09-13,EFUT,2,20
        2024-09-16,ALPHA,1,100
        2024-09-16,EFUT,1.5,20
        2024-09-20,ALPHA,1,100
        2024-09-27,ALPHA,1,100
        2024-10-04,ALPHA,1,100
        """,
    )
    world.fund("gone-us")
    world.report(
        "silent_end",
        """
        date,fund,shares,nav
        2024-09-13,ALPHA,1,100
        2024-09-13,GONE,2,20
        2024-09-20,ALPHA,1,100
        2024-09-27,ALPHA,1,100
        """,
    )


def test_e16_the_last_flow_of_a_closed_fund_is_its_last_aum(world: BridgeWorld) -> None:
    first = world.bridge("closure", "2024-09-20", "efut-us")
    assert effects(first) == expected(F=-10)
    last = world.bridge("closure", "2024-09-27", "efut-us")
    assert last["aum_open_usd"] == m(30)
    assert effects(last) == expected(F=-30)
    assert last["aum_close_usd"] == 0
    assert world.flow("closure", "2024-09-27")["net_flow_usd"] == m(-30)
    later = "from mart.flows where source = 'closure' and member = 'efut-us' and week_ending > ?"
    assert world.rows(later, day("2024-09-27")) == []
    day_of = world.rows("select trade_date from core.flow_day where net_flow_usd = -30000000")
    assert {row["trade_date"] for row in day_of} == {day("2024-09-23")}


def test_e16_a_fund_that_only_falls_silent_leaves_by_universe(world: BridgeWorld) -> None:
    row = world.bridge("silent_end", "2024-09-20", "gone-us")
    assert effects(row) == {**expected(U=-40), "net_flow": row["net_flow_usd"]}
    assert not row["net_flow_usd"]
    assert effects(world.change("silent_end", "2024-09-20")) == expected(U=-40)


# -- E17: merger ---------------------------------------------------------------------------------


@example
def _merger(world: BridgeWorld) -> None:
    world.fund("target-us")
    world.fund("absorbed-us", issuer="vaneck")
    world.action("merger", "2025-03-05", "absorbed-us", counterpart="target-us", fraction="1")
    world.report(
        "merger",
        """
        date,fund,nav,aum
        2025-02-28,TARGET,10,1000
        2025-02-28,ABSORBED,30,300
        2025-03-04,TARGET,10,1000
        2025-03-04,ABSORBED,30,300
        2025-03-05,TARGET,10.1,1310
        2025-03-07,TARGET,10.1,1310
        """,
    )
    world.report(
        "merger_weekly",
        """
        date,fund,nav,aum
        2025-02-28,TARGET,10,1000
        2025-02-28,ABSORBED,30,300
        2025-03-07,TARGET,10.1,1310
        """,
    )
    world.report(
        "merger_positions",
        """
        date,fund,shares,nav
        2025-02-28,TARGET,100,10
        2025-02-28,ABSORBED,10,30
        2025-03-05,TARGET,130,10
        2025-03-07,TARGET,130,10
        """,
    )


@pytest.mark.parametrize("name", ["merger", "merger_weekly"])
def test_e17_a_merger_is_no_flow_on_either_side(world: BridgeWorld, name: str) -> None:
    target = world.bridge(name, "2025-03-07", "target-us")
    absorbed = world.bridge(name, "2025-03-07", "absorbed-us")
    assert effects(target) == expected(M=10, C=300)
    assert {**effects(absorbed), "net_flow": m(0)} == expected(C=-300)
    assert not absorbed["net_flow_usd"]
    assert absorbed["aum_close_usd"] == 0
    assert effects(world.change(name, "2025-03-07")) == expected(M=10)
    assert world.flow(name, "2025-03-07")["net_flow_usd"] == 0


def test_e17_shares_issued_to_the_absorbed_holders_are_no_creation(world: BridgeWorld) -> None:
    target = world.bridge("merger_positions", "2025-03-07", "target-us")
    assert effects(target) == expected(C=300)


# -- E18: structural -----------------------------------------------------------------------------


@example
def _structural(world: BridgeWorld) -> None:
    world.fund("vantage-us")
    world.action("structural", "2016-10-19", "vantage-us", amount_usd="-11700000000")
    world.fund("vantagew-us")
    world.action("structural", "2016-10-19", "vantagew-us", amount_usd="-11700000000")
    world.report(
        "structural",
        """
        date,fund,flow
        2016-10-14,VANTAGE,0.0
        2016-10-14,ALPHA,0.0
        2016-10-19,VANTAGE,-11700
        2016-10-19,ALPHA,-4900
        """,
    )
    world.report(
        "structural_weekly",
        """
        date,fund,flow
        2016-10-14,VANTAGEW,0.0
        2016-10-14,ALPHA,0.0
        2016-10-21,VANTAGEW,-11700
        2016-10-21,ALPHA,-4900
        """,
    )


@pytest.mark.parametrize("name", ["structural", "structural_weekly"])
def test_e18_headline_and_underlying_flow_of_a_structural_switch(
    world: BridgeWorld, name: str
) -> None:
    flow = world.flow(name, "2016-10-21")
    assert flow["net_flow_usd"] == m(-16_600)
    assert flow["net_flow_ex_structural_usd"] == m(-4_900)
    assert flow["net_flow_ex_seed_usd"] == m(-16_600)


@example
def _ends_and_returns(world: BridgeWorld) -> None:
    world.fund("shut-us")
    world.action("closure", "2025-03-05", "shut-us")
    world.report(
        "printed_to_the_end",
        """
        date,fund,shares,nav
        2025-02-28,SHUT,10,10
        2025-02-28,ALPHA,10,10
        2025-03-05,SHUT,10,10
        2025-03-05,ALPHA,10,10
        2025-03-07,ALPHA,10,10
        2025-03-14,ALPHA,10,10
        """,
    )
    world.fund("back-us")
    world.report(
        "comes_back",
        """
        date,fund,shares,nav
        2025-02-28,BACK,10,10
        2025-02-28,ALPHA,10,10
        2025-03-07,ALPHA,10,10
        2025-03-14,ALPHA,10,10
        2025-03-21,ALPHA,10,10
        2025-03-21,BACK,12,11
        """,
    )


def test_e16_a_fund_printed_up_to_its_liquidation_date_ends_by_flow(world: BridgeWorld) -> None:
    flows = world.rows(
        "select net_flow_usd from core.flow_day where source = 'printed_to_the_end' "
        "and dimension = 'total' and net_flow_usd <> 0"
    )
    assert [row["net_flow_usd"] for row in flows] == [m(-100)]


def test_e113_a_fund_that_printed_nothing_for_weeks_opens_at_its_last_position(
    world: BridgeWorld,
) -> None:
    away = world.change("comes_back", "2025-03-07")
    assert (away["status"], away["market_effect_usd"], away["universe_effect_usd"]) == (
        "partial",
        None,
        0,
    )
    assert effects(world.change("comes_back", "2025-03-21")) == expected(F=22, M=10)


@pytest.mark.parametrize(
    ("kind", "effective", "amounts"),
    [
        ("closure", "2024-09-23", expected(F=-30)),
        ("closure", "2024-09-21", expected(F=-30)),
        ("merger", "2024-09-23", expected(C=-30)),
        (None, None, expected(U=-30)),
    ],
)
def test_e16_e17_dashes_after_the_end_of_a_fund_change_nothing(
    tmp_path: Path, kind: str | None, effective: str | None, amounts: dict[str, Decimal]
) -> None:
    world = BridgeWorld(tmp_path)
    world.fund("alpha-us")
    world.fund("efut-us")
    if kind and effective:
        merged = {"counterpart": "alpha-us", "fraction": "1"} if kind == "merger" else {}
        world.action(kind, effective, "efut-us", **merged)
    world.report(
        "dashes",
        """
        date,fund,shares,nav
        2024-09-13,ALPHA,1,100
        2024-09-13,EFUT,1.5,20
        2024-09-20,ALPHA,1,100
        2024-09-20,EFUT,1.5,20
        2024-09-23,ALPHA,1,100
        2024-09-23,EFUT,-,-
        2024-09-27,ALPHA,1,100
        2024-09-27,EFUT,-,-
        2024-10-04,ALPHA,1,100
        2024-10-04,EFUT,-,-
        """,
    )
    world.publish()
    ended = world.bridge("dashes", "2024-09-27", "efut-us")
    assert {name: amount or 0 for name, amount in effects(ended).items()} == amounts
    assert ended["aum_close_usd"] == 0
    assert world.change("dashes", "2024-09-27")["status"] == "final"
    later = world.flow("dashes", "2024-10-04")
    assert (later["net_flow_usd"], later["funds"]) == (0, 1)


def test_f4_every_bridge_of_this_world_closes(world: BridgeWorld) -> None:
    for table in ("fund_bridge", "aum_change"):
        known = world.rows(f"from mart.{table} where market_effect_usd is not null")
        assert known
        assert [row for row in known if not closes(row)] == []
