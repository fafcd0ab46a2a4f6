"""What changed between vintages, printed or silent: reports in, `ops.revision` out."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import golden
import pytest
import steps
from world import World

from pipelines.checking.check import check
from tests.bridge_world import BridgeWorld, Rows, m

pytestmark = pytest.mark.slow

BTC = "Date,IBIT,FBTC,Total"
MOMENTS = ("2026-02-03T18:00Z", "2026-02-03T23:30Z", "2026-02-04T05:00Z", "2026-02-09T12:00Z")
DAY = dt.date(2026, 2, 3)
VINTAGES = (
    golden.history(BTC, "02 Feb 2026,5.0,5.0,10.0", "03 Feb 2026,0.0,0.0,0.0"),
    golden.history(BTC, "02 Feb 2026,5.0,5.0,10.0", "03 Feb 2026,,-90.4,-90.4"),
    golden.history(BTC, "02 Feb 2026,5.0,5.0,10.0", "03 Feb 2026,60.0,-90.4,-30.4"),
    golden.history(BTC, "02 Feb 2026,5.00,5.0,10.0", "03 Feb 2026,60.0,-91.4,-31.4"),
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Give a day as it fills: false zeros, blanks, values; then one restated, one printed finer."""
    world = World(tmp_path_factory.mktemp("filled") / "warehouse")
    for moment, content in zip(MOMENTS, VINTAGES, strict=True):
        world.add("farside_btc", "btc.csv", content, received=moment)
    assert steps.publish_all(world.warehouse) == []
    return world


def revisions_of(world: World, label: str, day: dt.date) -> list[tuple[Any, ...]]:
    return world.query(
        "select kind, from_value / 1000000, to_value / 1000000, change / 1000000, from_status, "
        "to_status from ops.revision where label = ? and period_end = ? order by to_known_at",
        label,
        day,
    )


def test_e37_a_day_that_fills_is_blanked_and_filled_and_then_restated(filled):
    assert revisions_of(filled, "IBIT", DAY) == [
        ("blanked", 0, None, None, "preliminary", "preliminary"),
        ("filled", None, 60, None, "preliminary", "final"),
    ]
    assert revisions_of(filled, "FBTC", DAY) == [
        ("filled", 0, -90.4, -90.4, "preliminary", "preliminary"),
        ("status", -90.4, -90.4, 0, "preliminary", "final"),
        ("restated", -90.4, -91.4, -1, "final", "final"),
    ]


def test_f9_the_same_number_with_more_digits_is_no_restatement(filled):
    assert revisions_of(filled, "IBIT", dt.date(2026, 2, 2)) == [
        ("finer", 5, 5, 0, "final", "final")
    ]


def test_e43_a_revision_names_both_reports_their_times_and_the_cell(filled):
    row = filled.rows("from ops.revision where kind = 'restated' and label = 'FBTC'")[0]
    reports = dict(filled.query("select known_at, report_id from core.report"))
    assert (row["from_report_id"], row["to_report_id"]) == (
        reports[row["from_known_at"]],
        reports[row["to_known_at"]],
    )
    assert [row["from_known_at"].isoformat(), row["to_known_at"].isoformat()] == [
        "2026-02-04T05:00:00+00:00",
        "2026-02-09T12:00:00+00:00",
    ]
    assert (row["sheet"], row["cell"], row["hard_bound"]) == ("csv", "C3", m("0.1"))
    assert (row["measure"], row["period"], row["unit"]) == ("net_flow", "day", "USD")
    assert (row["aum_usd"], row["change_pct_of_aum"]) == (None, None)


def test_e43_there_is_a_row_for_every_statement_after_the_first(filled):
    expected = filled.one(
        "select count(*) - count(distinct (printed_table, dimension, label, measure, period, "
        "period_end)) from core.observation_history"
    )
    assert filled.one("select count(*) from ops.revision") == expected > 5


