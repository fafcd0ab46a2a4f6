"""Known faults that stop a build, begin in reading, or need a column that is not there yet."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.bridge_world import BridgeWorld, m
from tests.oracle import seam
from tests.oracle.compare import computed, expected
from tests.oracle.fault_examples import W0, W1, W2, effects, reports
from tests.oracle.observed import Observation, Source, select_all
from tests.oracle.reference import Reference

Row = dict[str, Any]
known = pytest.mark.xfail(strict=True, raises=AssertionError)
stops_the_build = pytest.mark.xfail(strict=True, raises=seam.BuildError)


def rows_of(database: Path, table: str, source: str, **wanted: Any) -> list[Row]:
    """Return the rows of a mart that have some values."""
    wanted = {"source": source, **wanted}
    return [
        row
        for row in select_all(database, table)
        if all(row[name] == value for name, value in wanted.items())
    ]


def said_of(rows: list[Row], says: dict[str, Any]) -> list[Row]:
    """Return the rows, in the columns that matter."""
    return [{name: row[name] for name in says} for row in rows]


# -- one build ------------------------------------------------------------------------------------

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


@known
def test_e77_a_week_without_the_aum_of_its_last_session_has_no_close(database: Path) -> None:
    closes = rows_of(database, "mart.fund_bridge", "e77", week_ending=W0)
    assert [row["aum_close_usd"] for row in closes] in ([], [None])


@known
def test_e77_the_flow_of_the_week_is_the_same_in_every_mart(database: Path) -> None:
    flows, changes = (
        [row["net_flow_usd"] for row in rows_of(database, table, "e77", dimension="total")]
        for table in ("mart.flows", "mart.aum_change")
    )
    assert flows == [m(0), m(9), m(0)]
    assert [each for each in changes if each is not None] in (flows, [m(0), m(0)])


@known
def test_e86_the_first_week_of_a_fund_is_not_known(database: Path) -> None:
    (row,) = rows_of(database, "mart.flows", "e86", dimension="fund")
    assert row["net_flow_usd"] is None


def test_e86_with_a_launch_seed_and_flow_stand_apart(database: Path) -> None:
    (row,) = rows_of(database, "mart.flows", "seeded", dimension="fund")
    assert (row["net_flow_usd"], row["net_flow_ex_seed_usd"]) == (m(15), m(5))


@known
def test_e87_the_bound_of_a_coarse_total_stands_beside_it(database: Path) -> None:
    (row,) = rows_of(database, "mart.flows", "e87", dimension="total")
    assert row.get("net_flow_half_unit_usd") == m("0.5")


def test_e87_parts_within_the_bound_leave_no_other(database: Path) -> None:
    """3.7 of 4 are explained: 0.3 is less than the half units 0.05 + 0.05 + 0.5."""
    members = {row["member"] for row in rows_of(database, "mart.flows", "e87", dimension="asset")}
    assert members == {"BTC", "ETH"}


@pytest.mark.xfail(strict=True, raises=duckdb.Error)
def test_e88_the_natural_query_of_a_source_counts_nothing_twice(database: Path) -> None:
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        answer = connection.execute("select sum(net_flow_usd) from e88.flows_by_fund").fetchall()
    assert answer == [(m(3),)]


@known
def test_e114_days_by_asset_reach_the_flows(database: Path) -> None:
    rows = rows_of(database, "mart.flows", "e114", week_ending=W0)
    found = {row["member"]: row["net_flow_usd"] for row in rows if row["dimension"] == "asset"}
    assert found == {"BTC": m(-1), "ETH": m(2)}


@known
def test_e114_days_by_asset_reach_the_change_of_aum(database: Path) -> None:
    rows = rows_of(database, "mart.aum_change", "e114", week_ending=W0, dimension="asset")
    found = {row["member"]: (row["aum_open_usd"], row["aum_close_usd"]) for row in rows}
    assert found == {"BTC": (m(1000), m(1015)), "ETH": (m(500), m(502))}


# -- a build each ---------------------------------------------------------------------------------

TO_ZERO = """
    date,fund,shares,nav,aum
    2025-03-03,A,1,10,10
    2025-03-04,A,1,10,10
    2025-03-05,A,0,0.0,0
    2025-03-06,A,0,0.0,0
    2025-03-07,A,0,0.0,0
