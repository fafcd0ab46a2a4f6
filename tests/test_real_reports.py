"""The real reports: what two files of one publisher, or two columns of one row, both say.

They are read where they are; only facts about them stand here.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from golden import read_bytes, rows_of

from pipelines.reading.reader import Reading

pytestmark = pytest.mark.real

HALF_A_CENT = Decimal("0.005")


LATER = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
"""When all of the real reports had come out."""


@functools.cache
def reading_of(source: str, file: Path) -> Reading:
    return read_bytes(source, file.name, file.read_bytes(), LATER)


def daily(reading: Reading) -> dict[tuple[str, dt.date], dict[str, Any]]:
    """Return the daily flows of funds and the daily totals, by label and day."""
    rows = rows_of(reading, measure="net_flow")
    return {(row["label"], row["period_end"]): row for row in rows if row["dimension"] != "check"}


def positions(reading: Reading) -> dict[dt.date, dict[str, dict[str, Any]]]:
    """Return NAV, shares and AUM by day."""
    days: dict[dt.date, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in rows_of(reading):
        days[row["period_end"]][row["measure"]] = row
    return days


# -- flows by fund and day -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(real: Path) -> Reading:
    return reading_of("farside_btc", real / "farside" / "btc_page_2026-07-23.html")


@pytest.fixture(scope="module")
def history(real: Path) -> Reading:
    return reading_of("farside_btc", real / "farside" / "btc_history_2026-08-22.csv")


def test_the_page_and_the_history_agree_on_every_cell_that_both_print(page, history):
    printed, kept = daily(page), daily(history)
    both = {key for key in printed.keys() & kept.keys() if printed[key]["status"] == "final"}
    assert len(both) == 13 * 13  # 12 funds and the total, on 13 days before the one in progress
    assert {key: printed[key]["value"] for key in both} == {key: kept[key]["value"] for key in both}
    assert {key: printed[key]["half_unit"] for key in both} == {
        key: kept[key]["half_unit"] for key in both
    }
    assert {printed[key]["half_unit"] for key in both} == {Decimal(50_000)}


def test_the_row_in_progress_is_preliminary_and_its_dashes_are_null(page, history):
    rows = rows_of(page, status="preliminary")
    assert {row["period_end"] for row in rows} == {dt.date(2026, 7, 23)}
    assert Counter((row["dimension"], row["null_reason"]) for row in rows) == {
        ("fund", "dash"): 12,
        ("total", None): 1,
    }
    assert [row["value"] for row in rows if row["dimension"] == "total"] == [0]
    later = daily(history)
    assert all(later[row["label"], row["period_end"]]["status"] == "final" for row in rows)


def test_the_pages_footer_is_checks_and_its_totals_are_in_whole_millions(page, history):
    footers = rows_of(page, dimension="check", measure="net_flow")
    assert {row["half_unit"] for row in footers} == {Decimal(500_000)}
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for (label, day), row in daily(history).items():
        if day < dt.date(2026, 7, 23):
            sums[label] += row["value"] or 0
    assert len(footers) == 13
    # Days are printed to 0.1: over 636 of them, rounding leaves far less than 636 * 0.05.
    assert all(abs(sums[row["label"]] - row["value"]) <= 1_000_000 for row in footers)


def test_every_days_total_is_the_sum_of_its_funds_within_rounding(history):
    parts: dict[dt.date, list[Decimal]] = defaultdict(list)
    for (label, day), row in daily(history).items():
        if label != "Total" and row["value"] is not None:
            parts[day].append(row["value"])
    totals = {day: row["value"] for (label, day), row in daily(history).items() if label == "Total"}
    off = {
        day: total - sum(parts[day])
        for day, total in totals.items()
        if abs(total - sum(parts[day])) > 50_000 * (len(parts[day]) + 1)
    }
    assert off == {}
    assert len(totals) == 671


def test_vintages_of_one_day_are_preliminary_until_the_last_issuer_has_reported(real):
    day = dt.date(2026, 2, 3)
    told = []
    for file in sorted((real / "farside" / "vintages").glob("btc_asof_*.csv")):
        reading = reading_of("farside_btc", file)
        (status,) = {row["status"] for row in rows_of(reading, period_end=day)}
        values = [row["value"] for row in rows_of(reading, period_end=day, dimension="fund")]
        told.append((status, sum(value is not None for value in values)))
        assert {row["status"] for row in rows_of(reading) if row["period_end"] < day} == {"final"}
    assert told == [
        ("preliminary", 11),  # 0.0 in every column: placeholders
        ("preliminary", 0),
        ("preliminary", 2),
        ("preliminary", 10),
        ("final", 11),
    ]


def test_the_seed_row_of_the_ether_history_is_a_check_and_adds_to_nothing(real):
    reading = reading_of("farside_eth", real / "farside" / "eth_history_2026-08-22.csv")
    row_of_seed = [row for row in rows_of(reading) if re.fullmatch("[A-Z]+2", row["cell"])]
    assert len(row_of_seed) == 11
    assert {(row["measure"], row["dimension"]) for row in row_of_seed} == {("seed", "check")}
    assert rows_of(reading, measure="seed") == row_of_seed
    first = {
        label: row["value"]
        for (label, day), row in daily(reading).items()
        if day == dt.date(2024, 7, 23)
    }
    assert first["ETHA"] == Decimal(266_500_000)
    assert first["ETHB"] is None
    assert first["Total"] == Decimal(106_600_000)


def test_new_funds_come_without_a_change_of_layout(real):
    folder = real / "farside" / "vintages"
    early = reading_of("farside_sol", folder / "sol_asof_20251116T0209Z.csv")
    late = reading_of("farside_sol", folder / "sol_asof_20251203T2000Z.csv")
    funds = [{row["label"] for row in rows_of(each, dimension="fund")} for each in (early, late)]
    assert funds == [{"BSOL", "GSOL"}, {"BSOL", "GSOL", "VSOL", "FSOL", "TSOL", "SOEZ"}]
    assert early.layout == late.layout
    assert late.refused.is_empty()
    assert {row["period_end"] for row in rows_of(late, status="preliminary")} == {
        dt.date(2025, 12, 3)
    }


# -- positions -------------------------------------------------------------------------------------


def test_aum_is_nav_times_shares_on_every_row_of_twenty_years(real):
    reading = reading_of("proshares", real / "proshares" / "SSO-historical_nav.csv")
    days = positions(reading)
    assert len(days) == 4_755
    off = []
    for day, row in days.items():
        nav, shares, aum = (row[name] for name in ("nav", "shares_outstanding", "aum"))
        bound = (
            nav["half_unit"] * shares["value"]
            + shares["half_unit"] * nav["value"]
            + nav["half_unit"] * shares["half_unit"]
            + aum["half_unit"]
        )
        if abs(aum["value"] - nav["value"] * shares["value"]) > bound:
            off.append(day)
    assert off == []


@pytest.mark.parametrize(
    ("fund", "rows", "exceptions"), [("HBR", 238, []), ("XRPC", 226, [dt.date(2026, 3, 5)])]
)
def test_net_assets_are_nav_times_shares_within_half_a_cent_a_share(real, fund, rows, exceptions):
    reading = reading_of("canary", real / "canary" / f"{fund}.csv")
    days = positions(reading)
    assert len(days) == rows
    off = []
    for day, row in days.items():
        nav, shares, aum = (row[name]["value"] for name in ("nav", "shares_outstanding", "aum"))
        if abs(aum - nav * shares) > HALF_A_CENT * (shares + 1):
            off.append(day)
    assert off == exceptions
    assert {row["label"] for row in rows_of(reading)} == {fund}


# -- terminal exports ------------------------------------------------------------------------------

FLOW_ROWS = {
    "ARKK": 2851, "ARKG": 2851, "ARKF": 1781, "IZRL": 1469, "ARKX": 1239,
    "ARKQ": 850, "ARKW": 850, "PRNT": 850, "ARKB": 538,
}  # fmt: skip


def test_the_flows_of_a_sheet_a_fund(real):
    reading = reading_of("ark_bloomberg", real / "bloomberg" / "ARK ETF Fund Flows.xlsx")
    flows = rows_of(reading, measure="net_flow")
    assert reading.layout.name == "fund_flows"
    assert Counter(row["label"] for row in flows) == FLOW_ROWS
    assert len(rows_of(reading, measure="market_price")) == len(flows)
    assert all(row["sheet"] == row["label"] for row in flows)
    newest = [row for row in flows if row["period_end"] == dt.date(2026, 3, 5)]
    assert {(row["value"], row["null_reason"]) for row in newest} == {(None, "blank")}
    (one,) = rows_of(reading, label="ARKK", measure="net_flow", period_end=dt.date(2026, 3, 3))
    assert (one["value"], one["half_unit"]) == (Decimal("-50590300"), Decimal(50))
    assert reading.refused.is_empty()


def test_the_aum_of_a_column_a_fund_whatever_axis_its_header_names(real):
    reading = reading_of("ark_bloomberg", real / "bloomberg" / "ARK ETF AUM.xlsx")
    assert reading.layout.name == "aum"
    assert Counter(row["label"] for row in rows_of(reading)) == dict.fromkeys(FLOW_ROWS, 2874)
    assert {(row["measure"], row["period"]) for row in rows_of(reading)} == {("aum", "close")}
    (one,) = rows_of(reading, label="ARKB", period_end=dt.date(2026, 3, 10))
    assert (one["value"], one["cell"]) == (Decimal("2493343018"), "J3")
    assert reading.refused.is_empty()
