"""Sessions of a market: days that a source leaves out, and days that are none (E74, E79)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import golden
import pytest
import steps
from world import SAMPLES, World

from pipelines.database.errors import BuildError
from tests.bridge_world import BridgeWorld, day

MISSING = "select label, trade_date from ops.missing_session where source = ? order by all"
TOTAL = (
    "select status, coverage from mart.flows where source = ? and week_ending = ? "
    "and dimension = 'total'"
)


def week(*left_out: str, first: str = "2025-01-06") -> list[dict[str, str]]:
    """Return the rows of two funds, Monday to Friday, but for some days."""
    days = [day(first) + dt.timedelta(days=number) for number in range(5)]
    return [
        {"date": str(each), "fund": fund, "flow": "1"}
        for each in days
        for fund in ("ALPHA", "BETA")
        if str(each) not in left_out
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    """Build a source for each case, most of them with the calendar of New York."""
    world = BridgeWorld(tmp_path_factory.mktemp("sessions"))
    world.fund("alpha-us")
    world.fund("beta-us")
    of_one = [row for row in week() if (row["date"], row["fund"]) != ("2025-01-09", "BETA")]
    cases = {
        "whole": week(first="2025-01-13"),
        "a_day_less": week("2025-01-07"),
        "closed": week("2025-01-09"),  # the day of mourning for President Carter
        "holiday_row": of_one,
        "one_fund_less": [row for row in week() if row != week()[3]],
        "after_the_calendar": week("2031-01-07", first="2031-01-06"),
    }
    for name, rows in cases.items():
        world.report(name, rows, received="2031-02-01T00:00:00+00:00", calendar="XNYS")
    closed_and_missing = ("2025-01-09", "2025-01-10")
    two_weeks = [day("2025-01-06") + dt.timedelta(days=number) for number in range(12)]
    rows = [
        {"date": str(each), "fund": "ALPHA", "flow": "1", "shares": "2", "nav": "10", "aum": "20"}
        for each in two_weeks
        if each.isoweekday() < 6 and str(each) not in closed_and_missing
    ]
    over_a_weekend = {"received": "2031-02-01T00:00:00+00:00", "calendar": "XNYS"}
    printed = [{**row, "shares": "", "nav": ""} for row in rows]
    world.report("printed_over", printed, **over_a_weekend)
    made = [{name: row[name] for name in ("date", "fund", "shares", "nav")} for row in rows]
    made[3:] = [{**row, "shares": "5"} for row in made[3:]]
    world.report("made_over", made, **over_a_weekend)
    without = week("2025-01-08")
    world.report("no_calendar", without, received="2031-02-01T00:00:00+00:00")
    return world.publish()


@pytest.mark.parametrize(
    ("source", "ends", "status", "coverage"),
    [
        ("whole", "2025-01-17", "final", 100),
        ("a_day_less", "2025-01-10", "partial", 75),
        ("closed", "2025-01-10", "final", 100),
        ("holiday_row", "2025-01-10", "final", 100),
        ("one_fund_less", "2025-01-10", "partial", "87.5"),
        ("after_the_calendar", "2031-01-10", "final", 100),
        ("no_calendar", "2025-01-10", "final", 100),
    ],
)
def test_e74_e79_a_week_lacks_the_sessions_of_its_market_and_no_other_day(
    built: BridgeWorld, source: str, ends: str, status: str, coverage: object
) -> None:
    row = built.one(
        "from mart.flows where source = ? and week_ending = ? and dimension = 'total'",
        source,
        day(ends),
    )
    assert (row["status"], row["coverage"]) == (status, Decimal(str(coverage)))


def test_e74_a_day_that_no_fund_has_is_named(built: BridgeWorld) -> None:
    rows = built.rows("from ops.missing_session order by all")
    assert [(row["source"], row["label"], row["trade_date"]) for row in rows] == [
        ("a_day_less", None, day("2025-01-07")),
        ("made_over", None, day("2025-01-10")),
        ("printed_over", None, day("2025-01-10")),
    ]


def test_e74_a_flow_made_over_a_missing_day_is_partial_in_the_week_of_the_next_position(
    built: BridgeWorld,
) -> None:
    """The file lacks Friday 10 January: 3m shares came on it, or on Monday."""
    row = built.change("made_over", "2025-01-17")
    assert (row["net_flow_usd"], row["market_effect_usd"]) == (Decimal(30_000_000), None)
    assert row["aum_open_usd"] is None  # that Friday had no close (E77)
    assert row["status"] == "partial"


def test_e74_over_a_missing_day_of_printed_flows_the_market_is_not_known(
    built: BridgeWorld,
) -> None:
    row = built.change("printed_over", "2025-01-17")
    assert (row["net_flow_usd"], row["market_effect_usd"]) == (Decimal(5_000_000), None)
    assert row["status"] == "partial"


def test_e79_the_numbers_of_a_holiday_count(built: BridgeWorld) -> None:
    row = built.one("from mart.flows where source = 'holiday_row' and dimension = 'total'")
    assert row["net_flow_usd"] == Decimal(9_000_000)


def test_e74_a_fund_with_a_file_of_its_own_lacks_its_own_sessions(tmp_path: Path) -> None:
    """A line of one of two files is missing."""
    world = World(tmp_path / "warehouse")
    for file in sorted((SAMPLES / "canary").glob("*.csv")):
        lines = file.read_bytes().splitlines(keepends=True)
        kept = [each for each in lines if not each.startswith(b"2026-01-14")]
        content = b"".join(kept if file.stem == "HBR" else lines)
        world.add("canary", file.name, content, received="2026-02-01T12:00Z")
    assert steps.publish_all(world.warehouse) == []
    assert world.query(MISSING, "canary") == [("HBR", dt.date(2026, 1, 14))]
    status = (
        "select member, status from mart.aum_change_by_fund "
        "where source = 'canary' and week_ending = '2026-01-16' order by all"
    )
    assert world.query(status) == [("hbr-us", "partial"), ("xrpc-us", "final")]


def test_e81_a_fund_whose_file_is_not_renewed_makes_later_totals_partial(tmp_path: Path) -> None:
    """Until its file comes; a fund that has ended lacks nothing."""
    world = World(tmp_path / "warehouse")
    world.init()
    older = {"received": "2026-01-31T12:00Z"}
    histories = {
        name: (SAMPLES / "canary" / f"{name}.csv").read_bytes() for name in ("HBR", "XRPC")
    }
    until = {name: text[: text.index(b"2026-01-26")] for name, text in histories.items()}
    world.add("canary", "HBR.csv", histories["HBR"], **older)
    world.add("canary", "XRPC.csv", until["XRPC"], **older)
    assert steps.publish_all(world.warehouse) == []
    asked = "select holder, last_week from core.missing_fund"
    assert world.query(asked) == [("xrpc-us", dt.date(2026, 1, 23))]
    statuses = (
        "select member, status from mart.{} where week_ending = '2026-01-30' "
        "and dimension in ('total', 'fund', 'asset') order by dimension, member"
    )
    for table in ("flows", "aum_change"):
        rows = dict(world.query(statuses.format(table)))
        assert (rows["total"], rows["hbr-us"]) == ("partial", "final")
        assert "xrpc-us" not in rows
    world.add("canary", "XRPC.csv", histories["XRPC"], received="2026-02-01T12:00Z")
    assert steps.publish_all(world.warehouse) == []
    assert world.query(asked) == []
    for table in ("flows", "aum_change"):
        assert set(dict(world.query(statuses.format(table))).values()) == {"final"}


@pytest.mark.real
def test_e74_the_page_of_solana_funds_lacks_two_days(real: Path, tmp_path: Path) -> None:
    """The week was final with a coverage of 100: 26.8m of three of its five days."""
    world = World(tmp_path / "warehouse")
    vintages = real / "farside/vintages"
    for moment, name in golden.SOLANA.items():
        world.add("farside_sol", "sol.csv", (vintages / name).read_bytes(), received=moment)
    assert steps.publish_all(world.warehouse) == []
    lacking = [(None, dt.date(2025, 11, 12)), (None, dt.date(2025, 11, 13))]
    assert world.query(MISSING, "farside_sol") == lacking
    assert world.query(TOTAL, "farside_sol", dt.date(2025, 11, 14)) == [("partial", Decimal(60))]
    assert world.query(TOTAL, "farside_sol", dt.date(2025, 11, 7)) == [("final", Decimal(100))]


def test_a_calendar_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    world = BridgeWorld(tmp_path)
    world.fund("alpha-us")
    world.report("elsewhere", [week()[0]], calendar="XXXX")
    with pytest.raises(BuildError, match="calendar_is_known") as error:
        world.publish()
    assert "XXXX" in str(error.value)
