"""Two sources side by side (E62): reports in, `mart.source_comparison` out."""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import golden
import pytest
import steps
from world import SAMPLES, World

from tests.bridge_world import BridgeWorld, day, m

pytestmark = pytest.mark.slow

WEEK = dt.date(2026, 1, 23)
WEDNESDAY = {"week": {"ends": "wednesday", "first": "1990-01-03", "in_progress": True}}
DAYS = [f"2026-01-{number:02}" for number in (*range(12, 17), *range(19, 24), *range(26, 31))]


# -- the worked example ----------------------------------------------------------------------------


def test_e62_the_world_and_the_us_differ_by_22_percent_because_of_the_universe(tmp_path):
    """Week to 23 January 2026: -1,090 worldwide against -1,330 in US spot ETFs."""
    world = World(tmp_path / "warehouse")
    report = SAMPLES / "coinshares" / "coinshares_2026-01-23.xlsx"
    world.add("coinshares", report.name, report.read_bytes(), received="2026-01-26T14:00Z")
    flows = ["-400.0", "-300.0", "-200.0", "-430.0"]
    lines = [f"{20 + at} Jan 2026,{flow},{flow}" for at, flow in enumerate(flows)]
    history = golden.history("Date,IBIT,Total", *lines)
    world.add("farside_btc", "btc.csv", history, received="2026-01-26T14:00Z")
    assert steps.publish_all(world.warehouse) == []
    (row,) = world.rows("from mart.source_comparison where member = 'BTC'")
    assert (row["source"], row["other_source"]) == ("coinshares", "farside_btc")
    assert (row["week_ending"], row["other_week_ending"], row["overlap_days"]) == (WEEK, WEEK, 7)
    assert (row["net_flow_usd"], row["other_net_flow_usd"]) == (m("-1090"), m("-1330"))
    assert row["difference_usd"] == m("-240")
    assert round(row["difference_pct"]) == -22
    # Half of 0.01bn, and of 0.1m four times.
    assert row["hard_bound_usd"] == m("5.2")
    assert (row["universe"], row["other_universe"]) == (
        "digital asset ETPs, worldwide",
        "US spot bitcoin ETFs",
    )
    assert row["explained_by"] == "universe"


# -- what can explain ------------------------------------------------------------------------------


def daily(world: BridgeWorld, name: str, flows: list[str], *, asset: str = "", **of: Any) -> None:
    """Archive daily flows of one fund, from Monday 12 to Friday 30 January 2026."""
    rows = [
        {"date": at, "fund": asset or "ALPHA", "flow": flow}
        for at, flow in zip(DAYS, flows, strict=True)
    ]
    world.report(name, rows, received="2026-02-02T00:00:00+00:00", **of)


def flows_of(*weeks: str) -> list[str]:
    return [flow for week in weeks for flow in week.split()]


