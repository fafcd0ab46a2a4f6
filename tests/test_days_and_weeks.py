"""E114, E115: days by member reach every mart, and a printed week stands beside its days."""

from __future__ import annotations

from typing import Any

import pytest
from golden import declared

from pipelines.errors import LayoutError
from tests.bridge_world import BridgeWorld, closes, m
from tests.oracle.compare import compare, expected


def layout(dimension: str, keys: dict[str, Any], **numbers: Any) -> dict[str, Any]:
    header = list(keys)
    table = {
        "name": "rows",
        "header": header,
        "dimension": dimension,
        "totals": "none",
        "columns": {**keys, **numbers},
    }
    return {"name": "one", "container": "csv", "valid_from": "2018-12-01", "tables": [table]}


def flow(period: str) -> dict[str, Any]:
    return {"measure": "net_flow", "unit": "US$m", "period": period}


KEYS: dict[str, Any] = {"Date": {"key": "date"}, "Name": {"key": "label"}}
AUM = {"measure": "aum", "unit": "US$m"}
BY_ASSET = """
Date,Name,Flow,AUM
2019-01-03,Bitcoin,0,1000
2019-01-04,Bitcoin,5,1010
2019-01-07,Bitcoin,1,1012
2019-01-08,Bitcoin,2,1020
2019-01-11,Bitcoin,-4,1015
2019-01-03,Ethereum,0,500
2019-01-04,Ethereum,0,500
2019-01-07,Ethereum,-1,498
2019-01-08,Ethereum,0,497
2019-01-11,Ethereum,3,502
"""


SEVERAL = """
Date,Dim,Name,Flow
2019-01-10,class,Bitcoin,4
2019-01-10,class,Ethereum,-1
2019-01-10,manager,HouseA,2
2019-01-10,manager,HouseB,1
2019-01-11,class,Bitcoin,2
2019-01-11,class,Ethereum,0
2019-01-11,manager,HouseA,1
2019-01-11,manager,HouseB,1
2019-01-11,kind,ETF,99
"""
SCREENER = """
Date,Name,Day,Week,Year
2019-01-11,ZZA,12.50,40.00,55.00
2019-01-11,ZZB,-3.25,-,-7.50
"""
WEEKS = """
Date,Name,Week,AUM
2019-01-04,ZZA,1,100
2019-01-04,ZZB,2,50
2019-01-11,ZZA,5,110
2019-01-11,ZZB,-1,60
"""