def test_e43_a_revision_is_known_only_when_it_was_made(filled):
    said = filled.call("as-of", "2026-02-04")
    assert said.code == 0, said.text
    file = next(file for file in filled.root.glob("fundflows@*.duckdb"))
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        kinds = connection.execute(
            "select kind, count(*) from ops.revision group by all order by 1"
        )
        found = dict(kinds.fetchall())
    later = dict(filled.query("select kind, count(*) from ops.revision group by all"))
    assert "restated" not in found
    assert found["blanked"] == later["blanked"] == 1
    assert later["restated"] == 2  # the fund and the total


# -- weekly reports with totals to date ------------------------------------------------------------

WEEKLY = {
    "layouts": [
        {
            "name": "weekly",
            "container": "csv",
            "valid_from": "2000-01-01",
            "tables": [
                {
                    "name": "by_asset",
                    "header": ["date", "asset", "week"],
                    "totals": "none",
                    "dimension": "asset",
                    "columns": {
                        "date": {"key": "date", "formats": ["%Y-%m-%d"]},
                        "asset": {"key": "label"},
                        "week": {"measure": "net_flow", "unit": "USD", "period": "week"},
                        "mtd": {
                            "measure": "net_flow",
                            "unit": "USD",
                            "period": "mtd",
                            "optional": True,
                        },
                        "ytd": {
                            "measure": "net_flow",
                            "unit": "USD",
                            "period": "ytd",
                            "optional": True,
                        },
                        "aum": {"measure": "aum", "unit": "USD", "optional": True},
                    },
                }
            ],
        }
    ]
}
FIRST = "2025-11-14,BTC,-1.00bn,46.30bn\n"


def weekly(
    world: BridgeWorld, name: str, *reports: str, header: str = "date,asset,week,ytd"
) -> None:
    """Archive weekly reports of a source, each known a few days after its last week."""
    for number, report in enumerate(reports):
        newest = dt.date.fromisoformat(report.splitlines()[-1][:10])
        received = f"{newest + dt.timedelta(days=3 + number)}T12:00:00+00:00"
        world.report(name, f"{header}\n{report}", received=received, **WEEKLY)


def silent(world: BridgeWorld, name: str) -> Rows:
    return world.rows(
        "from ops.revision where source = ? and kind = 'silent' order by week_ending", name
    )


