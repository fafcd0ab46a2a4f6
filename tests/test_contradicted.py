"""What a report's own other numbers contradict is held back, where no total would show it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import golden
import polars as pl
import pytest
from golden import declared, read_as, read_bytes
from hypothesis import given
from hypothesis import strategies as st
from world import World

from pipelines.checking.check import Checked, check

SHARES = "date,shares_outstanding,nav,net_assets"
FIRST = dt.date(2026, 1, 5)
NAV = Decimal(25)


def sessions(count: int) -> list[dt.date]:
    """Return so many working days."""
    days = (FIRST + dt.timedelta(days=number) for number in range(2 * count))
    return [day for day in days if day.weekday() < 5][:count]


def nav_history(shares: list[int], changed: dict[int, str] | None = None) -> bytes:
    """Return a NAV history at an unchanged NAV, with lines of it changed after their date."""
    lines = {place: f"{count},{NAV},{count * NAV}.00" for place, count in enumerate(shares)} | (
        changed or {}
    )
    days = sessions(len(shares))
    return golden.history(SHARES, *(f"{day},{lines[place]}" for place, day in enumerate(days)))


def held(checked: Checked) -> list[tuple[str, str]]:
    return checked.refused.select("rule", "cell").rows()


def checked_history(content: bytes) -> Checked:
    return check([read_bytes("canary", "HBR.csv", content)])


STRAY = {
    "shares": ("0,25,1000000.00", "26000,25,1000000.00"),
    "nav": ("40000,2.5,1000000.00", "40000,52,1000000.00"),
    "net assets": ("40000,25,100000.00", "40000,25,1004000.00"),
}


@pytest.mark.parametrize("line", [line for lines in STRAY.values() for line in lines])
def test_e105_a_row_whose_three_numbers_contradict_each_other_is_held_back(line):
    checked = checked_history(nav_history([40_000] * 10, {4: line}))
    assert held(checked) == [("contradiction", cell) for cell in ("D6", "C6", "B6")]
    (reason,) = set(checked.refused.get_column("reason"))
    assert "AUM = NAV x shares outstanding within 0.2% of it" in reason
    gone = checked.observations.filter(pl.col("period_end") == sessions(5)[-1])
    assert gone.get_column("value").null_count() == gone.height == 3


def test_e105_rounding_is_no_contradiction():
    line = "40000,25.00,1000190.00"  # half a cent a share is 200
    assert held(checked_history(nav_history([40_000] * 10, {4: line}))) == []


@pytest.fixture(scope="module")
def stray_zero(tmp_path_factory) -> World:
    """A history in which one Friday prints 0 shares beside NAV and net assets."""
    world = World(tmp_path_factory.mktemp("zero") / "warehouse")
    content = nav_history([40_000] * 10, {4: "0,25,1000000.00"})
    world.drop("canary", "HBR.csv", content)
    assert world.run().code == 0
    return world


def test_e105_no_flow_is_final_over_a_position_that_contradicts_itself(stray_zero):
    flows = stray_zero.query(
        "select net_flow_usd, status from mart.flows where dimension = 'fund' order by week_ending"
    )
    assert flows == [(0, "partial"), (0, "partial")]
    changes = stray_zero.query(
        "select aum_close_usd, status from mart.aum_change where dimension = 'fund' "
        "order by week_ending"
    )
    # The row that is held is the last one of its week, which has no close (E77).
    assert changes == [(None, "partial"), (1_000_000, "partial")]
    rows = stray_zero.query("select rule, cell, printed from ops.quarantine order by cell")
    assert rows == [
        ("contradiction", "B6", "0"),
        ("contradiction", "C6", "25"),
        ("contradiction", "D6", "1000000.00"),
    ]


def test_e105_a_person_accepts_a_row_that_is_right(stray_zero):
    said = stray_zero.call("accept", "HBR.csv", "--because", "redeemed and created anew")
    assert said.code == 0, said.text
    assert stray_zero.run().code == 0
    flows = "select net_flow_usd, status from mart.flows where dimension = 'fund' order by 1"
    assert stray_zero.query(flows) == [(-1_000_000, "partial"), (1_000_000, "final")]
    assert stray_zero.query("from ops.quarantine") == []


def test_e105_a_stray_number_in_a_later_report_does_not_take_the_earlier_one_back(tmp_path):
    world = World(tmp_path / "warehouse")
    world.init()
    world.add("canary", "HBR.csv", nav_history([40_000] * 10), received="2026-01-17T12:00Z")
    later = nav_history([40_000] * 10 + [50_000] * 5, {4: "0,25,1000000.00"})
    world.add("canary", "HBR.csv", later, received="2026-01-24T12:00Z")
    assert world.run().code == 0
    flows = "select net_flow_usd, status from mart.flows where dimension = 'fund' order by all"
    assert world.query(flows) == [(0, "final"), (0, "partial"), (250_000, "final")]
    assert world.one("select count(*) from ops.quarantine") == 3


# -- shares a session late (E106, F18) -------------------------------------------------------------

GROWING = [40_000, 40_000, 60_000, 60_000, 90_000, 90_000, 100_000, 100_000]


def late(counts: list[int]) -> bytes:
    """Return a history whose net assets are of the day, and whose shares are a session late."""
    before = [counts[0], *counts]
    changed = {
        place: f"{before[place]},{NAV},{count * NAV}.00" for place, count in enumerate(counts)
    }
    return nav_history(counts, changed)


def test_e106_shares_that_are_a_session_late_are_seen_and_the_setting_is_proposed():
    checked = checked_history(late(GROWING))
    assert {rule for rule, _ in held(checked)} == {"contradiction"}
    for reason in checked.refused.get_column("reason"):
        assert "declare `positions_dated: settlement`" in reason


def test_e106_small_creations_are_proposed_by_the_line_of_the_position():
    checked = checked_history(late([1_000_000, 1_000_500, 1_000_500, 1_001_000, 1_001_000]))
    assert held(checked) == []
    lines = checked.outcomes.filter(pl.col("rule") == "position", pl.col("failed") > 0)
    assert lines.height == 1
    assert "positions_dated: settlement" in lines.item(0, "proposal")


def test_f18_shares_dated_at_settlement_are_those_of_the_session_before():
    table = {
        "header": SHARES.split(","),
        "totals": "none",
        "label": {"file": "(.*)[.]csv"},
        "position": True,
        "positions_dated": "settlement",
        "columns": {
            "date": {"key": "date"},
            "shares_outstanding": {"measure": "shares_outstanding", "unit": "shares"},
            "nav": {"measure": "nav", "unit": "USD/share"},
            "net_assets": {"measure": "aum", "unit": "USD"},
        },
    }
    for content in (late(GROWING), newest_first(late(GROWING))):
        checked = check([read_as(declared(table), "A.csv", content)])
        assert held(checked) == []
        shares = checked.observations.filter(pl.col("measure") == "shares_outstanding")
        found = dict(shares.sort("period_end").select("period_end", "value").rows())
        # The trades of the newest day stand in a row that is not there yet.
        assert found == dict(zip(sessions(len(GROWING))[:-1], GROWING[:-1], strict=True))
        lines = checked.outcomes.filter(pl.col("rule") == "position")
        assert set(lines.get_column("verdict")) == {"exact"}


def newest_first(content: bytes) -> bytes:
    header, *rows = content.splitlines(keepends=True)
    return b"".join([header, *reversed(rows)])


# -- jumps against the member's own days (E112) ----------------------------------------------------

PRICES: dict[str, Any] = {
    "header": ["Date", "Fund", "AUM"],
    "totals": "none",
    "columns": {
        "Date": {"key": "date"},
        "Fund": {"key": "label"},
        "AUM": {
            "measure": "aum", "unit": "USD", "jump": {"times": 2, "at_the_ends": 20},
        },
    },
}  # fmt: skip
FLOWS = {
    **PRICES,
    "header": ["Date", "Fund", "Flow"],
    "columns": {
        "Date": {"key": "date"},
        "Fund": {"key": "label"},
        "Flow": {"measure": "net_flow", "unit": "USD", "period": "day", "jump": {"times": 50}},
    },
}


def series(table: dict[str, Any], **funds: list[Any]) -> Checked:
    days = sessions(max(map(len, funds.values())))
    lines = [f"{day},{fund},{values[place]}"
             for place, day in enumerate(days) for fund, values in funds.items()]  # fmt: skip
    content = golden.history(",".join(table["header"]), *lines)
    return check([read_as(declared(table), "prices.csv", content)])


@pytest.mark.parametrize("wrong", ["2500", "0.025", "250.0", "63", "0"])
def test_e112_a_number_that_is_far_from_the_days_before_and_after_is_held_back(wrong):
    navs: list[Any] = [25] * 20
    navs[9] = wrong
    checked = series(PRICES, A=navs, B=[7] * 20)
    assert held(checked) == [("jump", "C20")]
    assert f"found {wrong}" in checked.refused.item(0, "reason")
    assert "expected about 25" in checked.refused.item(0, "reason")


@pytest.mark.parametrize(
    "navs",
    [
        [100] * 10 + [10] * 10,  # a split that the publisher does not restate
        [25] * 19 + [12.5],  # the first day of one
        [25] * 10 + [31] + [25] * 9,
        [1.02**day for day in range(60)],
        [25, 2500, 25, 2500],  # too few days to say
        [25] * 10 + [0] * 10,  # a fund that is closed
        [0] * 10 + [25] * 10,
        [25] * 9 + [0],
    ],
)
def test_e112_what_happens_to_real_prices_is_no_jump(navs):
    assert held(series(PRICES, A=navs)) == []


def test_e112_the_newest_day_is_compared_with_the_days_before_it():
    assert held(series(PRICES, A=[25] * 19 + [2500])) == [("jump", "C21")]


def test_e112_a_flow_that_is_a_thousand_times_what_its_fund_has_is_held_back():
    usual = [1.5, -2.0, 0, 3.1, -0.7, 0, 5.2, 1.1, -1.9, 2.4, 0.8, 12.0, -4.4, 0, 1.3]
    assert held(series(FLOWS, A=usual, B=usual)) == []
    wrong = [*usual[:8], -1900, *usual[9:]]
    assert held(series(FLOWS, A=wrong, B=usual)) == [("jump", "C18")]


@pytest.mark.parametrize("flows", [[2.5] * 20, [2.5] * 19 + [3.0], [0] * 20])
def test_e112_flows_that_are_all_the_same_are_no_jumps(flows):
    assert held(series(FLOWS, A=flows)) == []


@given(
    st.lists(st.integers(9_000, 11_000), min_size=11, max_size=40),
    st.integers(5, 34),
    st.sampled_from([100, 1000]),
)
def test_e112_whatever_the_history_only_the_wrong_number_is_held_back(navs, place, factor):
    place = min(place, len(navs) - 6)
    wrong = [*navs[:place], navs[place] * factor, *navs[place + 1 :]]
    cells = [cell for _, cell in held(series(PRICES, A=wrong))]
    assert cells == [f"C{place + 2}"]


def test_e112_what_is_held_at_the_end_is_let_through_when_days_after_it_bear_it_out(tmp_path):
    """A report that prints the same week once more, with days after it, is another one."""
    world = World(tmp_path / "warehouse")
    world.init()
    week, more = [40_000] * 9, [4_000_000] * 6
    rows = {9: "4000000,25,100000000.00"}
    world.add("canary", "HBR.csv", nav_history([*week, 0], rows), received="2026-01-17T12:00Z")
    assert world.run().code == 0
    assert world.one("select count(*) from ops.quarantine") == 0, "within a hundred times"
    jump = nav_history([40_000] * 10, {9: "40000000,25,1000000000.00"})
    world.add("canary", "HBR.csv", jump, received="2026-01-18T12:00Z")
    assert world.run().code == 0
    assert world.one("select count(*) from ops.quarantine where rule = 'jump'") == 2
    later = nav_history([*week, *more])
    world.add("canary", "HBR.csv", later, received="2026-01-24T12:00Z")
    assert world.run().code == 0
    last = "select shares_outstanding from core.fund_day order by trade_date desc limit 1"
    assert world.one(last) == 4_000_000


# -- totals that the publisher makes of the printed cells ------------------------------------------


@pytest.mark.parametrize(("ibit", "verdict", "blocks"), [("1.5", "exact", False),
    ("1.6", "unexplained", False), ("11.5", "unexplained", True)])  # fmt: skip
def test_an_exact_total_makes_a_difference_within_rounding_news(ibit, verdict, blocks):
    content = golden.history("Date,IBIT,FBTC,Total", f"02 Feb 2026,{ibit},2.0,3.5")
    checked = check([read_bytes("farside_btc", "btc.csv", content)])
    total = checked.outcomes.filter(pl.col("rule") == "total")
    assert total.get_column("verdict").to_list() == [verdict]
    is_refused = pl.col("blocking") & pl.col("verdict").is_in(["unexplained", "refused"])
    assert (not total.filter(is_refused).is_empty()) == blocks
