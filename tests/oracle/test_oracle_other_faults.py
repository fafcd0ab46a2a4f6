"""Known faults that need a column or a table that is not there yet: one build, what it can show."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.bridge_world import BridgeWorld, m
from tests.oracle import seam
from tests.oracle.fault_example import W0, W1, reports, rows_of

known = pytest.mark.xfail(strict=True, raises=AssertionError)

DAYS_AND_A_LACK = """
    date,fund,flow,aum
    2025-02-28,A,0,100
    2025-03-04,A,5,105
    2025-03-06,A,1,107
    2025-03-07,A,3,
    2025-03-14,A,0,112
"""
A_START = """
    date,fund,shares,nav
    2025-03-03,A,1,10
    2025-03-04,A,1.5,10
    2025-03-07,A,1.5,10
"""


def _weeks_of_assets(world: BridgeWorld, name: str) -> None:
    flow = {"measure": "net_flow", "unit": "US$m", "period": "week"}
    table = {
        "name": "t",
        "header": ["date", "asset"],
        "dimension": "asset",
        "totals": "none",
        "columns": {"date": {"key": "date"}, "asset": {"key": "label"}, "net": flow},
        "rows": [{"text": "Total", "role": "total"}],
    }
    layout = {"name": "w", "container": "csv", "valid_from": "1990-01-01", "tables": [table]}
    text = "date,asset,net\n2025-03-07,Bitcoin,1.4\n2025-03-07,Ethereum,2.3\n2025-03-07,Total,4"
    world.report(name, text, layouts=[layout])


def _days_of_assets(world: BridgeWorld, name: str) -> None:
    table = {
        "name": "t",
        "header": ["date", "asset"],
        "dimension": "asset",
        "totals": "none",
        "columns": {
            "date": {"key": "date"},
            "asset": {"key": "label"},
            "net": {"measure": "net_flow", "unit": "US$m", "period": "day"},
            "aum": {"measure": "aum", "unit": "US$m"},
        },
    }
    layout = {"name": "d", "container": "csv", "valid_from": "1990-01-01", "tables": [table]}
    text = """
        date,asset,net,aum
        2025-02-28,Bitcoin,0,1000
        2025-02-28,Ethereum,0,500
        2025-03-03,Bitcoin,4,1010
        2025-03-03,Ethereum,0,500
        2025-03-07,Bitcoin,-5,1015
        2025-03-07,Ethereum,2,502
    """
    world.report(name, "\n".join(line.strip() for line in text.split()), layouts=[layout])


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = BridgeWorld(tmp_path_factory.mktemp("faults"))
    reports(DAYS_AND_A_LACK)(world, "e77")
    reports(A_START)(world, "e86")
    reports(A_START)(world, "seeded")
    world.action("launch", "2025-03-03", "seededa-us")
    _weeks_of_assets(world, "e87")
    reports("date,fund,flow\n2025-03-07,A,1\n2025-03-07,B,2")(world, "e88")
    _days_of_assets(world, "e114")
    return seam.publish(world)


def test_e77_a_week_without_the_aum_of_its_last_session_has_no_close(database: Path) -> None:
    closes = rows_of(database, "mart.fund_bridge", "e77", week_ending=W0)
    assert [row["aum_close_usd"] for row in closes] in ([], [None])


def test_e77_the_flow_of_the_week_is_the_same_in_every_mart(database: Path) -> None:
    flows, changes = (
        [
            row["net_flow_usd"]
            for week in (dt.date(2025, 2, 28), W0, W1)
            for row in rows_of(database, table, "e77", dimension="total", week_ending=week)
        ]
        for table in ("mart.flows", "mart.aum_change")
    )
    assert flows == [m(0), m(9), m(0)]
    assert changes == flows


def test_e86_of_the_first_day_of_a_fund_no_flow_is_known(database: Path) -> None:
    (row,) = rows_of(database, "mart.flows", "e86", dimension="fund")
    assert (row["net_flow_usd"], row["status"]) == (m(5), "partial")
    assert row["coverage"] == round(Decimal(200) / 3, 6)


def test_e86_with_a_launch_seed_and_flow_stand_apart(database: Path) -> None:
    (row,) = rows_of(database, "mart.flows", "seeded", dimension="fund")
    assert (row["net_flow_usd"], row["net_flow_ex_seed_usd"]) == (m(15), m(5))


def test_e87_the_bound_of_a_coarse_total_stands_beside_it(database: Path) -> None:
    (row,) = rows_of(database, "mart.flows", "e87", dimension="total")
    assert row["net_flow_half_unit_usd"] == m("0.5")


def test_e87_parts_within_the_bound_leave_no_other(database: Path) -> None:
    """3.7 of 4 are explained: 0.3 is less than the half units 0.05 + 0.05 + 0.5."""
    members = {row["member"] for row in rows_of(database, "mart.flows", "e87", dimension="asset")}
    assert members == {"BTC", "ETH"}


def test_e88_the_natural_query_of_a_source_counts_nothing_twice(database: Path) -> None:
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        answer = connection.execute("select sum(net_flow_usd) from e88.flows_by_fund").fetchall()
    assert answer == [(m(3),)]


def test_e114_days_by_asset_reach_the_flows(database: Path) -> None:
    rows = rows_of(database, "mart.flows", "e114", week_ending=W0)
    found = {row["member"]: row["net_flow_usd"] for row in rows if row["dimension"] == "asset"}
    assert found == {"BTC": m(-1), "ETH": m(2)}


def test_e114_days_by_asset_reach_the_change_of_aum(database: Path) -> None:
    rows = rows_of(database, "mart.aum_change", "e114", week_ending=W0, dimension="asset")
    found = {row["member"]: (row["aum_open_usd"], row["aum_close_usd"]) for row in rows}
    assert found == {"BTC": (m(1000), m(1015)), "ETH": (m(500), m(502))}
