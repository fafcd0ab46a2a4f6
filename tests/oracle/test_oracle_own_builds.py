"""Known faults that stop a build, or begin in reading or in the reference rows: a build each."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bridge_world import BridgeWorld, m
from tests.oracle import seam
from tests.oracle.compare import computed, expected
from tests.oracle.fault_example import W0, W1, W2, effects, reports, rows_of, said_of
from tests.oracle.observed import Observation, Source
from tests.oracle.reference import Reference

known = pytest.mark.xfail(strict=True, raises=AssertionError)

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
            period_start=dt.date.fromisoformat(date),
            period_end=dt.date.fromisoformat(date),
            printed_table="days",
            dimension="fund",
            label=label,
            measure=name,
            period="close",
            value=Decimal(cell) * scale,
            currency=None,
            half_unit=None,
            null_reason=None,
            status="final",
        )
        for date, label, *cells in printed
        for name, cell, scale in zip(names, cells, scales, strict=True)
    ]
    source = Source("e75", "listing", "friday", "all funds", False, "nav", None)
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


def test_e109_a_fund_that_moves_to_another_country_keeps_its_history(tmp_path: Path) -> None:
    world = BridgeWorld(tmp_path)
    world.fund("mover-us", "MOVER", valid_from="1900-01-01", valid_to="2025-03-07")
    world.fund("mover-us", "MOVER", valid_from="2025-03-08", listing_country="CA")
    world.report("e109", "date,fund,flow\n2025-03-07,MOVER,1\n2025-03-14,MOVER,2")
    rows = rows_of(seam.publish(world), "mart.flows", "e109", dimension="country")
    found = {(row["week_ending"], row["member"]): row["net_flow_usd"] for row in rows}
    assert found == {(W0, "US"): m(1), (W1, "CA"): m(2)}


def test_e113_a_fund_that_skipped_a_week_can_merge(tmp_path: Path) -> None:
    """Found by the oracle: the merger ends the fund twice, so that its source is left out."""
    world = BridgeWorld(tmp_path)
    text = "date,fund,shares,nav\n2025-03-07,A,1,10\n2025-03-19,A,1,10\n2025-03-20,A,1,10"
    reports(text, report_covers="one fund")(world, "gap")
    world.action("merger", "2025-03-21", "gapa-us", counterpart="gapb-us", fraction=1)
    rows = rows_of(seam.publish(world), "mart.fund_bridge", "gap", week_ending=W2)
    assert [row["corporate_action_usd"] for row in rows] == [m(-10)]


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
