"""Who counts for what: E19-E24, E39-E42 and F17 of METHODOLOGY; rows in, mart rows out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bridge_world import DIMENSIONS, BridgeWorld, closes, day, effects, expected, m

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
    filled = BridgeWorld(tmp_path_factory.mktemp("identity"))
    filled.fund("alpha-us")
    filled.fund("beta-us", issuer="vaneck", asset="ETH")
    for fill in EXAMPLES:
        fill(filled)
    return filled.publish()


# -- E19-E21: counted once -----------------------------------------------------------------------


@example
def _listings(world: BridgeWorld) -> None:
    world.fund("triplet-de", "TRIPLETDE", "TRIPLETCH", "TRIPLETNL")
    for country, exchange, primary in (
        ("DE", "Xetra", True),
        ("CH", "SIX", False),
        ("NL", "Euronext", False),
    ):
        world.refer(
            "listing",
            fund="triplet-de",
            country=country,
            exchange=exchange,
            ticker=f"TRIPLET{country}",
            is_primary=primary,
            valid_from="1900-01-01",
        )
    world.report(
        "listings",
        """
        date,fund,flow,aum
        2025-03-06,TRIPLETDE,0.0,1000
        2025-03-06,TRIPLETCH,0.0,1000
        2025-03-06,TRIPLETNL,0.0,1000
        2025-03-07,TRIPLETDE,100,1100
        2025-03-07,TRIPLETCH,100,1100
        2025-03-07,TRIPLETNL,100,1100
        """,
    )
    world.report(
        "listings_with_a_gap",
        """
        date,fund,flow,aum
        2025-03-06,TRIPLETDE,0.0,1000
        2025-03-06,TRIPLETCH,0.0,1000
        2025-03-06,TRIPLETNL,0.0,1000
        2025-03-07,TRIPLETDE,100,1100
        2025-03-07,TRIPLETCH,-,
        2025-03-07,TRIPLETNL,100,1100
        """,
    )
    world.report(
        "listings_one_late",
        """
        date,fund,flow,aum
        2025-02-28,TRIPLETDE,0.0,1000
        2025-03-06,TRIPLETDE,0.0,1000
        2025-03-06,TRIPLETCH,0.0,1000
        2025-03-07,TRIPLETDE,100,1100
        2025-03-07,TRIPLETCH,100,1100
        """,
    )


def test_e19_one_fund_listed_in_three_countries_counts_once(world: BridgeWorld) -> None:
    assert world.flow("listings", WEEK)["net_flow_usd"] == m(100)
    assert world.flows("listings", WEEK, "country") == {"DE": m(100)}
    assert world.flows("listings", WEEK, "fund") == {"triplet-de": m(100)}
    assert world.change("listings", WEEK)["aum_close_usd"] == m(1_100)


@pytest.mark.parametrize("name", ["listings_with_a_gap", "listings_one_late"])
def test_e19_a_listing_without_a_number_does_not_hide_those_that_have_one(
    world: BridgeWorld, name: str
) -> None:
    assert world.flow(name, WEEK)["net_flow_usd"] == m(100)
    change = world.change(name, WEEK)
    assert change["aum_close_usd"] == m(1_100)
    opening = 1_000
    assert change["aum_open_usd"] + change["universe_effect_usd"] == m(opening)


@example
def _feeders(world: BridgeWorld) -> None:
    world.fund("master-us")
    world.fund("feeder-ca", issuer="3iq")
    world.refer(
        "fund_holding", fund="feeder-ca", holds="master-us", weight=1, valid_from="2000-01-01"
    )
    world.report(
        "feeder",
        """
        date,fund,flow,aum
        2025-03-06,MASTER,0.0,1000
        2025-03-06,FEEDER,0.0,300
        2025-03-07,MASTER,100,1100
        2025-03-07,FEEDER,40,340
        """,
    )
    world.report(
        "feeder_alone",
        """
        date,fund,flow,aum
        2025-03-06,FEEDER,0.0,300
        2025-03-07,FEEDER,40,340
        """,
    )
    world.fund("fofa-us")
    world.fund("fofb-us", asset="MULTI")
    world.refer(
        "fund_holding", fund="fofb-us", holds="fofa-us", weight="0.25", valid_from="2000-01-01"
    )
    world.report(
        "fund_of_funds",
        """
        date,fund,flow,aum
        2025-03-06,FOFA,0.0,1000
        2025-03-06,FOFB,0.0,400
        2025-03-07,FOFA,100,1100
        2025-03-07,FOFB,40,440
        """,
    )


def test_e20_a_feeders_money_counts_once_in_the_world_and_in_both_countries(
    world: BridgeWorld,
) -> None:
    assert world.flow("feeder", WEEK)["net_flow_usd"] == m(100)
    assert world.flows("feeder", WEEK, "country") == {"US": m(100), "CA": m(40)}
    assert world.flows("feeder", WEEK, "fund") == {"master-us": m(100), "feeder-ca": m(40)}
    assert world.flow("feeder", WEEK, "asset", "BTC")["net_flow_usd"] == m(100)
    assert world.change("feeder", WEEK)["aum_close_usd"] == m(1_100)
    assert world.change("feeder", WEEK, "country", "CA")["aum_close_usd"] == m(340)
    assert world.flow("feeder_alone", WEEK)["net_flow_usd"] == m(40)


def test_e20_period_totals_count_a_feeder_as_the_weeks_do(world: BridgeWorld) -> None:
    row = world.one(
        "from mart.period_flows where source = 'feeder' and dimension = 'total'",
    )
    assert (row["net_flow_usd"], row["mtd_net_flow_usd"]) == (m(100), m(100))


def test_e21_a_fund_of_funds_counts_without_what_it_holds_of_others(world: BridgeWorld) -> None:
    assert world.flow("fund_of_funds", WEEK)["net_flow_usd"] == m(130)
    assert world.flow("fund_of_funds", WEEK, "fund", "fofb-us")["net_flow_usd"] == m(40)
    assert world.change("fund_of_funds", WEEK)["aum_close_usd"] == m(1_430)


# -- E22-E24: buckets, direction, leverage -------------------------------------------------------


@example
def _buckets(world: BridgeWorld) -> None:
    world.fund("basket-us", asset="MULTI")
    for asset, before, after in (
        ("BTC", "0.7", "0.5"),
        ("ETH", "0.2", "0.3"),
        ("OTHER", "0.1", "0.2"),
    ):
        world.refer(
            "asset_weight",
            fund="basket-us",
            asset=asset,
            weight=before,
            valid_from="2025-01-01",
            valid_to="2025-03-06",
        )
        world.refer(
            "asset_weight", fund="basket-us", asset=asset, weight=after, valid_from="2025-03-07"
        )
    world.report(
        "basket",
        """
        date,fund,flow
        2025-03-07,BASKET,10
        """,
    )
    world.fund("short-us", asset="SHORT-BTC", direction=-1)
    world.fund("double-us", leverage=2, product_type="leveraged_etf")
    world.report(
        "direction",
        """
        date,fund,flow
        2025-03-07,ALPHA,-1090
        2025-03-07,SHORT,0.5
        """,
    )
    world.report(
        "leverage",
        """
        date,fund,flow
        2025-03-07,DOUBLE,83
        """,
    )


def test_e22_multi_asset_is_its_own_bucket_and_looked_through_by_the_weights_before(
    world: BridgeWorld,
) -> None:
    assert world.flows("basket", WEEK, "asset") == {"MULTI": m(10)}
    looked = world.rows("from mart.flows_look_through where source = 'basket' order by asset")
    assert {row["asset"]: row["net_flow_usd"] for row in looked} == {
        "BTC": m(7),
        "ETH": m(2),
        "OTHER": m(1),
    }


def test_e23_money_keeps_its_sign_and_exposure_has_the_direction(world: BridgeWorld) -> None:
    total = world.flow("direction", WEEK)
    assert total["net_flow_usd"] == m("-1089.5")
    assert total["exposure_flow_usd"] == m("-1090.5")
    about = world.one("from mart.flows_by_underlying where source = 'direction'")
    assert (about["underlying"], about["net_flow_usd"]) == ("BTC", m("-1089.5"))
    assert about["exposure_flow_usd"] == m("-1090.5")
    assert world.flows("direction", WEEK, "asset") == {"BTC": m(-1090), "SHORT-BTC": m("0.5")}


def test_e24_leverage_multiplies_exposure_not_money(world: BridgeWorld) -> None:
    row = world.flow("leverage", WEEK)
    assert (row["net_flow_usd"], row["exposure_flow_usd"]) == (m(83), m(166))


# -- E39-E42: names ------------------------------------------------------------------------------


@example
def _names(world: BridgeWorld) -> None:
    world.report(
        "sponsor_change",
        """
        date,fund,flow,aum
        2024-06-12,BRRR,0.0,500
        2024-06-13,BRRR,-10,490
        2024-06-14,BRRR,4,494
        2024-06-21,BRRR,0.0,494
        """,
    )
    world.report(
        "sponsors",
        """
        date,fund,flow,aum
        2025-03-06,ARKB,0.0,4000
        2025-03-07,ARKB,11,4011
        """,
    )
    world.fund("bond-us", "BNDX1", asset="EQUITY")
    world.refer(
        "fund_identifier",
        fund="bond-us",
        kind="ticker",
        identifier="BTC",
        valid_from="2021-05-01",
        valid_to="2022-05-01",
    )
    world.report(
        "ticker",
        """
        date,fund,flow
        2021-06-04,BTC,5
        2023-06-02,BTC,6
        2024-08-02,BTC,7
        """,
    )
    world.report(
        "words",
        """
        date,asset,flow
        2026-01-23,Binance,4.6
        2026-01-23,BTC,-1090
        2026-01-23,ETH,-630
        """,
    )
    world.report(
        "tickers",
        """
        date,fund,flow
        2026-01-23,BTC,1
        2026-01-23,ETH,2
        """,
    )


def test_e39_a_sponsor_change_within_a_week_splits_it_by_day(world: BridgeWorld) -> None:
    assert world.flows("sponsor_change", "2024-06-14", "issuer") == {
        "valkyrie": m(-10),
        "coinshares": m(4),
    }
    assert world.flows("sponsor_change", "2024-06-14", "issuer_as_is") == {"coinshares": m(-6)}
    assert world.flow("sponsor_change", "2024-06-14")["net_flow_usd"] == m(-6)


def test_e39_the_aum_changes_hands_by_universe_and_nothing_is_lost(world: BridgeWorld) -> None:
    gone = world.change("sponsor_change", "2024-06-14", "issuer", "valkyrie")
    come = world.change("sponsor_change", "2024-06-14", "issuer", "coinshares")
    assert effects(gone) == expected(F=-10, U=0 + 500 - 490)
    assert gone["aum_close_usd"] == 0
    assert effects(come) == expected(F=4, U=490)
    assert come["aum_close_usd"] == m(494)
    assert effects(world.change("sponsor_change", "2024-06-14")) == expected(F=-6, U=500)
    assert world.flows("sponsor_change", "2024-06-21", "issuer") == {"coinshares": m(0)}


def test_e40_a_sponsor_is_an_attribute_and_never_a_second_row(world: BridgeWorld) -> None:
    assert world.flows("sponsors", WEEK, "issuer") == {"ark": m(11)}
    assert world.flows("sponsors", WEEK, "sponsor") == {"ARK Investment Management": m(11)}
    assert world.change("sponsors", WEEK)["aum_close_usd"] == m(4_011)
    brands = world.rows("from reference.issuer_sponsor where issuer in ('ishares', 'profunds')")
    assert {row["issuer"]: row["brand"] for row in brands}["ishares"] == "iShares"


def test_e41_a_reused_ticker_means_the_fund_that_had_it_then(world: BridgeWorld) -> None:
    assert world.flows("ticker", "2021-06-04", "fund") == {"bond-us": m(5)}
    assert world.flows("ticker", "2023-06-02", "fund") == {"unmapped": m(6)}
    assert world.flows("ticker", "2024-08-02", "fund") == {"btc-us": m(7)}


def test_e42_the_table_says_whether_a_word_is_a_coin_or_a_fund(world: BridgeWorld) -> None:
    assert world.flows("words", "2026-01-23", "asset") == {
        "BNB": m("4.6"),
        "BTC": m(-1090),
        "ETH": m(-630),
    }
    assert world.flows("tickers", "2026-01-23", "fund") == {"btc-us": m(1), "eth-us": m(2)}
    assert world.flows("tickers", "2026-01-23", "asset") == {"BTC": m(1), "ETH": m(2)}


# -- F17: period totals --------------------------------------------------------------------------


@example
def _periods(world: BridgeWorld) -> None:
    world.report(
        "new_year",
        """
        date,fund,flow
        2025-12-26,ALPHA,10
        2025-12-29,ALPHA,-50
        2025-12-30,ALPHA,-30
        2025-12-31,ALPHA,-9
        2026-01-02,ALPHA,671
        2026-01-09,ALPHA,29
        """,
    )


def test_f17_calendar_periods_are_sums_of_days_and_not_of_weeks(world: BridgeWorld) -> None:
    rows = world.rows(
        "from mart.period_flows where source = 'new_year' and dimension = 'total' "
        "order by week_ending"
    )
    said = [
        tuple(
            row[f"{name}_net_flow_usd"] / 1_000_000
            for name in ("mtd", "qtd", "ytd", "since_inception", "rolling_4w")
        )
        for row in rows
    ]
    assert [row["net_flow_usd"] for row in rows] == [m(10), m(582), m(29)]
    assert said == [
        (10, 10, 10, 10, 10),
        (671, 671, 671, 592, 592),  # the week is -89 of December and +671 of January (E34)
        (700, 700, 700, 621, 621),
    ]


def test_f4_and_totals_close_in_every_dimension(world: BridgeWorld) -> None:
    rows = world.rows("from mart.aum_change where market_effect_usd is not null")
    assert {row["dimension"] for row in rows} == set(DIMENSIONS)
    assert [row for row in rows if row["method"] == "funds" and not closes(row)] == []
    known = world.rows("from mart.fund_bridge where market_effect_usd is not null")
    assert [row for row in known if not closes(row)] == []
    assert world.rows("from mart.flows where week_ending = ? and source = 'feeder'", day(WEEK))
