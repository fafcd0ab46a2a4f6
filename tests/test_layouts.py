"""Layouts: what is read through them, and the one error when a report is not as described."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import golden
import pytest
import yaml
from golden import only, read_as, read_bytes, rows_of

from pipelines.errors import FundflowsError, LayoutError, ShapeError
from pipelines.ingest.sources import source_of, sources
from pipelines.layouts.source import Source, parse_source
from pipelines.reading.reader import Reading
from schemas.measures import MEASURES
from schemas.observation import Observation, Refused

MILLION = 10**6
DAILY: dict[str, Any] = {
    "header": ["Date", "Total"],
    "filling": True,
    "columns": {
        "Date": {"key": "date", "formats": ["%d %b %Y"]},
        "Total": {"measure": "net_flow", "unit": "US$m", "period": "day", "dimension": "total"},
    },
    "across": {
        "dimension": "fund",
        "label": "[A-Z]{3,5}",
        "measure": "net_flow",
        "unit": "US$m",
        "period": "day",
    },
}
WEEKLY: dict[str, Any] = {
    "header": ["Asset", "Flow"],
    "dimension": "asset",
    "columns": {
        "Asset": {"key": "label"},
        "Flow": {"measure": "net_flow", "unit": "US$m", "period": "week"},
    },
}
AS_OF = {"facts": {"as_of": {"caption": "As of"}}}


def csv_of(text: str) -> bytes:
    """Return the lines of an indented text."""
    return "\n".join(line.strip() for line in text.strip().splitlines()).encode()


def refusal(source: Source | str, content: bytes, name: str = "report") -> ShapeError:
    """Return the one error of a report, which must say what, where, expected, found, and a fix."""
    with pytest.raises(ShapeError) as refused:
        read_as(golden.source(source) if isinstance(source, str) else source, name, content)
    error = refused.value
    assert f"file {name}" in str(error)
    for said in (error.what, error.expected, error.found, error.fix):
        assert said in str(error).replace("\n              ", "\n")
        assert said.strip()
    return error


def without_cells(reading: Reading) -> list[dict[str, Any]]:
    told = reading.observations.drop("cell", "report_id")
    return told.rows(named=True)


# -- what is read ----------------------------------------------------------------------------------


def test_the_weekly_workbook_is_read_whole():
    reading = read_bytes("coinshares", "week.xlsx", golden.CLEAN)
    figures = golden.FIGURES_OF_THE_WEEK.values()
    assert reading.observations.height == sum(4 * len(rows) for rows in figures)
    assert reading.refused.is_empty()
    assert reading.complete
    assert reading.published_at == dt.datetime(2023, 5, 15, 23, 59, 59, tzinfo=dt.UTC)
    assert reading.known_at == reading.published_at
    flow = only(reading, printed_table="by_asset", cell="B6")
    assert (flow["label"], flow["dimension"], flow["measure"]) == ("Bitcoin", "asset", "net_flow")
    assert (flow["value"], flow["half_unit"]) == (Decimal(-37_500_000), Decimal(50_000))
    assert (flow["printed"], flow["sheet"], flow["status"]) == ("-37.5", "By asset", "final")
    assert (flow["currency"], flow["unit"], flow["week_ending"]) == ("USD", "USD", golden.WEEK)
    assert {row["label"] for row in rows_of(reading, dimension="total")} == {"Total"}
    Observation.validate(reading.observations, lazy=True)
    Refused.validate(reading.refused, lazy=True)


@pytest.mark.parametrize(
    ("source", "name", "content", "rows"),
    [
        ("farside_btc", "btc.html", golden.FARSIDE_PAGE, 8 * 4),
        ("farside_btc", "btc.csv", golden.FARSIDE_HISTORY, 3 * 4),
        ("canary", "HBR.csv", golden.NAV_HISTORY, 2 * 3),
        ("proshares", "EXA.csv", golden.NAV_HISTORY_IN_THOUSANDS, 2 * 3),
    ],
)
def test_a_golden_report_of_each_kind_is_read_and_keeps_its_contract(source, name, content, rows):
    reading = read_bytes(source, name, content)
    assert reading.observations.height == rows
    assert reading.refused.is_empty()
    Observation.validate(reading.observations, lazy=True)


def test_a_moved_header_changes_nothing_but_the_cells():
    clean = read_bytes("coinshares", "week.xlsx", golden.CLEAN)
    moved = read_bytes("coinshares", "week.xlsx", golden.HEADER_MOVED)
    assert without_cells(moved) == without_cells(clean)
    assert only(clean, printed_table="by_asset", label="Tron", measure="aum")["cell"] == "E11"
    assert only(moved, printed_table="by_asset", label="Tron", measure="aum")["cell"] == "G18"


def test_a_page_and_its_history_say_the_same():
    page = read_bytes("farside_btc", "btc.html", golden.FARSIDE_PAGE)
    history = read_bytes("farside_btc", "btc.csv", golden.FARSIDE_HISTORY)
    named = ("label", "dimension", "period_start", "period_end", "value", "half_unit", "status")

    def said(reading: Reading) -> set[tuple[Any, ...]]:
        rows = [row for row in rows_of(reading, status="final") if row["dimension"] != "check"]
        return {tuple(row[name] for name in named) for row in rows}

    assert said(page) == said(history)


def test_the_pages_logos_are_second_labels_and_its_fees_are_not():
    reading = read_bytes("farside_btc", "btc.html", golden.FARSIDE_PAGE)
    assert {(row["label"], row["sublabel"]) for row in rows_of(reading, dimension="fund")} == {
        ("IBIT", "Blackrock"), ("FBTC", "Fidelity"), ("GBTC", "Grayscale"),
    }  # fmt: skip


def test_a_page_without_logos_has_no_second_labels():
    rows = [["", "", "", "", ""], *golden.FARSIDE_ROWS[1:]]
    rows[1] = ["", "IBIT", "FBTC", "GBTC", "Total"]
    reading = read_bytes("farside_btc", "btc.html", golden.page([rows]))
    assert {row["sublabel"] for row in rows_of(reading, dimension="fund")} == {None}


@pytest.mark.parametrize("source", ["farside_btc", "farside_eth", "farside_sol"])
def test_a_seed_row_is_a_check_of_a_stock_and_no_flow(source):
    content = golden.history(
        "Date,IBIT,ETHA,BSOL,Total", "Seed,10.6,,1.0,11.6", "15 Jan 2026,5.0,5.0,-1.5,8.5"
    )
    reading = read_bytes(source, "history.csv", content)
    seed = [row for row in rows_of(reading) if row["cell"] in ("B2", "C2", "D2", "E2")]
    assert {(row["dimension"], row["measure"], row["period"]) for row in seed} == {
        ("check", "seed", "close")
    }
    assert [row["value"] for row in seed] == [10_600_000, None, MILLION, 11_600_000]
    assert reading.refused.is_empty()


def test_a_new_ticker_needs_no_new_layout():
    before = read_bytes("farside_btc", "btc.csv", golden.FARSIDE_HISTORY)
    wider = golden.history(
        "Date,IBIT,FBTC,MSBT,GBTC,Total",
        "13 Jan 2026,10.0,-2.5,,,7.5",
        "14 Jan 2026,1119.9,0.0,,-20.0,1099.9",
        "15 Jan 2026,5.0,5.0,3.0,-1.5,11.5",
    )
    after = read_bytes("farside_btc", "btc.csv", wider)
    assert after.layout == before.layout
    assert [row["value"] for row in rows_of(after, label="MSBT")] == [None, None, 3 * MILLION]
    assert {row["label"] for row in rows_of(before)} | {"MSBT"} == {
        row["label"] for row in rows_of(after)
    }


def test_a_column_that_is_no_ticker_is_not_taken_for_one():
    content = golden.FARSIDE_HISTORY.replace(b"GBTC", b"Price")
    assert "'Price'" in refusal("farside_btc", content).what


@pytest.mark.parametrize(
    ("place", "period", "start"),
    [("B6", "week", "2023-05-06"), ("C6", "mtd", "2023-05-01"), ("D6", "ytd", "2023-01-01")],
)
def test_a_column_of_a_period_covers_that_period(place, period, start):
    reading = read_bytes("coinshares", "week.xlsx", golden.CLEAN)
    flow = only(reading, printed_table="by_asset", cell=place)
    assert (flow["period"], flow["period_start"]) == (period, dt.date.fromisoformat(start))
    assert flow["period_end"] == flow["week_ending"] == golden.WEEK


def test_a_stock_is_measured_at_the_close():
    reading = read_bytes("coinshares", "week.xlsx", golden.CLEAN)
    aum = only(reading, printed_table="by_asset", cell="E6")
    assert (aum["measure"], aum["value"]) == ("aum", 20_400 * MILLION)
    assert aum["period_start"] == aum["period_end"] == golden.WEEK


def test_the_stored_number_is_exact_and_the_shown_one_gives_the_rounding():
    content = golden.weekly({"By asset!B6": -37.5321, "By asset!B7": -10.36})
    reading = read_bytes("coinshares", "week.xlsx", content)
    flow = only(reading, printed_table="by_asset", cell="B6")
    assert (flow["value"], flow["half_unit"]) == (Decimal(-37_532_100), Decimal(50_000))
    assert flow["printed"] == "-37.5"
    assert only(reading, printed_table="by_asset", cell="B7")["printed"] == "-10.4"


@pytest.mark.parametrize(
    ("typed", "number_format", "value", "half"),
    [
        (-1090000000, "0.0,,", -1_090_000_000, 50_000),
        ("-1.09bn", "General", -1_090_000_000, 5_000_000),
        ("(37.5)", "General", -37_500_000, 50_000),
        (-37.5, "0.0;[Red]0.0", -37_500_000, 50_000),
        (-37.5, '_("$"* #,##0.0_);_("$"* \\(#,##0.0\\);_("$"* "-"??_);_(@_)', -37_500_000, 50_000),
        (0, '_(* #,##0.0_);_(* \\(#,##0.0\\);_(* "-"??_);_(@_)', 0, 50_000),
    ],
)
def test_a_figure_means_the_same_however_the_workbook_shows_it(typed, number_format, value, half):
    content = golden.weekly({"By asset!B6": typed}, formats={"By asset!B6": number_format})
    reading = read_bytes("coinshares", "week.xlsx", content)
    flow = only(reading, printed_table="by_asset", cell="B6")
    assert (flow["value"], flow["half_unit"]) == (value, half)


@pytest.mark.parametrize("number_format", ['"outflow "0.0', "-0.0"])
def test_a_number_stored_without_the_minus_that_it_shows_is_not_an_inflow(number_format):
    content = golden.weekly({"By asset!B6": 37.5}, formats={"By asset!B6": number_format})
    reading = read_bytes("coinshares", "week.xlsx", content)
    read = [row["value"] for row in rows_of(reading, printed_table="by_asset", cell="B6")]
    assert read in ([], [-37_500_000])


def test_a_word_for_missing_is_null_with_the_layouts_reason():
    content = golden.weekly({"By asset!B6": "n.d.", "By asset!B7": "-", "By asset!B8": None})
    reading = read_bytes("coinshares", "week.xlsx", content)
    reasons = [
        only(reading, printed_table="by_asset", cell=cell)["null_reason"]
        for cell in ("B6", "B7", "B8")
    ]
    assert reasons == ["not_declared", "dash", "blank"]


def test_a_number_that_is_a_word_is_refused_with_its_cell_and_the_rest_is_read():
    reading = read_bytes("coinshares", "week.xlsx", golden.TEXT_NUMBER)
    (refused,) = reading.refused.rows(named=True)
    assert (refused["rule"], refused["printed"], refused["label"]) == ("number", "twelve", "Tron")
    assert (refused["sheet"], refused["cell"]) == ("By asset", "B11")
    assert (refused["week_ending"], refused["measure"]) == (golden.WEEK, "net_flow")
    assert "US$m" in refused["reason"]
    assert "`nulls`" in refused["reason"]
    clean = read_bytes("coinshares", "week.xlsx", golden.CLEAN)
    assert golden.numbers(reading.observations).height == clean.observations.height - 1


def test_formulas_never_calculated_are_refused_and_not_read_as_blank():
    reading = read_bytes("coinshares", "week.xlsx", golden.NEVER_CALCULATED)
    (refused,) = reading.refused.rows(named=True)
    assert refused["cell"] == "B14"
    assert "=SUM(B6:B13) (never calculated)" in refused["printed"]


def test_a_label_that_nobody_knows_is_kept_as_printed():
    reading = read_bytes("coinshares", "week.xlsx", golden.UNKNOWN_LABEL)
    assert only(reading, cell="B12", dimension="asset")["label"] == "Moonshot"


def test_a_total_is_read_as_printed_and_not_as_it_should_be():
    reading = read_bytes("coinshares", "week.xlsx", golden.TOTAL_OFF)
    assert only(reading, printed_table="by_asset", cell="B14")["value"] == Decimal(-54_700_000)


def test_a_number_in_merged_cells_is_counted_once():
    sheets = golden.weekly_sheets({"By asset!B7": None})
    content = golden.workbook(sheets, merges=["By asset!B6:B7"])
    reading = read_bytes("coinshares", "week.xlsx", content)
    assert only(reading, printed_table="by_asset", cell="B6")["value"] == Decimal(-37_500_000)
    (refused,) = reading.refused.rows(named=True)
    assert refused["cell"] == "B7"
    assert "merged" in refused["printed"]


@pytest.mark.parametrize("figure", ["1e30", "1e99", "123456789012345678901234567890.5"])
def test_a_number_too_large_to_keep_is_refused_and_does_not_vanish(figure):
    content = golden.FARSIDE_HISTORY.replace(b"1119.9", figure.encode())
    reading = read_bytes("farside_btc", "btc.csv", content)
    assert [row["cell"] for row in reading.refused.rows(named=True)] == ["B3"]
    assert not rows_of(reading, cell="B3")


def test_a_number_with_more_decimals_than_are_kept_says_so_by_its_half_unit():
    content = golden.NAV_HISTORY.replace(b"25.5", b"25.123456789012345")
    nav = only(read_bytes("canary", "HBR.csv", content), cell="C3")
    assert (nav["value"], nav["half_unit"]) == (Decimal("25.1234567890"), Decimal("1e-10"))
    assert nav["printed"] == "25.123456789012345"


# -- rows ------------------------------------------------------------------------------------------

RULES = [
    {"text": ["Total", "Sum"], "role": "total"},
    {"text": "of which US", "role": "check"},
    {"text": "Peak", "role": "check", "measure": "net_flow_max", "period": "since_inception"},
    {"text": "subtitle", "role": "skip"},
]


def test_rows_are_members_totals_checks_or_nothing_by_rule():
    source = golden.declared(
        {**WEEKLY, "rows": RULES, "end": "[Nn]otes.*", "inception": "2024-01-11"}, **AS_OF
    )
    reading = read_as(
        source,
        "weekly.csv",
        csv_of(
            """As of,2026-01-16
            Asset,Flow (US$m)
            Bitcoin,5.0

            SUBTITLE,
            Of which US,3.0
            SUM,5.0
            Peak,90.0
            Notes: see below,7
            Ethereum,9.0"""
        ),
    )
    assert [(row["label"], row["dimension"], row["measure"]) for row in rows_of(reading)] == [
        ("Bitcoin", "asset", "net_flow"),
        ("Of which US", "check", "net_flow"),
        ("SUM", "total", "net_flow"),
        ("Peak", "check", "net_flow_max"),
    ]
    assert only(reading, label="Peak")["period_start"] == dt.date(2024, 1, 11)
    assert reading.refused.is_empty()


def test_a_row_without_label_or_date_is_refused_with_the_rule_to_add():
    source = golden.declared(WEEKLY, **AS_OF)
    reading = read_as(source, "r", b"As of,2026-01-16\nAsset,Flow\nBitcoin,5\n,9.9\n")
    assert reading.refused.select("rule", "cell").row(0) == ("label", "A4")
    content = golden.FARSIDE_HISTORY + b"Grand total,1,2,3,4\n"
    (refused,) = read_bytes("farside_btc", "btc.csv", content).refused.rows(named=True)
    assert (refused["rule"], refused["cell"]) == ("date", "A5")
    assert "'Grand total'" in refused["reason"]
    assert "`rows`" in refused["reason"]


def test_footers_of_a_page_are_checks_about_the_time_since_inception():
    reading = read_bytes("farside_btc", "btc.html", golden.FARSIDE_PAGE)
    footers = rows_of(reading, dimension="check", label="IBIT")
    assert [(row["measure"], row["value"]) for row in footers] == [
        ("net_flow", 1135 * MILLION),
        ("net_flow_mean", Decimal("378.3") * MILLION),
        ("net_flow_max", Decimal("1119.9") * MILLION),
        ("net_flow_min", 5 * MILLION),
    ]
    assert {row["period_start"] for row in footers} == {dt.date(2024, 1, 11)}
    assert {row["period_end"] for row in footers} == {dt.date(2026, 1, 15)}


def test_a_sign_of_minus_one_turns_printed_outflows():
    table = {**WEEKLY, "columns": {**WEEKLY["columns"]}}
    table["columns"]["Flow"] = {**WEEKLY["columns"]["Flow"], "sign": -1}
    reading = read_as(
        golden.declared(table, **AS_OF), "r", b"As of,2026-01-16\nAsset,Flow\nBitcoin,5.0\n"
    )
    flow = only(reading)
    assert (flow["value"], flow["half_unit"], flow["printed"]) == (-5 * MILLION, 50_000, "5.0")


# -- rows that are still being filled --------------------------------------------------------------

FULL = "14 Jan 2026,10.0,0.0,-2.0,8.0"


@pytest.mark.parametrize(
    ("newest", "status"),
    [
        ("15 Jan 2026,-,-,-,0.0", "preliminary"),
        ("15 Jan 2026,,,,0.0", "preliminary"),
        ("15 Jan 2026,0.0,0.0,0.0,0.0", "preliminary"),
        ("15 Jan 2026,,,-5.0,-5.0", "preliminary"),
        ("15 Jan 2026,,1.0,-5.0,-4.0", "preliminary"),
        ("15 Jan 2026,pending,1.0,-5.0,-4.0", "preliminary"),
        ("15 Jan 2026,3.0,0.0,0.0,3.0", "final"),
        ("15 Jan 2026,0.0,0.0,-5.0,-5.0", "final"),
    ],
)
@pytest.mark.parametrize("newest_first", [False, True])
def test_the_newest_row_is_preliminary_until_it_is_full(newest, status, newest_first):
    days = ["13 Jan 2026,1.0,1.0,1.0,3.0", FULL, newest]
    content = golden.history(
        "Date,IBIT,FBTC,GBTC,Total", *(reversed(days) if newest_first else days)
    )
    reading = read_bytes("farside_btc", "btc.csv", content)
    told = {row["period_end"].day: row["status"] for row in rows_of(reading)}
    assert told == {13: "final", 14: "final", 15: status}


def test_two_rows_that_lack_the_same_member_are_both_preliminary():
    """The last full row is the measure, not the row before."""
    content = golden.history(
        "Date,IBIT,FBTC,Total", "13 Jan 2026,1.0,2.0,3.0", "14 Jan 2026,1.0,,1.0",
        "15 Jan 2026,1.0,,1.0",
    )  # fmt: skip
    reading = read_bytes("farside_btc", "btc.csv", content)
    told = {row["period_end"].day: row["status"] for row in rows_of(reading)}
    assert told == {13: "final", 14: "preliminary", 15: "preliminary"}


def test_a_holiday_before_a_full_row_is_final_and_a_new_fund_is_no_gap():
    content = golden.history(
        "Date,IBIT,MSBT,Total", "16 Jan 2026,1.0,,1.0", "19 Jan 2026,,,0.0",
        "20 Jan 2026,1.0,2.0,3.0",
    )  # fmt: skip
    reading = read_bytes("farside_btc", "btc.csv", content)
    assert {row["status"] for row in rows_of(reading)} == {"final"}


def test_rows_of_a_table_that_is_not_filled_up_are_final():
    source = golden.declared({**DAILY, "filling": False})
    reading = read_as(source, "r", golden.history("Date,IBIT,Total", "15 Jan 2026,,0.0"))
    assert {row["status"] for row in rows_of(reading)} == {"final"}


# -- labels ----------------------------------------------------------------------------------------


def test_the_files_name_gives_the_label():
    reading = read_bytes("canary", "XRPC.csv", golden.NAV_HISTORY)
    assert {row["label"] for row in rows_of(reading)} == {"XRPC"}
    error = refusal("canary", golden.NAV_HISTORY, name="2026-01.csv")
    assert "no label" in error.what
    assert error.found == "2026-01.csv"
    assert "rename the file" in error.fix


def test_each_sheets_name_gives_its_label():
    rows = [["Date", "Fund Flow", "Close"], [dt.date(2026, 1, 15), 1.5, 70.0]]
    content = golden.workbook({"ARKK": rows, "ARKB": rows})
    reading = read_bytes("ark_bloomberg", "flows.xlsx", content)
    flows = rows_of(reading, measure="net_flow")
    assert [(row["label"], row["sheet"]) for row in flows] == [("ARKK", "ARKK"), ("ARKB", "ARKB")]
    assert {(row["value"], row["half_unit"]) for row in flows} == {(1_500_000, 50_000)}
    assert {row["value"] for row in rows_of(reading, measure="market_price")} == {70}
    broken = golden.workbook({"ARKK": rows, "ARKB": [["no table"]]})
    assert refusal("ark_bloomberg", broken).where.sheet == "ARKB"


def test_a_nav_history_gives_back_the_zeros_that_it_drops():
    reading = read_bytes("canary", "HBR.csv", golden.NAV_HISTORY)
    told = {row["measure"]: row for row in rows_of(reading, period_end=dt.date(2026, 1, 16))}
    named = ("value", "half_unit", "unit", "currency")
    assert {name: tuple(row[each] for each in named) for name, row in told.items()} == {
        "shares_outstanding": (50_000, Decimal("0.05"), "shares", None),
        "nav": (Decimal("25.5"), Decimal("0.005"), "USD/share", "USD"),
        "aum": (1_275_000, Decimal("0.005"), "USD", "USD"),
    }


def test_thousands_of_shares_and_declared_decimals():
    reading = read_bytes("proshares", "EXA.csv", golden.NAV_HISTORY_IN_THOUSANDS)
    shares = only(reading, measure="shares_outstanding", period_end=dt.date(2026, 1, 16))
    assert (shares["value"], shares["half_unit"]) == (1_500_000, 5)
    assert (shares["unit"], shares["currency"], shares["label"]) == ("shares", None, "EXA")
    nav = only(reading, measure="nav", period_end=dt.date(2026, 1, 15))
    assert (nav["value"], nav["half_unit"]) == (100, Decimal("0.00005"))
    assert (nav["unit"], nav["currency"]) == ("USD/share", "USD")


# -- columns that are not as described -------------------------------------------------------------


def with_lines(name: str, error: ShapeError, *, pick: int) -> Source:
    """Return a source with one of the lines that an error offers added, as a person would."""
    lines = [line for line in error.fix.splitlines() if line.startswith("  ")]
    ((header, column),) = yaml.safe_load(lines[pick]).items()
    attributes = golden.attributes_of(name)
    table = error.what.split()[1]
    for layout in attributes["layouts"]:
        for declared in layout["tables"]:
            if declared["name"] == table:
                known = declared["columns"].get(header, {}) if "..." in column else {}
                column.pop("...", None)
                declared["columns"][header] = {**known, **column}
    return parse_source(name, attributes, "defs.yaml")


def test_an_unknown_column_stops_the_report_with_the_lines_to_add():
    error = refusal("coinshares", golden.UNKNOWN_COLUMN, "week.xlsx")
    assert "by_asset has 1 unknown column: 'QTD flow'" in error.what
    assert "source coinshares, file week.xlsx, sheet By asset, cell F5" in str(error)
    assert "MTD flow" in error.expected
    assert "QTD flow (US$m)" in error.found
    assert '"QTD flow": {ignore: ' in error.fix
    assert '"QTD flow": {measure: net_flow, unit: US$m, period: ' in error.fix
    ignored = read_as(with_lines("coinshares", error, pick=0), "w", golden.UNKNOWN_COLUMN)
    assert not rows_of(ignored, cell="F6")
    measured = read_as(with_lines("coinshares", error, pick=1), "w", golden.UNKNOWN_COLUMN)
    assert only(measured, cell="F6")["value"] == -70 * MILLION


@pytest.mark.parametrize("header", ["Futures fund", ""])
def test_the_lines_to_add_help_with_headers_of_several_rows_or_none(header):
    rows = [
        [*row, cell]
        for row, cell in zip(
            golden.FARSIDE_ROWS,
            ["Other", header, "1.0%", *["1.0"] * 8] if header else ["", "", "", *["1.0"] * 8],
            strict=True,
        )
    ]
    content = golden.page([rows])
    error = refusal("farside_btc", content)
    read_as(with_lines("farside_btc", error, pick=0), "btc.html", content)


def test_the_line_to_add_to_a_table_of_days_is_about_days():
    content = golden.FARSIDE_HISTORY.replace(b"GBTC", b"Seed flow")
    assert "period: day" in refusal("farside_btc", content).fix


def test_a_missing_column_stops_the_report():
    error = refusal("coinshares", golden.MISSING_COLUMN)
    assert "by_provider has 1 missing column: 'AUM'" in error.what
    assert error.where.sheet == "By provider"
    assert "AUM: {..., optional: true}" in error.fix
    reading = read_as(with_lines("coinshares", error, pick=0), "w", golden.MISSING_COLUMN)
    assert not rows_of(reading, printed_table="by_provider", measure="aum")


def test_a_renamed_column_stops_the_report_and_the_old_name_is_offered():
    content = golden.weekly({"By asset!C5": "Month flow (US$m)"})
    error = refusal("coinshares", content)
    assert "'Month flow'" in error.what
    assert "'MTD flow'" in error.what
    assert 'MTD flow: {..., also: ["Month flow"]}' in error.fix
    reading = read_as(with_lines("coinshares", error, pick=0), "w", content)
    assert only(reading, printed_table="by_asset", cell="C6")["value"] == -62 * MILLION


def test_another_spelling_of_a_column_also_finds_the_table():
    attributes = golden.attributes_of("coinshares")
    for table in attributes["layouts"][0]["tables"]:
        table["columns"]["Week flow"]["also"] = ["Weekly flows"]
    source = parse_source("coinshares", attributes, "defs.yaml")
    content = golden.weekly({"By asset!B5": "Weekly flows (US$m)"})
    assert only(read_as(source, "w", content), printed_table="by_asset", cell="B6")


def test_a_header_that_is_not_there_is_shown_beside_the_closest_row():
    error = refusal("coinshares", golden.weekly({"By asset!B5": "Weekly flows (US$m)"}))
    assert "header was not found" in error.what
    assert (error.where.sheet, error.where.cell) == ("By asset", "A5")
    assert "Asset | Week flow" in error.expected
    assert "Asset | Weekly flows (US$m)" in error.found
    assert "add a layout" in error.fix


@pytest.mark.parametrize(
    ("source", "content"),
    [
        ("coinshares", golden.weekly({"By asset!F5": "AUM (US$m)", "By asset!F6": 1.0})),
        ("farside_btc", golden.FARSIDE_HISTORY.replace(b"Date,IBIT,FBTC", b"Date,IBIT,IBIT")),
    ],
)
def test_a_header_that_stands_twice_stops_the_report(source, content):
    error = refusal(source, content)
    assert "same header" in error.what
    assert "in columns" in error.found


@pytest.mark.parametrize("unit", ["US$bn", "US$ billion", "€m", "US$", "%", "shares", "USD/share"])
def test_a_header_that_prints_another_unit_stops_the_report(unit):
    error = refusal("coinshares", golden.weekly({"By exchange country!E5": f"AUM ({unit})"}))
    assert "The unit of column" in error.what
    assert (error.where.sheet, error.where.cell) == ("By exchange country", "E5")
    assert error.expected == "US$m"
    assert unit in error.found
    assert "add a layout with the date of the change" in error.fix


@pytest.mark.parametrize("unit", ["USDm", "US$ million", "$m", "USD mn", "m"])
def test_a_header_that_prints_the_same_unit_otherwise_is_read(unit):
    content = golden.weekly({"By exchange country!E5": f"AUM ({unit})"})
    reading = read_bytes("coinshares", "w", content)
    assert only(reading, printed_table="by_country", cell="E6")["value"] == 3000 * MILLION


def test_a_unit_in_a_header_row_of_its_own_is_a_unit_too():
    rows = [*golden.FARSIDE_ROWS]
    rows.insert(2, ["", "US$bn", "US$bn", "US$bn", "US$bn"])
    error = refusal("farside_btc", golden.page([rows]))
    assert "US$bn" in error.found


# -- reports that are not as described -------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [golden.SHEET_MISSING, golden.weekly(hidden={"By exchange country"})]
)
def test_a_missing_or_hidden_sheet_is_named(content):
    error = refusal("coinshares", content)
    assert "sheet of table by_country is missing" in error.what
    assert "By exchange country" in error.expected
    assert error.found == "By asset, By provider"
    assert "change `sheet` of table by_country" in error.fix


@pytest.mark.parametrize(
    ("source", "content", "expected"),
    [
        ("canary", golden.NAV_HISTORY_IN_THOUSANDS, "net_assets"),
        ("farside_eth", golden.FARSIDE_PAGE, "ETHA"),
        ("farside_sol", golden.FARSIDE_HISTORY, "BSOL"),
        ("ark_bloomberg", golden.CLEAN, "Date"),
    ],
)
def test_a_report_of_another_source_is_refused(source, content, expected):
    error = refusal(source, content, "HBR.csv")
    assert "header was not found" in error.what or "missing" in error.what
    assert f"source {source}" in str(error)
    assert expected in error.expected or "named" in error.expected
    assert "check that" in error.fix


def test_a_container_that_no_layout_reads_is_named():
    error = refusal("coinshares", golden.NAV_HISTORY)
    assert "No layout of coinshares reads csv files" in error.what
    assert "xlsx" in error.expected
    assert error.found == "a csv file"


EMPTY = {
    f"{name}!{column}{row}": None
    for name, rows in golden.FIGURES_OF_THE_WEEK.items()
    for row in range(6, 6 + len(rows))
    for column in "ABCDE"
}


@pytest.mark.parametrize(
    ("source", "content"),
    [
        ("farside_btc", b"Date,IBIT,FBTC,Total\n"),
        ("farside_btc", golden.page([golden.FARSIDE_HEADER])),
        ("canary", golden.NAV_HISTORY.splitlines()[0]),
        ("coinshares", golden.weekly(EMPTY)),
    ],
)
def test_a_report_without_rows_is_refused(source, content):
    error = refusal(source, content, "HBR.csv")
    assert "row" in error.what
    assert "without rows" in error.found


def test_a_table_without_rows_is_no_silent_gap():
    one_empty = {place: None for place in EMPTY if place.startswith("By provider")}
    with pytest.raises(FundflowsError, match="by_provider"):
        read_bytes("coinshares", "w", golden.weekly(one_empty))


def test_a_fact_said_twice_and_not_the_same_is_refused():
    content = golden.weekly({"By provider!B1": golden.WEEK - dt.timedelta(days=7)})
    error = refusal("coinshares", content)
    assert "'Data as of' twice" in error.what
    assert error.found == "2023-05-05 | 2023-05-12"


def test_a_fact_that_is_missing_or_no_date_is_refused():
    gone = golden.weekly({f"{name}!{cell}": None for name in golden.KEYS for cell in ("A1", "B1")})
    error = refusal("coinshares", gone)
    assert "does not say 'Data as of'" in error.what
    worded = golden.weekly({f"{name}!B1": "last Friday" for name in golden.KEYS})
    error = refusal("coinshares", worded)
    assert "not a date" in error.what
    assert "last Friday" in error.found


@pytest.mark.parametrize("said", ["12 May 2023", "2023-05-12", "12 May 2023 "])
def test_a_fact_may_stand_in_its_own_cell_or_be_a_text(said):
    in_one = {f"{name}!A1": f"Data as of: {said}" for name in golden.KEYS}
    beside = {f"{name}!B1": None for name in golden.KEYS}
    for changes in ({**in_one, **beside}, {f"{name}!B1": said for name in golden.KEYS}):
        reading = read_bytes("coinshares", "w", golden.weekly(changes))
        assert {row["period_end"] for row in rows_of(reading)} == {golden.WEEK}


def test_a_fact_may_stand_beside_a_caption_in_merged_cells():
    sheets = golden.weekly_sheets({f"{name}!C1": golden.WEEK for name in golden.KEYS})
    for rows in sheets.values():
        rows[0][1] = None
    content = golden.workbook(sheets, merges=[f"{name}!A1:B1" for name in golden.KEYS])
    reading = read_bytes("coinshares", "w", content)
    assert {row["period_end"] for row in rows_of(reading)} == {golden.WEEK}


def test_rows_said_to_be_incomplete_are_told():
    content = golden.weekly({f"{name}!B3": "quoted in the press" for name in golden.KEYS})
    assert not read_bytes("coinshares", "w", content).complete


@pytest.mark.parametrize(
    ("received", "known"),
    [
        ("2023-05-15T09:00:00+00:00", "2023-05-15T09:00:00+00:00"),
        ("2024-01-01T00:00:00+00:00", "2023-05-15T23:59:59+00:00"),
    ],
)
def test_a_report_is_known_when_received_or_when_its_printed_day_was_over(received, known):
    when = dt.datetime.fromisoformat(received)
    reading = read_bytes("coinshares", "w", golden.CLEAN, received=when)
    assert reading.known_at == dt.datetime.fromisoformat(known)
    assert {row["known_at"] for row in rows_of(reading)} == {reading.known_at}


# -- dated layouts ---------------------------------------------------------------------------------


def in_billions(until: str | None = "2025-12-26") -> Source:
    """Return a source that prints US$m until 2025 and US$bn since, under the same header."""
    table = {**WEEKLY, "name": "only", "columns": {**WEEKLY["columns"]}}
    table["columns"]["Flow"] = {**WEEKLY["columns"]["Flow"], "unit": "US$bn"}
    newer = {
        "name": "billions", "container": "csv", "valid_from": "2026-01-02", "tables": [table],
    }  # fmt: skip
    return golden.declared(WEEKLY, more=[{**newer, **AS_OF}], valid_until=until, **AS_OF)


@pytest.mark.parametrize(
    ("day", "layout", "value"),
    [
        ("2025-12-26", "tiny", 5 * MILLION),
        ("2026-01-02", "billions", 5_000 * MILLION),
    ],
)
def test_a_layout_is_valid_from_its_date_until_it_is_replaced(day, layout, value):
    reading = read_as(in_billions(), "r", f"As of,{day}\nAsset,Flow\nBitcoin,5\n".encode())
    assert (reading.layout.name, only(reading)["value"]) == (layout, value)


def test_of_two_layouts_that_fit_the_newer_is_used():
    content = b"As of,2026-01-16\nAsset,Flow\nBitcoin,5\n"
    assert read_as(in_billions(until=None), "r", content).layout.name == "billions"


def test_a_report_from_before_all_layouts_is_refused():
    source = golden.declared(WEEKLY, valid_from="2026-01-01", **AS_OF)
    error = refusal(source, b"As of,2025-12-26\nAsset,Flow\nBitcoin,5\n")
    assert "not valid for the dates" in error.what
    assert "2026-01-01" in error.expected
    assert "2025-12-26" in error.found


# -- sources' own files ----------------------------------------------------------------------------


def test_every_source_of_the_project_loads_and_measures_what_is_known():
    loaded = sources(golden.SOURCES)
    assert set(loaded) == {file.name for file in golden.SOURCES.iterdir() if file.is_dir()}
    for name, source in loaded.items():
        assert source.name == name
        for layout in source.layouts:
            for table in layout.tables:
                declared = [*table.numbers.values(), *([table.across] if table.across else [])]
                ruled = [rule.measure for rule in table.rows if rule.measure]
                assert declared
                assert {each.measure for each in declared} | set(ruled) <= set(MEASURES)
            assert set(layout.null_reasons.values()) <= set(
                Observation.to_schema()
                .columns["null_reason"]
                .checks[0]
                .statistics["allowed_values"]
            )


def test_the_fingerprint_changes_with_the_layouts_and_not_with_the_notes():
    attributes = golden.attributes_of("coinshares")
    same = parse_source("coinshares", {**attributes, "notes": "other"}, "f")
    assert same.fingerprint == golden.source("coinshares").fingerprint
    attributes["layouts"][0]["tables"][0]["columns"]["AUM"]["unit"] = "US$bn"
    assert parse_source("coinshares", attributes, "f").fingerprint != same.fingerprint


def broken(*path: object, value: object) -> dict[str, Any]:
    attributes = golden.attributes_of("coinshares")
    inner: Any = attributes
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return attributes


COLUMNS = ("layouts", 0, "tables", 0, "columns")


@pytest.mark.parametrize(
    ("path", "value", "place", "said"),
    [
        ((*COLUMNS, "AUM", "measure"), "tvl", "columns.AUM", "tvl"),
        ((*COLUMNS, "AUM", "unit"), "US$zn", "columns.AUM", "US$zn"),
        ((*COLUMNS, "AUM", "unit"), "shares", "columns.AUM", "shares"),
        ((*COLUMNS, "AUM", "period"), "week", "columns.AUM", "week"),
        ((*COLUMNS, "Week flow", "period"), "close", "columns.Week flow", "close"),
        ((*COLUMNS, "AUM", "units"), "US$m", "columns.AUM", "units"),
        ((*COLUMNS, "Asset"), {"ignore": "no label then"}, "tables.0", "label"),
        (("layouts", 0, "container"), "pdf", "container", "xlsx"),
        (("layouts", 0, "tables", 0, "sheet"), "([A-Z", "sheet", ""),
        (("layouts", 0, "tables", 0, "end"), "notes(", "end", ""),
        (("layouts", 0, "tables", 0, "rows", 0, "role"), "sum", "rows.0.role", ""),
        (("layouts", 0, "tables", 0, "rows", 0, "measure"), "tvl", "rows.0", "tvl"),
        (("layouts", 0, "tables", 0, "rows", 0, "role"), "subtotal", "rows.0", "subtotal"),
        (("layouts", 0, "tables", 0, "rows", 0, "of"), "Short.*", "rows.0", "subtotal"),
        (("layouts", 0, "nulls"), {"n.r.": "unheard of"}, "nulls", "unheard of"),
        (("layouts",), [], "layouts", ""),
        (("week", "first"), "2021-01-07", "week", "Thursday"),
        (("week", "ended_early"), ["2023-11-24"], "week", "Friday"),
        (("colour",), "blue", "colour", ""),
    ],
)  # fmt: skip
def test_a_wrong_line_in_a_sources_file_is_named_with_its_path(path, value, place, said):
    with pytest.raises(LayoutError) as refused:
        parse_source("coinshares", broken(*path, value=value), "coinshares/defs.yaml")
    error = refused.value
    assert place in str(error.where.cell)
    assert place in error.found
    assert said in error.found
    assert "source coinshares, file coinshares/defs.yaml" in str(error)


@pytest.mark.parametrize(
    "text", ["", "attributes:", "attributes: [1, 2]", "attributes: {title: [", "just words"]
)
def test_a_sources_file_that_is_no_source_is_a_layout_error(tmp_path, text):
    (tmp_path / "defs.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(LayoutError) as refused:
        source_of(tmp_path)
    assert str(tmp_path / "defs.yaml") in str(refused.value)
