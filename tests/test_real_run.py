"""The real reports, through `fundflows add` and `fundflows run`, read back with plain SQL."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal

import pytest
from world import World

pytestmark = [pytest.mark.real, pytest.mark.slow]
Query = Callable[..., list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def query(published_real: World) -> Query:
    """Return what asks the file that was published of every real report and the samples."""
    assert "Nothing is new" in published_real.run().text
    return published_real.query


@pytest.mark.parametrize(
    ("source", "week", "member", "millions"),
    [
        ("farside_btc", "2025-11-07", "total", "-1208.4"),
        ("farside_btc", "2025-11-07", "ibit-us", "-581.0"),
        ("farside_btc", "2025-11-07", "fbtc-us", "-438.4"),
        ("farside_btc", "2025-11-07", "gbtc-us", "-64.3"),
        ("farside_btc", "2026-01-23", "total", "-1324.1"),
        ("farside_btc", "2026-02-13", "ibit-us", "-234.8"),
        ("farside_btc", "2026-02-27", "total", "787.4"),
        ("farside_btc", "2026-04-10", "total", "833.2"),
        ("farside_btc", "2026-04-10", "msbt-us", "61.8"),
        ("farside_eth", "2026-02-13", "etha-us", "-112.7"),
    ],
)
def test_weekly_flows(query: Query, source: str, week: str, member: str, millions: str) -> None:
    rows = query(
        "select net_flow_usd from mart.flows where source = ? and week_ending = ? and member = ?",
        source,
        week,
        member,
    )
    assert rows == [(Decimal(millions) * 1_000_000,)]


def test_all_bitcoin_weeks(query: Query) -> None:
    sql = "select count(*), sum(net_flow_usd) from mart.flows where source = ? and dimension = ?"
    assert query(sql, "farside_btc", "total") == [(137, Decimal("53775100000.00"))]


def test_issuers_over_two_sources(query: Query) -> None:
    rows = query(
        "select member, sum(net_flow_usd) / 1000000 from mart.flows_by_issuer "
        "where source in ('farside_btc', 'farside_eth') and week_ending = '2026-01-23' "
        "and member in ('ishares', 'fidelity', 'grayscale') group by all order by 2"
    )
    assert [(member, round(Decimal(str(sum_)), 1)) for member, sum_ in rows] == [
        ("ishares", Decimal("-969.0")),
        ("fidelity", Decimal("-529.5")),
        ("grayscale", Decimal("-207.1")),
    ]


def test_footers_of_the_page_meet_the_history(query: Query) -> None:
    rows = dict(
        query("select verdict, count(*) from ops.certificate where rule = 'footer' group by all")
    )
    # 12 funds and the total, each with a total, a mean, a maximum and a minimum.
    assert sum(rows.values()) == 52  # type: ignore[arg-type]
    assert set(rows) == {"exact", "rounding"}


def test_row_in_progress_was_preliminary(query: Query) -> None:
    """The page of 23 July 2026 printed dashes and 0.0 for the day; the history has it later."""
    day = "source = 'farside_btc' and period_end = '2026-07-23' and dimension = 'total'"
    assert query(f"select value, status from core.observation where {day}") == [
        (Decimal(-225_100_000), "final")
    ]


def test_hbr_bridge(query: Query) -> None:
    rows = query(
        "select aum_open_usd, aum_close_usd, net_flow_usd, market_effect_usd "
        "from mart.aum_change_by_fund where member = 'hbr-us' and week_ending = '2025-11-07'"
    )
    assert rows == [
        (
            Decimal("45931426.20"),
            Decimal("68953326.04"),
            Decimal("26657200.00"),
            Decimal("-3635300.16"),
        )
    ]


def test_identity_closes_on_every_row(query: Query) -> None:
    """F4, to the cent, wherever every day's flow is known; and there are such rows everywhere."""
    rows = query(
        "select source, count(*) filter (where market_effect_usd is not null), "
        "count(*) filter (where aum_open_usd + coalesce(net_flow_usd, 0) + market_effect_usd "
        "+ coalesce(fx_effect_usd, 0) + coalesce(corporate_action_usd, 0) "
        "+ coalesce(universe_effect_usd, 0) <> aum_close_usd) "
        "from mart.aum_change group by all order by all"
    )
    assert [(source, broken) for source, _, broken in rows] == [
        ("ark_bloomberg", 0),
        ("canary", 0),
        ("coinshares", 0),
        ("proshares", 0),
    ]
    assert all(closed for _, closed, _ in rows)


def test_sso_is_nav_times_shares(query: Query) -> None:
    rows = query(
        "select sum(checked), sum(failed) from ops.certificate "
        "where source = 'proshares' and rule = 'position'"
    )
    assert rows == [(4755, 0)]


def test_arkb_of_two_publishers(query: Query) -> None:
    """532 of 536 days agree within 0.06m; the other four are known by date."""
    days = (
        "select trade_date, net_flow_usd from core.fund_step "
        "where label = 'ARKB' and flow_method = 'printed' and source = "
    )
    joined = (
        f"from ({days} 'ark_bloomberg') as ark join ({days} 'farside_btc') as farside "
        "using (trade_date)"
    )
    apart = "abs(ark.net_flow_usd - farside.net_flow_usd) > 60000"
    assert query(f"select count(*), count(*) filter (where not {apart}) {joined}") == [(536, 532)]
    differing = query(f"select trade_date::varchar {joined} where {apart} order by 1")
    assert [day for (day,) in differing] == [
        "2024-02-13",
        "2025-03-28",
        "2025-04-01",
        "2025-04-02",
    ]