@pytest.fixture(scope="module")
def chained(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    world = BridgeWorld(tmp_path_factory.mktemp("chained"))
    weekly(world, "up", FIRST, "2025-11-21,BTC,-1.94bn,44.40bn\n")
    weekly(world, "down", FIRST, "2025-11-21,BTC,-1.94bn,43.90bn\n")
    weekly(world, "rounding", FIRST, "2025-11-21,BTC,-1.94bn,44.37bn\n")
    # The report of the next week prints the week before again, restated by the same 0.04.
    weekly(
        world,
        "told",
        FIRST,
        "2025-11-14,BTC,-0.96bn,\n2025-11-21,BTC,-1.94bn,44.40bn\n",
    )
    # The week before is reprinted whole, with its total to date: nothing is left to reveal.
    weekly(
        world,
        "mended",
        FIRST,
        "2025-11-14,BTC,-0.96bn,46.34bn\n2025-11-21,BTC,-1.94bn,44.40bn\n",
    )
    weekly(
        world,
        "restated_later",
        FIRST,
        "2025-11-21,BTC,-1.94bn,44.36bn\n",
        "2025-11-21,BTC,-1.90bn,44.36bn\n",
    )
    weekly(
        world,
        "two_weeks",
        FIRST,
        "2025-11-21,BTC,-1.94bn,n/a\n",
        "2025-11-28,BTC,0.50bn,44.96bn\n",
    )
    weekly(world, "gap", FIRST, "2025-11-28,BTC,0.50bn,44.96bn\n")
    weekly(world, "year", "2025-12-26,BTC,-1.00bn,46.30bn\n", "2026-01-02,BTC,-0.10bn,0.20bn\n")
    weekly(
        world,
        "month",
        "2025-11-14,BTC,-1.00bn,-3.00bn\n",
        "2025-11-21,BTC,-1.94bn,-4.00bn\n",
        header="date,asset,week,mtd",
    )
    weekly(
        world,
        "sized",
        "2025-11-14,BTC,-1.00bn,100bn\n",
        "2025-11-21,BTC,-2.00bn,90bn\n",
        "2025-11-21,BTC,-2.50bn,90bn\n",
        header="date,asset,week,aum",
    )
    return world.publish()


@pytest.mark.parametrize(
    ("name", "r", "bound"), [("up", "40", "15"), ("down", "-460", "15"), ("month", "940", "15")]
)
def test_f16_e44_a_total_to_date_that_does_not_grow_by_the_week_is_a_silent_revision(
    chained, name, r, bound
):
    (row,) = silent(chained, name)
    assert (row["change"], row["hard_bound"]) == (m(r), m(bound))
    assert row["to_value"] - row["from_value"] == m(r)
    assert (row["week_ending"], row["label"]) == (dt.date(2025, 11, 21), "BTC")
    assert row["period"] == ("mtd" if name == "month" else "ytd")
    assert row["from_report_id"] != row["to_report_id"]
    assert row["cell"] == "D2"


@pytest.mark.parametrize("name", ["rounding", "year", "gap"])
def test_f16_rounding_a_new_year_and_a_missing_week_reveal_nothing(chained, name):
    assert silent(chained, name) == []


@pytest.mark.parametrize("name", ["told", "mended"])
def test_f16_a_revision_that_was_printed_is_not_silent(chained, name):
    assert silent(chained, name) == []
    row = chained.one("from ops.revision where source = ? and period = 'week'", name)
    assert (row["kind"], row["change"]) == ("restated", m("40"))


def test_f16_the_week_itself_restated_afterwards_is_not_held_against_the_total(chained):
    assert silent(chained, "restated_later") == []


def test_f16_a_total_that_is_not_declared_for_a_week_is_bridged(chained):
    """46.30 - 1.94 + 0.50 = 44.86: the next total, 44.96, has 0.10 that no week shows."""
    (row,) = silent(chained, "two_weeks")
    assert (row["change"], row["hard_bound"]) == (m("100"), m("20"))
    assert row["week_ending"] == dt.date(2025, 11, 28)


def test_f5_a_revision_is_measured_against_the_aum_of_the_weeks_open(chained):
    row = chained.one("from ops.revision where source = 'sized'")
    assert (row["kind"], row["change"]) == ("restated", m("-500"))
    assert (row["aum_usd"], row["change_pct_of_aum"]) == (m("100000"), Decimal("-0.5"))


# -- totals since inception ------------------------------------------------------------------------


def page(*days: tuple[str, str], total: str) -> bytes:
    """Return a page of one fund with its footer."""
    rows = [[day, flow, flow] for day, flow in days]
    return golden.page([[["Fee", "IBIT", "Total"], *rows, ["Total", total, total]]])


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        # The footer grows by the days that were added: 100 + 5 - 2.
        ([("15 Jan 2026", "5.0"), ("16 Jan 2026", "(2.0)")], []),
        # It grows by 20 more: a day that the page no longer shows was revised.
        ([("15 Jan 2026", "5.0"), ("16 Jan 2026", "(22.0)")], [m("20")]),
        # The day before, still shown, is restated by 20, as printed.
        ([("14 Jan 2026", "21.0"), ("15 Jan 2026", "5.0"), ("16 Jan 2026", "(22.0)")], []),
        # Pages with weeks between them do not tell.
        ([("29 Jan 2026", "5.0"), ("30 Jan 2026", "(22.0)")], []),
    ],
    ids=["grows", "silent", "printed", "gap"],
)
def test_e45_a_run_total_that_does_not_grow_by_its_days_is_a_silent_revision(
    tmp_path, second, expected
):
    world = World(tmp_path / "warehouse")
    first = page(("13 Jan 2026", "1.0"), ("14 Jan 2026", "1.0"), total="100")
    world.add("farside_btc", "one.html", first, received="2026-01-15T06:00Z")
    world.add("farside_btc", "two.html", page(*second, total="103"), received="2026-02-01T06:00Z")
    assert steps.publish_all(world.warehouse) == []
    found = world.query(
        "select label, change, period from ops.revision where kind = 'silent' order by label"
    )
    assert found == [(label, r, "since_inception") for label in ("IBIT", "Total") for r in expected]