def breakdowns() -> dict[str, Any]:
    """Return a layout of one grid with a table for each of two breakdowns."""
    numbers = {"Flow": flow("day"), "Dim": {"ignore": "which breakdown"}}
    by_class, by_manager = (
        {**layout(dimension, KEYS, **numbers)["tables"][0], "name": name, "where": {"Dim": name}}
        for dimension, name in (("asset", "class"), ("issuer", "manager"))
    )
    return {**layout("asset", KEYS, **numbers), "tables": [by_class, by_manager]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    filled = BridgeWorld(tmp_path_factory.mktemp("days"))
    for fund in ("zza-us", "zzb-us"):
        filled.fund(fund)
    days = layout("asset", KEYS, Flow=flow("day"), AUM=AUM)
    filled.report("by_asset", BY_ASSET, layouts=[days])
    gap = BY_ASSET.replace("2019-01-08,Ethereum,0,497\n", "")
    filled.report("gap", gap, layouts=[days])
    dash = BY_ASSET.replace("2019-01-08,Ethereum,0,497", "2019-01-08,Ethereum,-,497")
    filled.report("dash", dash, layouts=[days])
    filled.report("several", SEVERAL, layouts=[breakdowns()])
    periods = {"Day": flow("day"), "Week": flow("week"), "Year": flow("ytd")}
    filled.report("screener", SCREENER, layouts=[layout("fund", KEYS, **periods)])
    filled.report("weeks", WEEKS, layouts=[layout("fund", KEYS, Week=flow("week"), AUM=AUM)])
    filled.report("other", "date,fund,aum,flow\n2019-01-10,ZZA,9,0\n2019-01-11,ZZA,10,1")
    return filled.publish()


# -- E114 ------------------------------------------------------------------------------------------


def test_e114_days_by_asset_are_summed_to_weeks(world: BridgeWorld) -> None:
    week = "2019-01-11"
    assert world.flows("by_asset", week, "asset") == {"BTC": m(-1), "ETH": m(2)}
    assert world.flows("by_asset", week, "total") == {"total": m(1)}
    assert world.flow("by_asset", week)["status"] == "final"
    bitcoin = world.change("by_asset", week, "asset", "BTC")
    assert (bitcoin["aum_open_usd"], bitcoin["aum_close_usd"]) == (m(1010), m(1015))
    assert (bitcoin["net_flow_usd"], bitcoin["market_effect_usd"]) == (m(-1), m(6))
    assert world.change("by_asset", week)["aum_close_usd"] == m(1517)


def test_e114_and_to_date_as_days_are(world: BridgeWorld) -> None:
    rows = world.rows(
        "from mart.period_flows where source = 'by_asset' and week_ending = '2019-01-11'"
    )
    found = {row["member"]: row["mtd_net_flow_usd"] for row in rows}
    assert found == {"BTC": m(4), "ETH": m(2), "total": m(6)}


@pytest.mark.parametrize("source", ["gap", "dash"])
def test_e114_a_day_that_is_not_known_makes_the_week_partial(
    world: BridgeWorld, source: str
) -> None:
    statuses = {
        row["member"]: row["status"]
        for row in world.rows(
            "from mart.flows where source = ? and week_ending = '2019-01-11'", source
        )
    }
    assert statuses == {"BTC": "final", "ETH": "partial", "total": "partial"}


def test_e117_breakdowns_of_one_total_are_not_added(world: BridgeWorld) -> None:
    assert world.flows("several", "2019-01-11", "asset") == {"BTC": m(6), "ETH": m(-1)}
    assert world.flows("several", "2019-01-11", "issuer") == {"unmapped": m(5)}
    assert world.flows("several", "2019-01-11", "total") == {"total": m(5)}


def test_e114_a_source_that_would_reach_no_table_is_an_error_of_its_layout() -> None:
    columns = {**KEYS, "Flow": flow("ytd")}
    table = {"header": ["Date", "Name"], "dimension": "asset", "columns": columns}
    with pytest.raises(LayoutError, match="no number of the source reaches a table"):
        declared(table)
    assert declared({**table, "columns": {**columns, "AUM": AUM}})


# -- E115 ------------------------------------------------------------------------------------------


def test_e115_the_printed_week_is_the_week_and_the_day_is_kept(world: BridgeWorld) -> None:
    week = "2019-01-11"
    assert world.flows("screener", week, "fund") == {"zza-us": m(40), "zzb-us": None}
    total = world.flow("screener", week)
    assert (total["net_flow_usd"], total["status"]) == (m(40), "partial")
    kept = world.rows(
        "select label, value from core.observation "
        "where source = 'screener' and period = 'day' order by label"
    )
    assert [row["value"] for row in kept] == [m("12.5"), m("-3.25")]
    # One day of five makes no month to date.
    to_date = world.rows("from mart.period_flows where source = 'screener' and member = 'zza-us'")
    assert [row["mtd_net_flow_usd"] for row in to_date] == [None]
    assert [row["printed_ytd_net_flow_usd"] for row in to_date] == [m(55)]


def test_e115_no_other_source_is_stopped(world: BridgeWorld) -> None:
    assert world.flow("other", "2019-01-11")["net_flow_usd"] == m(1)


def test_e114_weeks_by_fund_reach_every_mart(world: BridgeWorld) -> None:
    week = "2019-01-11"
    assert world.flows("weeks", week, "total") == {"total": m(4)}
    assert world.flows("weeks", week, "asset") == {"BTC": m(4)}
    for fund, opened, flowed, market, closed in (
        ("zza-us", 100, 5, 5, 110),
        ("zzb-us", 50, -1, 11, 60),
    ):
        row = world.bridge("weeks", week, fund)
        assert (row["aum_open_usd"], row["net_flow_usd"]) == (m(opened), m(flowed))
        assert (row["market_effect_usd"], row["aum_close_usd"]) == (m(market), m(closed))
    assert world.change("weeks", week)["aum_close_usd"] == m(170)


def test_f4_every_bridge_closes(world: BridgeWorld) -> None:
    rows = world.rows("from mart.fund_bridge where market_effect_usd is not null")
    assert len(rows) > 4
    assert [row for row in rows if not closes(row)] == []


def test_every_row_of_these_worlds_is_that_of_the_oracle(world: BridgeWorld) -> None:
    database = world.warehouse.database
    found = compare(database, expected(database, world.reference))
    assert not [each for each in found.differences if each.fault is None], found.shown()