def test_coinshares_certificates(query: Query) -> None:
    """E50 closes exactly and within rounding; E49 leaves 11.8m, more than rounding allows."""
    sql = (
        "select split_part(line, ':', 1), residual / 1e6, hard_bound / 1e6, verdict "
        "from ops.certificate where source = 'coinshares' and rule = 'total' "
        "and week_ending = ? and line like '%net_flow of the week%' order by 1"
    )
    assert query(sql, "2023-05-12") == [
        ("by_asset", 0.0, 0.5, "exact"),
        ("by_country", -0.1, 0.45, "rounding"),
    ]
    by_asset = query(sql, "2026-01-23")[0]
    assert by_asset == ("by_asset", -11.8, 11.25, "unexplained")


def test_certificates_name_flows_that_aum_does_not_bear(query: Query) -> None:
    """E52: ARKF took in 36.4m on its first day, of which its printed AUM has 2.0m. E61: ARKB."""
    sql = (
        "select week_ending::varchar, right(line, 18) from ops.certificate "
        "where source = 'ark_bloomberg' and rule = ? and verdict = 'unexplained' "
        "and week_ending = coalesce(?, week_ending)"
    )
    assert query(sql, "flow_within_aum", None) == [("2019-02-08", "ARKF on 2019-02-04")]
    assert query(sql, "market_effect", "2024-08-09") == [("2024-08-09", "ARKB on 2024-08-05")]


def test_every_real_week_has_a_certificate(query: Query) -> None:
    """The sources that print whole days add up everywhere; bridges close wherever flow is known."""
    unexplained = "select distinct source from ops.certificate_status where unexplained > 0"
    assert sorted(query(unexplained)) == [("ark_bloomberg",), ("canary",), ("coinshares",)]
    assert query("select count(*) from ops.certificate where rule = 'bridge' and failed > 0") == [
        (0,)
    ]
    weeks = "select count(*) from (select distinct source, week_ending from core.observation)"
    certified = (
        "select count(*) from (select distinct source, week_ending from ops.certificate_status)"
    )
    assert query(weeks) == query(certified)


def test_weeks_in_which_flow_and_aum_of_bloomberg_disagree_are_listed(query: Query) -> None:
    """E61: of ARKB one week, that of 5 August 2024; of the equity funds those of August 2025."""
    sql = (
        "select week_ending::varchar, trade_date::varchar from ops.implied_return "
        "where source = 'ark_bloomberg' and label = ? and verdict = 'disagrees' order by 1"
    )
    assert query(sql, "ARKB") == [("2024-08-09", "2024-08-05")]
    assert ("2025-08-15", "2025-08-14") in query(sql, "ARKK")
    judged = "select count(*) from ops.implied_return where label = 'ARKB' and verdict <> 'unknown'"
    assert query(judged) == [(113,)]


def test_split_adjusted_shares_make_no_phantom_flow(query: Query) -> None:
    """Splits of SSO are in the printed history: its largest weekly flows are creations.

    After the seed weeks of 2006 the largest is that of 7 March 2014: shares grow by 92% over four
    days and stay, while NAV moves by 2%; a split would move NAV by the inverse.
    """
    rows = query(
        "select week_ending::varchar, round(100 * net_flow_usd / aum_open_usd, 1)::float, "
        "round(100 * market_effect_usd / aum_open_usd, 1)::float from mart.fund_bridge "
        "where source = 'proshares' and aum_open_usd > 0 "
        "order by abs(net_flow_usd / aum_open_usd) desc limit 2"
    )
    assert [(week, flow) for week, flow, _ in rows] == [
        ("2006-07-07", pytest.approx(100.6, abs=0.05)),
        ("2014-03-07", pytest.approx(93.0, abs=0.05)),
    ]
    days = query(
        "select shares_outstanding / 1e6, nav_local::float from core.fund_day "
        "where source = 'proshares' and trade_date between '2014-03-03' and '2014-03-20' "
        "order by trade_date"
    )
    assert all(0.95 < after[1] / before[1] < 1.05 for before, after in itertools.pairwise(days))
    assert days[0][0] == pytest.approx(121.2)
    assert min(shares for shares, _ in days[4:]) > 232


def test_e13_the_spin_off_of_31_july_2024_is_no_outflow(query: Query) -> None:
    """Printed: GBTC 0.0 and the Mini Trust +18.0; the assets that moved are in neither."""
    rows = query(
        "select label, net_flow_usd from core.fund_step where source = 'farside_btc' "
        "and trade_date = '2024-07-31' and label in ('GBTC', 'BTC') order by label"
    )
    assert rows == [("BTC", Decimal(18_000_000)), ("GBTC", Decimal(0))]
    weeks = query(
        "select member, net_flow_usd from mart.flows_by_fund where source = 'farside_btc' "
        "and week_ending = '2024-08-02' and member in ('gbtc-us', 'btc-us') order by member"
    )
    assert weeks == [("btc-us", Decimal(219_000_000)), ("gbtc-us", Decimal(-245_100_000))]