# -- weekly estimates by class ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def estimates(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Give a release, and one that restates a week of it and no longer prints the oldest one."""
    world = World(tmp_path_factory.mktemp("estimates") / "warehouse")
    changes = {("2023-11-29", name): flow for name, flow in ICI_RESTATED.items()}
    later = golden.ici_release(changes, weeks=list(golden.ICI_WEEKS)[1:])
    world.add("ici", "first.csv", golden.ici_release(), received="2023-12-13T20:00Z")
    world.add("ici", "second.csv", later, received="2023-12-20T20:00Z")
    assert steps.publish_all(world.warehouse) == []
    return world


ICI_RESTATED = {"Equity": 310, "Equity/Domestic": 110, "Total": 260}


def test_e43_a_restated_estimate_is_a_revision_of_each_class_that_it_is_in(estimates):
    rows = estimates.query(
        "select label, from_value, to_value, change, kind, period_start, period_end "
        "from ops.revision where source = 'ici' order by label"
    )
    span = (dt.date(2023, 11, 22), dt.date(2023, 11, 29))
    assert rows == [
        ("Equity", m("300"), m("310"), m("10"), "restated", *span),
        ("Equity/Domestic", m("100"), m("110"), m("10"), "restated", *span),
        ("Total", m("250"), m("260"), m("10"), "restated", *span),
    ]


def test_e49_subtotals_and_totals_of_estimates_are_the_sums_of_their_rows(estimates):
    lines = estimates.query(
        "select rule, verdict, count(*), max(abs(residual)) from ops.certificate "
        "where source = 'ici' and rule like '%total' group by all order by all"
    )
    # Two subtotals and a total a week; the second release says something new of one week only.
    assert lines == [
        ("subtotal", "exact", 9, 0),
        ("subtotal", "rounding", 1, m("1")),
        ("total", "exact", 4, 0),
        ("total", "rounding", 1, m("1")),
    ]
    off = golden.ici_release({("2023-12-06", "Bond/Taxable"): 33, ("2023-12-06", "Total"): 44})
    (line,) = [
        row
        for row in check([golden.read_bytes("ici", "off.csv", off)]).outcomes.rows(named=True)
        if row["verdict"] == "unexplained"
    ]
    assert (line["rule"], line["residual"], line["hard_bound"]) == ("subtotal", m("-3"), m("1.5"))


def test_e32_weeks_of_six_and_of_eight_days_are_kept_as_they_were(estimates):
    rows = estimates.query(
        "select distinct week_ending, period_end, period_end - period_start + 1 "
        "from core.observation where source = 'ici' order by 1"
    )
    assert [(f"{week:%m-%d}", f"{end:%m-%d}", days) for week, end, days in rows] == [
        ("11-15", "11-15", 7),
        ("11-22", "11-21", 6),
        ("11-29", "11-29", 8),
        ("12-06", "12-06", 7),
    ]


def test_e31_an_estimate_of_another_weekday_is_refused(tmp_path):
    shifted = golden.ici_release().replace(b"2023-12-06", b"2023-12-05")
    judged = check([golden.read_bytes("ici", "shifted.csv", shifted)])
    assert judged.refused.height == len(golden.ICI_CLASSES)
    refused = judged.refused.row(0, named=True)
    assert refused["printed"].endswith("of Tuesday 2023-12-05")
    assert "week.ended_early" in refused["reason"]