"""
CLOSED = effects(A=0, F=-10, M=0, U=10, Z=0)


@pytest.fixture
def liquidated(tmp_path: Path) -> BridgeWorld:
    world = BridgeWorld(tmp_path)
    reports(TO_ZERO)(world, "e75")
    reports(TO_ZERO.replace(",0,0.0,0", ",,0.0,0").replace("A,1,10", "A,,10"))(world, "e75aum")
    return world


@pytest.mark.xfail(strict=True, raises=(AssertionError, seam.BuildError))
@pytest.mark.parametrize("source", ["e75", "e75aum"])
def test_e75_a_fund_at_zero_after_liquidation_is_closed(
    liquidated: BridgeWorld, source: str
) -> None:
    database = seam.publish(liquidated)
    assert said_of(rows_of(database, "mart.fund_bridge", source), CLOSED) == [CLOSED]


def test_e75_the_oracle_closes_a_fund_at_zero() -> None:
    """Without a build, since there is none: the observations are written here."""
    printed = [line.split(",") for line in TO_ZERO.split()[1:]]
    names = ("shares_outstanding", "nav", "aum")
    scales = (1_000_000, 1, 1_000_000)
    said = [
        Observation(
            source="e75",
            known_at=dt.datetime(2025, 3, 10, tzinfo=dt.UTC),
            week_ending=W0,
            period_end=dt.date.fromisoformat(date),
            printed_table="days",
            dimension="fund",
            label=label,
            measure=name,
            period="close",
            value=Decimal(cell) * scale,
            currency=None,
            half_unit=None,
            status="final",
        )
        for date, label, *cells in printed
        for name, cell, scale in zip(names, cells, scales, strict=True)
    ]
    source = Source("e75", "listing", "friday", "all funds", False, "nav")
    tables = computed([source], said, Reference(seam.REFERENCE)).tables
    assert said_of(tables["mart.fund_bridge"], CLOSED) == [CLOSED]
    (row,) = [row for row in tables["mart.flows"] if row["dimension"] == "total"]
    assert row["net_flow_usd"] == m(-10)


PASSED_ON = """
    date,fund,shares,nav
    2025-03-06,Q,0.1,30
    2025-03-07,Q,0.1,30
    2025-03-10,Q,0.04,20
    2025-03-12,Q,0.06,20
    2025-03-14,Q,0.06,20
