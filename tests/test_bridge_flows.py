"""Flow arithmetic of METHODOLOGY: F1, F2, F4-F6, E01-E12, E25, E30; rows in, mart rows out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest

from pipelines.errors import LayoutError
from tests.bridge_world import BridgeWorld, closes, day, effects, expected, m, source

pytestmark = pytest.mark.slow

Fill = Callable[[BridgeWorld], None]
EXAMPLES: list[Fill] = []
WEEK = "2025-03-07"


def example(fill: Fill) -> Fill:
    """Add an example to the world of this module."""
    EXAMPLES.append(fill)
    return fill


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    filled = BridgeWorld(tmp_path_factory.mktemp("flows"))
    filled.fund("alpha-us")
    filled.fund("beta-us", issuer="vaneck", asset="ETH")
    for fill in EXAMPLES:
        fill(filled)
    return filled.publish()


# -- F1, F2: flows from positions ----------------------------------------------------------------


@example
def _creation(world: BridgeWorld) -> None:
    world.report(
        "creation",
        """
        date,fund,shares,nav
        2025-03-03,ALPHA,10,50
        2025-03-04,ALPHA,10.4,50
        2025-03-07,ALPHA,10.4,50
        """,
    )


def test_f1_e01_a_plain_creation(world: BridgeWorld) -> None:
    assert world.flow("creation", WEEK)["net_flow_usd"] == m("20.0")
    assert world.flow("creation", WEEK, "asset", "BTC")["method"] == "shares"
    row = world.bridge("creation", WEEK)
    assert effects(row) == expected(F="20", U="500")
    assert row["aum_close_usd"] == m("520")


@example
def _assets_only(world: BridgeWorld) -> None:
    world.report(
        "assets_only",
        """
        date,fund,nav,aum
        2025-02-28,ALPHA,48,480
        2025-03-07,ALPHA,50,520
        """,
    )


def test_f2_without_shares_the_flow_is_what_the_return_does_not_explain(world: BridgeWorld) -> None:
    row = world.bridge("assets_only", WEEK)
    assert row["flow_method"] == "assets"
    assert effects(row) == expected(F="20", M="20")


@example
def _both(world: BridgeWorld) -> None:
    world.report(
        "nav_and_price",
        """
        date,fund,shares,nav,aum
        2025-02-28,ALPHA,10,48,480
        2025-03-07,ALPHA,10.4,50,520
        """,
    )


def test_e02_both_methods_agree_and_the_certificate_says_so(world: BridgeWorld) -> None:
    row = world.bridge("nav_and_price", WEEK)
    assert row["flow_method"] == "shares"
    assert effects(row) == expected(F="20", M="20")
    line = world.one(
        "from ops.certificate where source = 'nav_and_price' and week_ending = ? "
        "and rule = 'flow_methods'",
        day(WEEK),
    )
    assert (line["verdict"], line["found"], line["failed"]) == ("exact", 0, 0)


@example
def _disagreeing(world: BridgeWorld) -> None:
    world.report(
        "disagreeing",
        """
        date,fund,shares,nav,aum
        2025-02-28,ALPHA,10,48.00,480
        2025-03-07,ALPHA,10.4,50.00,530
        """,
    )


def test_e02_a_disagreement_is_kept_as_a_check(world: BridgeWorld) -> None:
    line = world.one(
        "from ops.certificate where source = 'disagreeing' and rule = 'flow_methods'",
    )
    assert (line["verdict"], line["found"]) == ("unexplained", m("-10"))
    assert world.flow("disagreeing", WEEK)["net_flow_usd"] == m("20")


@example
def _printed(world: BridgeWorld) -> None:
    world.report(
        "printed",
        """
        date,fund,flow,aum
        2025-02-28,ALPHA,0.0,480
        2025-03-03,ALPHA,12.5,495
        2025-03-07,ALPHA,7.5,520
        """,
    )


def test_f4_a_printed_flow_leaves_the_market_as_what_is_left(world: BridgeWorld) -> None:
    row = world.bridge("printed", WEEK)
    assert row["flow_method"] == "printed"
    assert effects(row) == expected(F="20", M="20")


# -- E03, E04: which price -----------------------------------------------------------------------


@example
def _closes_beside(world: BridgeWorld) -> None:
    table = """
        date,fund,shares,nav,close
        2025-03-03,ALPHA,10,50.00,48.00
        2025-03-07,ALPHA,10.4,50.00,48.90
        """
    world.report("close_beside_nav", table)
    world.report("close_said_so", table, price_basis="market")
    world.report(
        "close_only",
        """
        date,fund,shares,close
        2025-03-03,ALPHA,10,48.00
        2025-03-07,ALPHA,10.4,48.90
        """,
    )


def test_e03_nav_makes_the_flow_and_a_close_only_where_said_so(world: BridgeWorld) -> None:
    assert world.flow("close_beside_nav", WEEK)["net_flow_usd"] == m("20.00")
    assert world.flow("close_said_so", WEEK)["net_flow_usd"] == m("19.56")
    basis = world.rows("select source, price_basis from core.source where source like 'close_%'")
    assert {row["source"]: row["price_basis"] for row in basis} == {
        "close_beside_nav": "nav",
        "close_only": "nav",
        "close_said_so": "market",
    }


def test_e03_without_a_nav_a_close_is_never_used_instead(world: BridgeWorld) -> None:
    assert not world.rows(
        "from mart.flows where source = 'close_only' and net_flow_usd is not null"
    )
    assert not world.rows("from mart.fund_bridge where source = 'close_only'")


def test_e04_no_layout_can_read_an_adjusted_price() -> None:
    layout = {
        "name": "adjusted",
        "container": "csv",
        "valid_from": "1990-01-01",
        "tables": [
            {
                "name": "days",
                "header": ["date", "fund"],
                "columns": {
                    "date": {"key": "date"},
                    "fund": {"key": "label"},
                    "Adj Close": {"measure": "adjusted_close", "unit": "USD/share"},
                },
            }
        ],
    }
    with pytest.raises(LayoutError, match="adjusted_close"):
        source("adjusted", layouts=[layout])


# -- E05, E06, E08: days and weeks ---------------------------------------------------------------


@example
def _sampled(world: BridgeWorld) -> None:
    days = """
        date,fund,shares,nav
        2025-02-28,ALPHA,1000e-6,50
        2025-03-03,ALPHA,1100e-6,50
        2025-03-07,ALPHA,1000e-6,40
        """
    world.report("daily", days)
    world.report("weekly", "\n".join(line for line in days.splitlines() if "03-03" not in line))


def test_e05_a_sum_of_days_is_not_one_weekly_step(world: BridgeWorld) -> None:
    daily, weekly = world.bridge("daily", WEEK), world.bridge("weekly", WEEK)
    assert (daily["sampling"], daily["net_flow_usd"]) == ("daily", Decimal("1000.00"))
    assert (weekly["sampling"], weekly["net_flow_usd"]) == ("weekly", Decimal("0.00"))
    assert closes(daily)
    assert closes(weekly)


@example
def _late(world: BridgeWorld) -> None:
    world.report(
        "late",
        """
        date,fund,flow
        2022-06-16,ALPHA,0.0
        2022-06-17,BETA,0.0
        2022-06-24,ALPHA,70
        """,
        received="2022-06-24T20:00:00+00:00",
    )
    world.report(
        "late",
        """
        date,fund,flow
        2022-06-17,ALPHA,-493
        """,
        received="2022-06-25T09:00:00+00:00",
    )


def test_e06_a_late_day_counts_in_the_week_in_which_it_was_traded(world: BridgeWorld) -> None:
    assert world.flow("late", "2022-06-24")["net_flow_usd"] == m("70")
    assert world.flow("late", "2022-06-17")["net_flow_usd"] == m("-493")
    row = world.one(
        "select trade_date, known_at from core.fund_day as day join core.observation as said "
        "on day.source = said.source and day.label = said.label "
        "and day.trade_date = said.period_end "
        "where day.source = 'late' and day.printed_flow_local = -493000000",
    )
    assert row["trade_date"] == day("2022-06-17")
    assert row["known_at"].date() == day("2022-06-25")


def test_e38_before_it_was_published_the_day_is_not_seen(world: BridgeWorld) -> None:
    world.publish(as_of="2022-06-24T23:00:00+00:00", target="friday.duckdb")
    row = world.one(
        "from mart.flows where source = 'late' and week_ending = ? and dimension = 'total'",
        day("2022-06-17"),
        target="friday.duckdb",
    )
    assert row["net_flow_usd"] == m("0")


@example
def _weekend(world: BridgeWorld) -> None:
    world.report(
        "weekend",
        """
        date,fund,shares,nav
        2025-03-06,ALPHA,10,50
        2025-03-07,ALPHA,11,50
        2025-03-10,ALPHA,12,50
        2025-03-14,ALPHA,12,50
        """,
    )


def test_e08_no_row_is_invented_for_a_day_that_nobody_reports(world: BridgeWorld) -> None:
    days = world.rows("select trade_date from core.fund_day where source = 'weekend' order by all")
    assert [f"{row['trade_date']:%m-%d}" for row in days] == ["03-06", "03-07", "03-10", "03-14"]
    week = world.one(
        "from core.fund_week where source = 'weekend' and week_ending = ?", day("2025-03-14")
    )
    assert (week["days"], week["days_without_flow"], week["status"]) == (2, 0, "final")
    flows = world.rows("select trade_date from core.flow_day where source = 'weekend'")
    assert not {row["trade_date"].isoweekday() for row in flows} & {6, 7}


# -- E07: NULL, dash, zero -----------------------------------------------------------------------


@example
def _dashes(world: BridgeWorld) -> None:
    world.report(
        "dashes",
        """
        date,fund,flow
        2024-01-11,ALPHA,-95.1
        2024-01-11,BETA,-
        2024-01-12,ALPHA,0.0
        2024-01-12,BETA,-
        2024-01-16,ALPHA,1.0
        2024-01-16,BETA,2.0
        2024-01-17,ALPHA,-
        2024-01-17,BETA,0.0
        2024-01-18,ALPHA,1.0
        2024-01-18,BETA,-0.0
        2024-01-19,ALPHA,1.0
        2024-01-19,BETA,
        """,
    )


def test_e07_a_fund_not_yet_listed_is_no_missing_flow(world: BridgeWorld) -> None:
    first = world.flow("dashes", "2024-01-12")
    assert (first["net_flow_usd"], first["funds"], first["coverage"]) == (m("-95.1"), 1, 100)
    assert first["status"] == "final"
    assert set(world.flows("dashes", "2024-01-12", "fund")) == {"alpha-us"}


def test_e07_a_dash_is_unknown_and_zero_is_zero(world: BridgeWorld) -> None:
    days = world.rows(
        "select trade_date, fund, net_flow_usd from core.fund_step where source = 'dashes' "
        "and week_ending = ?",
        day("2024-01-19"),
    )
    said = {(row["fund"], row["trade_date"].day): row["net_flow_usd"] for row in days}
    assert said["beta-us", 17] == 0
    assert said["beta-us", 18] == 0
    assert said["alpha-us", 17] is None
    assert said["beta-us", 19] is None
    second = world.flow("dashes", "2024-01-19")
    assert (second["net_flow_usd"], second["status"]) == (m("5"), "partial")


# -- E09-E11: splits -----------------------------------------------------------------------------


@example
def _splits(world: BridgeWorld) -> None:
    world.fund("triple-us")
    world.action("split", "2025-03-05", "triple-us", shares_new=3, shares_old=1)
    world.report(
        "forward",
        """
        date,fund,shares,nav
        2025-02-28,TRIPLE,30,93
        2025-03-04,TRIPLE,30,93
        2025-03-05,TRIPLE,90.6,31
        2025-03-07,TRIPLE,90.6,31
        """,
    )
    world.report(
        "forward_two_rows",
        """
        date,fund,shares,nav
        2025-03-04,TRIPLE,30,93
        2025-03-05,TRIPLE,90.6,31
        """,
    )
    world.report(
        "forward_assets",
        """
        date,fund,nav,aum
        2025-02-28,TRIPLE,93,2790
        2025-03-04,TRIPLE,93,2790
        2025-03-05,TRIPLE,31,2808.6
        """,
    )
    world.report(
        "forward_weekly",
        """
        date,fund,shares,nav
        2025-02-21,TRIPLE,30,93
        2025-02-28,TRIPLE,30,93
        2025-03-07,TRIPLE,90.6,31
        2025-03-14,TRIPLE,90.6,31
        """,
    )
    world.report(
        "forward_adjusted",
        """
        date,fund,shares,nav
        2025-02-28,TRIPLE,90,31
        2025-03-04,TRIPLE,90,31
        2025-03-05,TRIPLE,90.6,31
        """,
        is_split_adjusted=True,
    )


@pytest.mark.parametrize(
    "name",
    ["forward", "forward_two_rows", "forward_assets", "forward_weekly", "forward_adjusted"],
)
def test_e09_a_forward_split_is_no_flow(world: BridgeWorld, name: str) -> None:
    assert world.flow(name, WEEK)["net_flow_usd"] == m("18.6")
    row = world.bridge(name, WEEK)
    assert row["aum_close_usd"] == m("2808.6")
    assert row["market_effect_usd"] == 0
    assert closes(row)


@example
def _reverse(world: BridgeWorld) -> None:
    for name, shares in (("reverse", "50"), ("reverse_creation", "50.5")):
        world.report(
            name,
            f"""
            date,fund,shares,nav
            2024-11-15,BTC,250,8
            2024-11-19,BTC,250,8
            2024-11-20,BTC,{shares},40
            2024-11-22,BTC,{shares},40
            """,
        )
    for name, shares in (("tenth", "20"), ("tenth_creation", "20.5")):
        world.report(
            name,
            f"""
            date,fund,shares,nav
            2024-11-15,ETH,200,4
            2024-11-19,ETH,200,4
            2024-11-20,ETH,{shares},40
            2024-11-22,ETH,{shares},40
            """,
        )


@pytest.mark.parametrize(
    ("name", "flow"),
    [("reverse", "0"), ("reverse_creation", "20"), ("tenth", "0"), ("tenth_creation", "20")],
)
def test_e10_a_reverse_split_of_the_mini_trusts_is_no_flow(
    world: BridgeWorld, name: str, flow: str
) -> None:
    row = world.bridge(name, "2024-11-22")
    assert row["fund"] in {"btc-us", "eth-us"}
    assert effects(row)["net_flow"] == m(flow)
    assert row["market_effect_usd"] == 0
    assert world.flow(name, "2024-11-22")["net_flow_usd"] == m(flow)
    assert not world.rows("from ops.quarantine where source = ?", name)


_WEEK_OF_THE_SPLIT = {
    # (NAV, shares) on the two days before the split, its day, and the two days after it
    "nav_first": [(8, 250), (8, 250), (40, 250), (40, 50), (40, 50)],
    "shares_first": [(8, 250), (8, 250), (8, 50), (40, 50), (40, 50)],
    "both_late": [(8, 250), (8, 250), (8, 250), (40, 50), (40, 50)],
    "nav_early": [(8, 250), (40, 250), (40, 50), (40, 50), (40, 50)],
    "shares_early": [(8, 250), (8, 50), (40, 50), (40, 50), (40, 50)],
    "shares_two_days_late": [(8, 250), (8, 250), (40, 250), (40, 250), (40, 50)],
}


@example
def _half_applied(world: BridgeWorld) -> None:
    days = ["2024-11-18", "2024-11-19", "2024-11-20", "2024-11-21", "2024-11-22"]
    for name, said in _WEEK_OF_THE_SPLIT.items():
        rows = [(day, *each) for day, each in zip(days, said, strict=True)]
        table = [("2024-11-15", 8, 250), *rows, ("2024-11-29", 44, "50.5")]
        world.report(
            f"e11_{name}",
            [{"date": d, "fund": "BTC", "shares": s, "nav": n} for d, n, s in table],
        )


@pytest.mark.parametrize("name", list(_WEEK_OF_THE_SPLIT))
def test_e11_a_split_that_a_vendor_applies_by_halves_makes_no_flow_on_any_day(
    world: BridgeWorld, name: str
) -> None:
    days = world.rows(
        "select trade_date, net_flow_usd from core.fund_step where source = ? "
        "and net_flow_usd <> 0 and week_ending = ?",
        f"e11_{name}",
        day("2024-11-22"),
    )
    assert not days
    row = world.bridge(f"e11_{name}", "2024-11-22")
    assert (row["aum_open_usd"], row["aum_close_usd"]) == (m(2000), m(2000))
    assert effects(row) == expected()
    assert effects(world.bridge(f"e11_{name}", "2024-11-29")) == expected(F="22", M="200")


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("nav_first", [20]),
        ("shares_first", [20]),
        ("both_late", []),
        ("nav_early", [19]),
        ("shares_early", [19]),
        ("shares_two_days_late", [20, 21]),
    ],
)
def test_e11_the_half_applied_day_is_held_back_and_named(
    world: BridgeWorld, name: str, held: list[int]
) -> None:
    rows = world.rows(
        "from ops.quarantine where source = ? and rule = 'split_half_applied'", f"e11_{name}"
    )
    assert {row["measure"] for row in rows} == ({"nav", "shares_outstanding"} if held else set())
    stepped = world.rows(
        "select trade_date from core.fund_day where source = ? and is_held order by all",
        f"e11_{name}",
    )
    assert [row["trade_date"].day for row in stepped] == held
    assert len(rows) == 2 * len(held)


# -- E12, E25: distributions ---------------------------------------------------------------------


@example
def _distributions(world: BridgeWorld) -> None:
    world.fund("income-us", product_type="futures_etf")
    world.action("distribution", "2025-03-05", "income-us", per_share="2")
    world.report(
        "income",
        """
        date,fund,shares,nav
        2025-02-28,INCOME,10,100
        2025-03-05,INCOME,10,98
        2025-03-07,INCOME,10,98
        """,
    )
    world.report(
        "income_assets",
        """
        date,fund,nav,aum
        2025-02-28,INCOME,100,1000
        2025-03-05,INCOME,98,980
        2025-03-07,INCOME,98,980
        """,
    )


@pytest.mark.parametrize("name", ["income", "income_assets"])
def test_e12_a_distribution_is_no_outflow(world: BridgeWorld, name: str) -> None:
    assert world.flow(name, WEEK)["net_flow_usd"] == 0
    row = world.bridge(name, WEEK)
    assert row["net_flow_usd"] == 0
    assert (row["aum_open_usd"], row["aum_close_usd"]) == (m(1000), m(980))
    assert closes(row)
    # It is what the market effect is made of, and said beside it.
    assert (row["market_effect_usd"], row["distributed_usd"]) == (m(-20), m(20))


def test_e25_a_futures_fund_has_flows_of_shares_and_no_coins(world: BridgeWorld) -> None:
    assert world.bridge("income", WEEK)["flow_method"] == "shares"
    assert not world.rows("from mart.coin_bridge where source = 'income'")


# -- E61: flow against AUM, where no NAV is printed ------------------------------------------------


def _quarter(*, misdated: bool) -> list[dict[str, object]]:
    """Return 80 days of a fund that moves by up to 2% a day; a creation of 30% on the 60th.

    Misdated, AUM has it a day before the flow.
    """
    aum, rows = Decimal(1000), []
    for number in range(80):
        aum = (aum * (100 + number % 5 - 2) / 100).quantize(Decimal("0.01"))
        flow = Decimal(300) if number == 60 else Decimal(0)
        if number == 60 - misdated:
            aum += 300
        date = dt.date(2025, 1, 1) + dt.timedelta(days=number)
        rows.append({"date": date, "fund": "ALPHA", "flow": flow, "aum": aum})
    return rows


@example
def _flow_against_aum(world: BridgeWorld) -> None:
    world.report("e61_right", _quarter(misdated=False))
    world.report("e61_misdated", _quarter(misdated=True))
    world.report("e61_short", _quarter(misdated=True)[:40])


def test_e61_a_flow_that_aum_has_on_another_day_is_listed(world: BridgeWorld) -> None:
    found = world.rows(
        "select source, week_ending, trade_date, flow_pct_of_aum > 20 as is_flow_of_day "
        "from ops.implied_return where verdict = 'disagrees'"
    )
    # The 59th day has the money and no flow, the 60th the flow and no money, in one week.
    assert found == [
        {
            "source": "e61_misdated",
            "week_ending": day("2025-03-07"),
            "trade_date": day("2025-03-01"),
            "is_flow_of_day": False,
        }
    ]


def test_e61_a_short_history_gives_no_verdict(world: BridgeWorld) -> None:
    verdicts = "select distinct verdict from ops.implied_return where source = ?"
    assert world.rows(verdicts, "e61_short") == [{"verdict": "unknown"}]
    assert world.rows(verdicts, "e61_right") == [{"verdict": "plausible"}]


# -- F5: flow in percent of AUM ------------------------------------------------------------------


@example
def _percent(world: BridgeWorld) -> None:
    world.report(
        "percent",
        """
        date,fund,shares,nav
        2025-02-28,ALPHA,1,100
        2025-02-28,BETA,9,100
        2025-03-07,ALPHA,1.1,100
        2025-03-07,BETA,9,100
        """,
    )


def test_f5_flow_of_a_group_is_sum_over_sum_not_the_mean(world: BridgeWorld) -> None:
    assert world.change("percent", WEEK, "fund", "alpha-us")["flow_pct_of_aum"] == 10
    assert world.change("percent", WEEK, "fund", "beta-us")["flow_pct_of_aum"] == 0
    assert world.change("percent", WEEK)["flow_pct_of_aum"] == 1
    assert world.change("percent", WEEK, "country", "US")["flow_pct_of_aum"] == 1


# -- F6, E30: coins ------------------------------------------------------------------------------


@example
def _coins(world: BridgeWorld) -> None:
    world.report(
        "fee_drag",
        """
        date,fund,shares,nav,coins
        2024-03-27,ALPHA,300,60,292000
        2024-03-28,ALPHA,300,60,291988
        """,
    )
    world.report(
        "staking",
        """
        date,fund,shares,nav,coins,earned
        2025-03-06,BETA,10,20,100000,
        2025-03-07,BETA,10,20,100007,8
        """,
    )
    world.report(
        "coins_created",
        """
        date,fund,shares,nav,coins
        2025-03-06,ALPHA,10,20,100000
        2025-03-07,ALPHA,11,20,110000
        """,
    )
    world.report(
        "coins_split",
        """
        date,fund,shares,nav,coins
        2024-11-14,BTC,250,8,20000
        2024-11-19,BTC,250,8,20000
        2024-11-20,BTC,50.5,40,20200
        """,
    )


def test_f6_e30_fees_leave_without_any_redemption(world: BridgeWorld) -> None:
    row = world.one("from mart.coin_bridge where source = 'fee_drag' and coins_open is not null")
    assert (row["net_flow_coins"], row["fee_coins"]) == (0, 12)
    assert (row["coins_open"], row["coins_close"]) == (292_000, 291_988)
    assert world.flow("fee_drag", "2024-03-29")["net_flow_usd"] == 0


def test_f6_e30_staking_rewards_are_no_flow(world: BridgeWorld) -> None:
    row = world.one("from mart.coin_bridge where source = 'staking' and coins_open is not null")
    assert (row["net_flow_coins"], row["earned_coins"], row["fee_coins"]) == (0, 8, 1)


def test_f6_coins_created_are_a_flow(world: BridgeWorld) -> None:
    row = world.one(
        "from mart.coin_bridge where source = 'coins_created' and coins_open is not null"
    )
    assert (row["net_flow_coins"], row["fee_coins"]) == (10_000, 0)


def test_f6_e10_a_split_moves_no_coins(world: BridgeWorld) -> None:
    row = world.rows("from mart.coin_bridge where source = 'coins_split' order by trade_date")[-1]
    assert (row["net_flow_coins"], row["fee_coins"]) == (200, 0)


def test_f4_every_bridge_of_this_world_closes(world: BridgeWorld) -> None:
    for table in ("fund_bridge", "aum_change"):
        known = world.rows(f"from mart.{table} where market_effect_usd is not null")
        assert known
        assert [row for row in known if not closes(row)] == []