PLAIN = flows_of("1.0 2.0 3.0 4.0 5.0", "10.0 20.0 30.0 40.0 50.0", "7.0 7.0 7.0 7.0 7.0")
EXAMPLES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "b_equal": (PLAIN, {}),
    "b_rounding": (flows_of("1 2 3 4 5", "10 20 30 40 52", "7 7 7 7 7"), {}),
    "b_lag": (["0.0", *PLAIN[:-1]], {}),
    "b_week": (PLAIN, WEDNESDAY),
    "b_error": (flows_of("1.0 2.0 3.0 4.0 5.0", "10.0 20.0 30.0 40.0 55.0", "7.0 " * 5), {}),
    "b_world": (flows_of("1.0 2.0 3.0 4.0 5.0", "99.0 20.0 30.0 40.0 55.0", "7.0 " * 5),
                {"universe": "the world"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    world = BridgeWorld(tmp_path_factory.mktemp("compared"))
    world.fund("alpha-us", issuer="ishares")
    world.fund("beta-us", asset="ETH", issuer="ishares")
    daily(world, "a", PLAIN)
    for name, (flows, of) in EXAMPLES.items():
        daily(world, name, flows, **of)
    daily(world, "c_ether", PLAIN, asset="BETA")
    world.report("d_weekly", "date,asset,flow\n2026-01-23,BTC,150.0\n2026-01-23,ETH,n/a\n")
    return world.publish()


def compared(world: BridgeWorld, other: str, dimension: str = "asset") -> dict[str, Any]:
    return world.one(
        "from mart.source_comparison where source = 'a' and other_source = ? and dimension = ? "
        "and week_ending = ?",
        other,
        dimension,
        WEEK,
    )


@pytest.mark.parametrize(
    ("other", "difference", "explained"),
    [
        ("b_equal", "0", "equal"),
        ("b_rounding", "2", "rounding"),
        # Monday to Friday of the other, a day late: 5 + 10 + 20 + 30 + 40.
        ("b_lag", "-45", "lag"),
        ("b_error", "5", "unexplained"),
        ("b_world", "94", "universe"),
        ("d_weekly", "0", "equal"),
    ],
)
def test_e62_a_difference_is_explained_before_it_is_an_error(world, other, difference, explained):
    row = compared(world, other)
    assert (row["difference_usd"], row["explained_by"]) == (m(difference), explained)
    assert row["other_net_flow_usd"] - row["net_flow_usd"] == row["difference_usd"]


def test_e06_of_one_fund_the_universe_explains_nothing(world):
    assert compared(world, "b_world", "fund")["explained_by"] == "unexplained"


def test_e31_weeks_that_end_on_other_days_are_paired_by_their_overlap(world):
    """The week to Friday 23 shares five days with the one to Wednesday 21, two with the next."""
    row = compared(world, "b_week")
    assert (row["other_week_ending"], row["overlap_days"]) == (day("2026-01-21"), 5)
    assert (row["week_ends"], row["other_week_ends"]) == ("friday", "wednesday")
    # Thursday to Wednesday: 4 + 5 + 10 + 20 + 30.
    assert (row["other_net_flow_usd"], row["explained_by"]) == (m("69"), "week rule")
    pairs = world.rows(
        "select week_ending, other_week_ending from mart.source_comparison "
        "where source = 'a' and other_source = 'b_week' and dimension = 'asset' order by all"
    )
    assert len(pairs) == len({row["week_ending"] for row in pairs}) == 3


def test_e62_sources_without_a_common_asset_are_not_compared(world):
    """Both have iShares, but of other coins; and `n/a` is no flow to compare with."""
    assert world.rows("from mart.source_comparison where 'c_ether' in (source, other_source)") == []


def test_e62_a_pair_stands_in_one_row_a_member(world):
    (row,) = world.rows(
        "select count(*) as rows, count(distinct (least(source, other_source), "
        "greatest(source, other_source), week_ending, dimension, member)) as pairs, "
        "bool_and(source < other_source) as ordered from mart.source_comparison"
    )
    assert row["rows"] == row["pairs"] > 50
    assert row["ordered"]


def test_e37_a_week_that_is_still_being_filled_is_no_unexplained_difference(tmp_path):
    world = World(tmp_path / "warehouse")
    first, last = "20 Jan 2026,10.0,5.0,15.0", "21 Jan 2026,10.0,,10.0"
    history = golden.history("Date,IBIT,FBTC,Total", "16 Jan 2026,1.0,1.0,2.0", first, last)
    world.add("farside_btc", "btc.csv", history, received="2026-01-22T06:00Z")
    report = SAMPLES / "coinshares" / "coinshares_2026-01-23.xlsx"
    world.add("coinshares", report.name, report.read_bytes(), received="2026-01-26T14:00Z")
    assert steps.publish_all(world.warehouse) == []
    (row,) = world.rows("from mart.source_comparison where member = 'BTC'")
    assert row["explained_by"] == "incomplete"


# -- the real files --------------------------------------------------------------------------------


@pytest.mark.real
def test_e62_coinshares_and_farside_of_the_same_weeks(real: Path, published_real: World) -> None:
    """Bitcoin of every week that both have, the second side added up here from the raw file."""
    weeks: dict[dt.date, Decimal] = defaultdict(Decimal)
    with (real / "farside" / "btc_history_2026-08-22.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            try:
                at = dt.datetime.strptime(row["Date"], "%d %b %Y").replace(tzinfo=dt.UTC).date()
            except ValueError:
                continue
            weeks[at + dt.timedelta(days=(4 - at.weekday()) % 7)] += Decimal(row["Total"] or 0)
    rows = published_real.rows(
        "from mart.source_comparison where source = 'coinshares' and other_source = 'farside_btc' "
        "and member = 'BTC' order by week_ending"
    )
    printed = dict(
        published_real.query(
            "select week_ending, value from core.observation where source = 'coinshares' "
            "and member = 'BTC' and period = 'week' and value is not null"
        )
    )
    assert {row["week_ending"]: row["net_flow_usd"] for row in rows} == {
        week: flow for week, flow in printed.items() if week in weeks
    }
    for row in rows:
        assert row["other_net_flow_usd"] == weeks[row["week_ending"]] * 1_000_000
    (seed,) = [row for row in rows if row["week_ending"] == WEEK]
    assert (seed["net_flow_usd"], seed["other_net_flow_usd"]) == (m("-1090"), m("-1324.1"))
    assert round(seed["difference_pct"], 1) == Decimal("-21.5")
    assert {row["explained_by"] for row in rows} == {"universe"}
    assert len(rows) == 7


@pytest.mark.real
def test_e62_one_fund_in_two_sources_agrees_but_for_weeks_that_are_named(
    published_real: World,
) -> None:
    """ARKB as Bloomberg and as Farside have it: the same fund, so no universe can explain."""
    rows = published_real.query(
        "select explained_by, list(week_ending order by week_ending) from mart.source_comparison "
        "where source = 'ark_bloomberg' and other_source = 'farside_btc' and dimension = 'fund' "
        "group by all"
    )
    weeks = dict(rows)
    assert set(weeks) == {"rounding", "incomplete", "unexplained"}
    assert [len(weeks[each]) for each in ("rounding", "incomplete")] == [109, 1]
    assert weeks["unexplained"] == [day("2024-02-16"), day("2025-03-28"), day("2025-04-04")]