"""
NEW, OLD = effects(A=0, F="1.2", M=0, U=0, Z="1.2"), effects(A=3, M=0, U=-3, Z=0)


def _passed_on(root: Path) -> BridgeWorld:
    world = BridgeWorld(root)
    spans = {"olda-us": ("1900-01-01", "2025-03-09"), "newa-us": ("2025-03-10", None)}
    for fund, (first, last) in spans.items():
        world.fund(fund, f"{fund[:3].upper()}-ALIAS", issuer="vaneck" if "new" in fund else "other")
        row = {"kind": "ticker", "identifier": "Q", "valid_from": first, "valid_to": last}
        world.refer("fund_identifier", fund=fund, **row)
    world.action("launch", "2025-03-10", "newa-us")
    text = "\n".join(line.strip() for line in PASSED_ON.split())
    world.report("e94", text, report_covers="one fund")
    return world


@known
@pytest.mark.parametrize(("fund", "right"), [("newa-us", NEW), ("olda-us", OLD)])
def test_e94_a_ticker_that_passes_on_is_two_funds(
    tmp_path: Path, fund: str, right: dict[str, Decimal]
) -> None:
    database = seam.publish(_passed_on(tmp_path))
    rows = rows_of(database, "mart.fund_bridge", "e94", week_ending=W1, fund=fund)
    assert said_of(rows, right) == [right]


def test_e94_the_oracle_keeps_two_funds_of_a_ticker_apart(tmp_path: Path) -> None:
    world = _passed_on(tmp_path)
    right = expected(seam.publish(world), world.reference)
    rows = [row for row in right.tables["mart.fund_bridge"] if row["week_ending"] == W1]
    found = {row["fund"]: row for row in rows}
    assert said_of([found["newa-us"]], NEW) == [NEW]
    assert said_of([found["olda-us"]], OLD) == [OLD]


@known
def test_e107_of_a_history_of_which_one_week_was_read_the_opening_is_unknown(
    tmp_path: Path,
) -> None:
    world = BridgeWorld(tmp_path)
    rows = "\n".join(f"2025-03-{day:02},A,10,50" for day in (3, 7, 10, 14, 17, 21))
    reports(f"date,fund,shares,nav\n{rows}", report_covers="one fund")(world, "e107")
    database = seam.publish(world, weeks=[W2])
    bridges = rows_of(database, "mart.fund_bridge", "e107")
    assert [row["universe_effect_usd"] for row in bridges if row["universe_effect_usd"]] == []
    (row,) = rows_of(database, "mart.period_flows", "e107", dimension="fund")
    assert row["since_inception_net_flow_usd"] is None


@known
def test_e109_a_fund_that_moves_to_another_country_keeps_its_history(tmp_path: Path) -> None:
    world = BridgeWorld(tmp_path)
    world.fund("mover-us", "MOVER", valid_from="1900-01-01", valid_to="2025-03-07")
    world.fund("mover-us", "MOVER", valid_from="2025-03-08", listing_country="CA")
    world.report("e109", "date,fund,flow\n2025-03-07,MOVER,1\n2025-03-14,MOVER,2")
    rows = rows_of(seam.publish(world), "mart.flows", "e109", dimension="country")
    found = {(row["week_ending"], row["member"]): row["net_flow_usd"] for row in rows}
    assert found == {(W0, "US"): m(1), (W1, "CA"): m(2)}


@stops_the_build
def test_e113_a_fund_that_skipped_a_week_can_merge(tmp_path: Path) -> None:
    """Found by the oracle: the merger ends the fund twice, and the whole build is not published."""
    world = BridgeWorld(tmp_path)
    text = "date,fund,shares,nav\n2025-03-07,A,1,10\n2025-03-19,A,1,10\n2025-03-20,A,1,10"
    reports(text, report_covers="one fund")(world, "gap")
    world.action("merger", "2025-03-21", "gapa-us", counterpart="gapb-us", fraction=1)
    rows = rows_of(seam.publish(world), "mart.fund_bridge", "gap", week_ending=W2)
    assert [row["corporate_action_usd"] for row in rows] == [m(-10)]


@stops_the_build
def test_e115_a_printed_week_stands_beside_the_day_and_stops_no_other_source(
    tmp_path: Path,
) -> None:
    flow = {"measure": "net_flow", "unit": "US$m"}
    table = {
        "name": "t",
        "header": ["Ticker", "1W"],
        "totals": "none",
        "columns": {
            "Ticker": {"key": "label"},
            "On": {"key": "date"},
            "1D": {**flow, "period": "day"},
            "1W": {**flow, "period": "week"},
        },
    }
    layout = {"name": "s", "container": "csv", "valid_from": "1990-01-01", "tables": [table]}
    world = BridgeWorld(tmp_path)
    world.fund("zza-us", "ZZA")
    world.report("e115", "Ticker,1D,1W,On\nZZA,12.50,40.00,2025-03-07", layouts=[layout])
    rows = rows_of(seam.publish(world), "mart.flows", "e115", dimension="fund")
    assert [row["net_flow_usd"] for row in rows] == [m(40)]
