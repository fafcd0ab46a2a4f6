"""Currencies: F3, E26-E29 of METHODOLOGY, missing rates and holidays; rows in, mart rows out."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.bridge_world import BridgeWorld, closes, day, effects, expected, m

pytestmark = pytest.mark.slow

Fill = Callable[[BridgeWorld], None]
EXAMPLES: list[Fill] = []

# US dollars for a Canadian dollar. The euro is printed at one of them, so that cross rates are
# exactly these.
CAD = {
    "2025-02-28": "0.70",  # e0
    "2025-03-03": "0.72",
    "2025-03-04": "0.72",
    "2025-03-05": "0.735",
    "2025-03-06": "0.70",
    "2025-03-07": "0.75",  # e1; the mean of the week's five fixings is 0.725
    # E28: the Canadian dollar falls by 5%, its mean of the week lies half-way
    "2025-03-14": "0.75",
    "2025-03-17": "0.74",
    "2025-03-18": "0.74",
    "2025-03-19": "0.73",
    "2025-03-20": "0.73375",
    "2025-03-21": "0.7125",
    # Good Friday and Easter Monday 2025
    "2025-04-16": "0.71",
    "2025-04-17": "0.72",
    "2025-04-22": "0.73",
    # no fixing of the Canadian dollar on Wednesday 7 May, though it was no holiday
    "2025-05-02": "0.72",
    "2025-05-05": "0.72",
    "2025-05-06": "0.72",
    "2025-05-08": "0.73",
    "2025-05-09": "0.73",
}
CAD["2025-03-06"] = "0.70"  # 0.72 + 0.72 + 0.735 + 0.70 + 0.75 = 5 x 0.725


def example(fill: Fill) -> Fill:
    """Add an example to the world of this module."""
    EXAMPLES.append(fill)
    return fill


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    filled = BridgeWorld(tmp_path_factory.mktemp("currency"))
    filled.rates(
        {
            **{date: {"USD": rate, "CAD": "1.0"} for date, rate in CAD.items()},
            "2025-05-07": {"USD": "1.1"},
        }
    )
    filled.fund("maple-ca", currency="CAD")
    filled.fund("hedged-ca", currency="CAD", is_hedged=True)
    for fill in EXAMPLES:
        fill(filled)
    return filled.publish()


# -- F3, E26, E27 --------------------------------------------------------------------------------


@example
def _three_way(world: BridgeWorld) -> None:
    world.report(
        "three_way",
        """
        date,fund,nav,aum
        2025-02-28,MAPLE,1.00,100
        2025-03-07,MAPLE,1.05,125
        """,
        currency="CAD",
    )
    world.report(
        "flow_day",
        """
        date,fund,nav,aum
        2025-03-05,MAPLE,1.00,100
        2025-03-06,MAPLE,1.00,100
        2025-03-07,MAPLE,1.00,120
        """,
        currency="CAD",
    )


def test_f3_e26_e27_days_unknown_the_average_rate_and_our_sign_of_fx(world: BridgeWorld) -> None:
    row = world.bridge("three_way", "2025-03-07")
    assert (row["aum_open_usd"], row["aum_close_usd"]) == (m(70), m("93.75"))
    assert effects(row) == expected(F="14.5", M="3.625", X="5.625")
    epfr_forex_change = (
        row["aum_open_usd"] + row["market_effect_usd"] + row["net_flow_usd"] - row["aum_close_usd"]
    )
    assert epfr_forex_change == m("-5.625")
    assert row["sampling"] == "weekly"


def test_e26_a_flow_of_a_known_day_has_the_rate_of_that_day(world: BridgeWorld) -> None:
    row = world.bridge("flow_day", "2025-03-07")
    assert row["net_flow_usd"] == m("15.00")  # 20 x 0.75, the rate of Friday
    assert row["market_effect_usd"] == 0
    assert closes(row)
    step = world.one(
        "from core.fund_step where source = 'flow_day' and trade_date = ?", day("2025-03-07")
    )
    assert step["fx_basis"] == "fixing"


@pytest.fixture(scope="module")
def spot(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    """The example of E26: +20 CAD at 0.74 that day, 0.725 on average."""
    filled = BridgeWorld(tmp_path_factory.mktemp("spot"))
    filled.fund("maple-ca", currency="CAD")
    rates = {
        "2025-02-28": "0.70",
        "2025-03-03": "0.72",
        "2025-03-04": "0.715",
        "2025-03-05": "0.74",
        "2025-03-06": "0.73",
        "2025-03-07": "0.72",
    }
    filled.rates({date: {"USD": rate, "CAD": "1.0"} for date, rate in rates.items()})
    days = [("2025-02-28", 5), ("2025-03-04", 5), ("2025-03-05", 7), ("2025-03-07", 7)]
    for name, taken in (("daily", days), ("weekly", [days[0], days[-1]])):
        filled.report(
            name,
            [{"date": date, "fund": "MAPLE", "shares": s, "nav": 10} for date, s in taken],
            currency="CAD",
        )
    return filled.publish()


def test_e26_twenty_canadian_dollars_at_the_rate_of_the_day_or_of_the_week(
    spot: BridgeWorld,
) -> None:
    daily, weekly = spot.bridge("daily", "2025-03-07"), spot.bridge("weekly", "2025-03-07")
    assert daily["net_flow_usd"] == m("14.80")
    assert weekly["net_flow_usd"] == m("14.50")
    assert (daily["market_effect_usd"], weekly["market_effect_usd"]) == (0, 0)
    # A0 (e1 - e0) + F (e1 - e of the flow)
    assert daily["fx_effect_usd"] == m("1.0") + m("-0.4")
    assert weekly["fx_effect_usd"] == m("1.0") + m("-0.1")


# -- E28: two lenses -----------------------------------------------------------------------------


@example
def _lenses(world: BridgeWorld) -> None:
    for label in ("MAPLE", "HEDGED"):
        world.report(
            f"lens_{label.lower()}",
            f"""
            date,fund,shares,nav
            2025-03-14,{label},1,100
            2025-03-21,{label},1,105.2631578947
            """,
            currency="CAD",
        )


def test_e28_an_unhedged_class_has_no_fx_in_the_lens_of_its_coin(world: BridgeWorld) -> None:
    row = world.bridge("lens_maple", "2025-03-21")
    assert (row["aum_open_usd"], row["aum_close_usd"]) == (m(75), m(75))
    assert round(row["market_effect_usd"] / 1_000_000, 3) == Decimal("3.849")
    assert round(row["fx_effect_usd"] / 1_000_000, 3) == Decimal("-3.849")
    assert row["underlying_market_effect_usd"] == 0
    assert row["underlying_fx_effect_usd"] == 0


def test_e28_a_hedged_class_bears_its_fx_in_both_lenses(world: BridgeWorld) -> None:
    row = world.bridge("lens_hedged", "2025-03-21")
    assert row["underlying_fx_effect_usd"] == row["fx_effect_usd"] != 0
    assert row["underlying_market_effect_usd"] == row["market_effect_usd"] != 0


# -- E29: the vendor switches its currency -------------------------------------------------------


@pytest.fixture(scope="module")
def switched(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    filled = BridgeWorld(tmp_path_factory.mktemp("switched"))
    filled.fund("switch-de", currency="EUR")
    filled.rates({f"2025-03-0{each}": {"USD": "1.08"} for each in (3, 4, 5, 6, 7)})
    filled.report(
        "switch",
        """
        date,fund,shares,nav,aum
        2025-03-05,SWITCH,219.49,0.86,188.50
        """,
        currency="EUR",
    )
    filled.report(
        "switch",
        """
        date,fund,shares,nav,aum
        2025-03-06,SWITCH,219.59,0.93,203.14
        2025-03-07,SWITCH,219.59,0.93,203.14
        """,
    )
    filled.report(
        "switch_assets",
        """
        date,fund,nav,aum
        2025-03-05,SWITCH,0.86,188.50
        """,
        currency="EUR",
    )
    filled.report(
        "switch_assets",
        """
        date,fund,nav,aum
        2025-03-06,SWITCH,0.93,203.14
        2025-03-07,SWITCH,0.93,203.14
        """,
    )
    return filled.publish()


def test_e29_a_currency_switch_makes_no_phantom_flow(switched: BridgeWorld) -> None:
    row = switched.bridge("switch", "2025-03-07")
    assert row["net_flow_usd"] == m("0.093")
    assert closes(row)
    # AUM are brought to one currency before they are compared: 188.50 x 1.08 = 203.58
    assert row["universe_effect_usd"] == m("203.58")
    assert row["market_effect_usd"] + row["fx_effect_usd"] == m("203.14") - m("203.58") - m("0.093")


def test_e29_without_shares_the_day_of_the_switch_has_no_flow_rather_than_a_wrong_one(
    switched: BridgeWorld,
) -> None:
    step = switched.one(
        "from core.fund_step where source = 'switch_assets' and trade_date = ?", day("2025-03-06")
    )
    assert step["net_flow_usd"] is None
    assert not step["is_flow_known"]
    assert switched.bridge("switch_assets", "2025-03-07")["market_effect_usd"] is None
    assert switched.flow("switch_assets", "2025-03-07")["status"] == "partial"


@example
def _spin_off(world: BridgeWorld) -> None:
    world.fund("giver-ca", currency="CAD")
    world.fund("taker-ca", currency="CAD")
    world.action("spin_off", "2025-03-07", "giver-ca", counterpart="taker-ca", fraction="0.1")
    world.report(
        "spin_off",
        """
        date,fund,shares,nav
        2025-03-05,GIVER,10,10
        2025-03-06,GIVER,10,10
        2025-03-07,GIVER,10,9
        2025-03-07,TAKER,10,1
        """,
        currency="CAD",
    )


def test_e13_e27_a_rate_that_moves_on_the_day_of_a_spin_off_is_fx_and_no_flow(
    world: BridgeWorld,
) -> None:
    # 100 CAD at 0.70 -> 0.75 on the day, nothing else happens: all is FX.
    assert world.flow("spin_off", "2025-03-07")["net_flow_usd"] == 0
    for fund in ("giver-ca", "taker-ca"):
        assert world.bridge("spin_off", "2025-03-07", fund)["market_effect_usd"] == 0
    assert world.change("spin_off", "2025-03-07")["corporate_action_usd"] == 0


# -- rates that are not there --------------------------------------------------------------------


@example
def _holiday(world: BridgeWorld) -> None:
    world.report(
        "holiday",
        """
        date,fund,shares,nav
        2025-04-17,MAPLE,10,10
        2025-04-18,MAPLE,11,10
        2025-04-21,MAPLE,12,10
        2025-04-22,MAPLE,12,10
        """,
        currency="CAD",
    )
    world.report(
        "missing",
        """
        date,fund,shares,nav
        2025-05-02,MAPLE,10,10
        2025-05-06,MAPLE,10,10
        2025-05-07,MAPLE,11,10
        2025-05-08,MAPLE,12,10
        2025-05-09,MAPLE,12,10
        """,
        currency="CAD",
    )


def test_a_holiday_of_the_fixing_uses_the_last_one_and_says_so(world: BridgeWorld) -> None:
    days = world.rows(
        "from core.fx_day where currency = 'CAD' and rate_date between ? and ? order by rate_date",
        day("2025-04-17"),
        day("2025-04-22"),
    )
    assert [(row["rate_date"].day, row["usd_per_unit"], row["basis"]) for row in days] == [
        (17, Decimal("0.72"), "fixing"),
        (18, Decimal("0.72"), "last fixing"),
        (19, Decimal("0.72"), "last fixing"),
        (20, Decimal("0.72"), "last fixing"),
        (21, Decimal("0.72"), "last fixing"),
        (22, Decimal("0.73"), "fixing"),
    ]
    assert {row["fixing_date"] for row in days[:5]} == {day("2025-04-17")}
    step = world.one(
        "from core.fund_step where source = 'holiday' and trade_date = ?", day("2025-04-18")
    )
    assert (step["net_flow_usd"], step["fx_basis"]) == (m("7.2"), "last fixing")


def test_a_missing_rate_is_named_and_never_a_neighbours(world: BridgeWorld) -> None:
    assert not world.rows(
        "from core.fx_day where currency = 'CAD' and rate_date = ?", day("2025-05-07")
    )
    refused = world.rows("from ops.quarantine where rule = 'fx_rate_missing'")
    assert {row["source"] for row in refused} == {"missing"}
    assert {row["measure"] for row in refused} == {"nav", "shares_outstanding"}
    assert all("CAD" in row["reason"] and "2025-05-07" in row["reason"] for row in refused)
    assert not world.rows(
        "from core.fund_step where source = 'missing' and trade_date = ?", day("2025-05-07")
    )


def test_a_week_with_a_missing_rate_is_partial(world: BridgeWorld) -> None:
    assert world.flow("missing", "2025-05-09")["status"] == "partial"
    row = world.bridge("missing", "2025-05-09")
    assert row["status"] == "partial"
    assert row["market_effect_usd"] is None or closes(row)


def test_f4_every_bridge_of_these_worlds_closes(world: BridgeWorld, spot: BridgeWorld) -> None:
    for each in (world, spot):
        for table in ("fund_bridge", "aum_change"):
            known = each.rows(f"from mart.{table} where market_effect_usd is not null")
            assert known
            assert [row for row in known if not closes(row)] == []