def test_classes_below_a_class_are_its_underlying_in_the_marts(estimates):
    flows = dict(
        estimates.query(
            "select underlying, net_flow_usd from mart.flows_by_underlying "
            "where source = 'ici' and week_ending = '2023-11-29'"
        )
    )
    assert flows == {"EQUITY": m("310"), "BOND": m("-45"), "HYBRID": m("-5"), "COMMODITY": 0}
    assert estimates.one(
        "select sum(net_flow_usd) from mart.flows_by_asset "
        "where source = 'ici' and week_ending = '2023-11-29'"
    ) == estimates.one(
        "select net_flow_usd from mart.flows where source = 'ici' and member = 'total' "
        "and week_ending = '2023-11-29'"
    )


# -- the real files --------------------------------------------------------------------------------


@pytest.mark.real
def test_e49_the_parts_of_real_estimates_meet_their_totals(real: Path, tmp_path):
    """Fifteen weeks of three releases, and one of them restated from the same figures."""
    world = World(tmp_path / "warehouse")
    content = (real / "ici" / "weekly_flows.csv").read_bytes()
    world.add("ici", "weekly_flows.csv", content, received="2024-05-08T20:00Z")
    restated = content
    for name, flow, then in (
        ("Equity", -6571, -6471),
        ("Equity/Domestic", -2299, -2199),
        ("Total", -7247, -7147),
    ):
        before, after = (f",2024-04-24,{name},{each},".encode() for each in (flow, then))
        assert restated.count(before) == 1
        restated = restated.replace(before, after)
    world.add("ici", "weekly_flows.csv", restated, received="2024-05-15T20:00Z")
    assert steps.publish_all(world.warehouse) == []
    lines = world.query(
        "select rule, verdict, count(*), max(abs(residual)) / 1000000 from ops.certificate "
        "where source = 'ici' and rule like '%total' group by all order by all"
    )
    assert lines == [
        ("subtotal", "exact", 25, 0),
        ("subtotal", "rounding", 7, 1),
        ("total", "exact", 11, 0),
        ("total", "rounding", 5, 1),
    ]
    classes = "label not like '%/%' and label <> 'Total'"
    (apart,) = world.query(
        "select max(abs(total.value - parts.value)) / 1000000 from core.observation as total "
        "inner join (select week_ending, sum(value) as value from core.observation "
        f"where source = 'ici' and {classes} group by all) as parts using (week_ending) "
        "where total.source = 'ici' and total.dimension = 'total'"
    )
    assert apart[0] <= 2
    assert world.query(
        "select label, change / 1000000, kind, week_ending from ops.revision order by label"
    ) == [
        (name, 100, "restated", dt.date(2024, 4, 24))
        for name in ("Equity", "Equity/Domestic", "Total")
    ]
    assert world.query("from ops.quarantine") == []
    unmapped = "from core.observation where member = 'unmapped' and dimension <> 'check'"
    assert world.query(unmapped) == []


@pytest.mark.real
def test_e07_e37_the_bitcoin_day_of_february_is_revised_as_it_was_seen(real: Path, tmp_path):
    """The five vintages of 3 and 4 February 2026: false zeros, blanks, then figures."""
    world = World(tmp_path / "warehouse")
    for file in sorted((real / "farside" / "vintages").glob("btc_asof_*.csv")):
        seen = dt.datetime.strptime(file.stem[-14:], "%Y%m%dT%H%MZ").replace(tzinfo=dt.UTC)
        world.add("farside_btc", file.name, file.read_bytes(), received=seen.isoformat())
    assert steps.publish_all(world.warehouse) == []
    assert revisions_of(world, "Total", DAY) == [
        ("filled", 0, -90.4, -90.4, "preliminary", "preliminary"),
        ("filled", -90.4, -332, -241.6, "preliminary", "preliminary"),
        ("filled", -332, -272, 60, "preliminary", "final"),
    ]
    blanked = world.query(
        "select distinct to_known_at, count(*) over () from ops.revision where kind = 'blanked'"
    )
    assert [(f"{seen:%H:%M}", funds) for seen, funds in blanked] == [("18:30", 11)]
    assert world.query("from ops.revision where kind in ('restated', 'silent')") == []
