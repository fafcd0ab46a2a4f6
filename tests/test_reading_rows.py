"""Rows and headers: what stands under which column, and what is no row of the table."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import golden
import pytest
from golden import read_as, read_bytes, rows_of

from pipelines.checking.check import blocking, check
from pipelines.errors import ShapeError, UnreadableReport
from pipelines.reading.reader import Reading

DAILY: dict[str, Any] = {
    "header": ["Date", "IBIT"],
    "totals": "none",
    "columns": {"Date": {"key": "date", "formats": ["%d %b %Y"]}},
    "across": {
        "dimension": "fund", "label": "[A-Z]{3,5}", "measure": "net_flow", "unit": "US$m",
        "period": "day",
    },
}  # fmt: skip
SHARES = "date,shares_outstanding,nav,net_assets"
DAY = "2026-01-15,40000.0,25.0,1000000.0"


def daily(*lines: str, container: str = "csv", **table: Any) -> Reading:
    content = "\n".join([*lines, ""]).encode()
    return read_as(golden.declared({**DAILY, **table}, container=container), "daily", content)


def flows(reading: Reading) -> dict[tuple[str, int], Decimal | None]:
    """Return the flows in millions by fund and day of the month."""
    return {
        (row["label"], row["period_end"].day): row["value"] and row["value"] / 10**6
        for row in rows_of(reading)
    }


def refused(reading: Reading) -> list[tuple[str, str]]:
    """Return the rule and the cell of everything that was refused."""
    return list(reading.refused.select("rule", "cell").iter_rows())


# -- E91: rows shorter or longer than their header -------------------------------------------------


@pytest.mark.parametrize(
    "short", ["2026-01-16,25.5,1275000.0", "2026-01-16,50000.0,25.5", "2026-01-16"]
)
def test_e91_a_row_shorter_than_its_header_is_refused_with_its_line(short):
    reading = read_bytes(
        "canary", "HBR.csv", golden.history(SHARES, DAY, short, DAY[:8] + "14,1,1,1")
    )
    assert {row["period_end"].day for row in rows_of(reading)} == {14, 15}
    assert refused(reading) == [("row", "A3")]
    reason = reading.refused.item(0, "reason")
    assert f"expected 4 fields, as in the header; found {short.count(',') + 1}" in reason
    assert "ragged" in reason
    assert reading.refused.item(0, "week_ending") == dt.date(2026, 1, 16)


def test_e91_a_row_longer_than_its_header_is_refused_and_the_others_are_read():
    """A thousands comma without quotes makes two fields of one number."""
    reading = read_bytes(
        "canary", "HBR.csv", golden.history(SHARES, DAY, "2026-01-16,50,000.0,25.5,1275000.0")
    )
    assert {row["period_end"].day for row in rows_of(reading)} == {15}
    assert refused(reading) == [("row", "A3")]
    assert "expected 4 fields, as in the header; found 5" in reading.refused.item(0, "reason")


def test_e91_blanks_beyond_the_header_are_no_fields():
    reading = daily("Date,IBIT,FBTC", "05 Jan 2026,1.0,2.0,,", "06 Jan 2026,3.0,4.0")
    assert len(flows(reading)) == 4
    assert refused(reading) == []


def test_e91_a_header_that_ends_with_a_blank_is_as_long_as_its_names_if_most_rows_are():
    reading = daily("Date,IBIT,FBTC,", "05 Jan 2026,1.0,2.0")
    assert flows(reading) == {("IBIT", 5): 1, ("FBTC", 5): 2}
    days = [f"{day:02} Jan 2026,1.0,2.0," for day in (5, 6, 7)]
    longer = daily("Date,IBIT,FBTC,", *days, "08 Jan 2026,1.0,2.0")
    assert refused(longer) == [("row", "A5")]


def test_e91_a_table_may_say_that_its_rows_end_with_their_last_value():
    reading = daily("Date,IBIT,FBTC", "05 Jan 2026,1.0", "06 Jan 2026,1.0,2.0", ragged=True)
    assert flows(reading)["FBTC", 5] is None
    assert refused(reading) == []


def test_e91_a_missing_cell_of_a_page_is_a_short_row():
    rows = [["Date", "IBIT", "FBTC"], ["05 Jan 2026", "1.0", "2.0"], ["06 Jan 2026", "3.0"]]
    reading = daily(golden.page([rows]).decode(), container="html")
    assert flows(reading) == {("IBIT", 5): 1, ("FBTC", 5): 2}
    assert refused(reading) == [("row", "A3")]


def test_e91_a_total_that_lacks_a_field_is_no_total():
    total = {"rows": [{"text": "Total", "role": "total"}]}
    reading = daily("Date,IBIT,FBTC", "05 Jan 2026,1.0,2.0", "Total,3.0", **total)
    assert [row["dimension"] for row in rows_of(reading)] == ["fund", "fund"]
    assert refused(reading) == [("row", "A3")]


def test_e91_cells_that_a_workbook_does_not_store_are_blank():
    rows = [["Date", "IBIT", "FBTC"], ["05 Jan 2026", 1.0], ["06 Jan 2026", 2.0, 3.0]]
    content = golden.workbook({"S": rows})
    reading = read_as(golden.declared(DAILY, container="xlsx"), "daily", content)
    assert flows(reading)["FBTC", 5] is None
    assert refused(reading) == []


# -- a file that was cut off -----------------------------------------------------------------------


@pytest.mark.parametrize("cut", ["2026-01-16,50000.0,25", "2026-0"])
def test_e120_a_last_row_cut_in_its_middle_is_named(cut):
    content = golden.history(SHARES, DAY, cut).rstrip()
    (row,) = read_bytes("canary", "HBR.csv", content).refused.rows(named=True)
    assert row["cell"] == "A3"
    if row["rule"] == "row":
        assert "the file ends: it was cut off" in row["reason"]


@pytest.mark.parametrize("last", ["5", "5.1"])
def test_e120_a_last_number_with_fewer_decimals_than_all_others_is_cut(last):
    days = [f"{day:02} Jan 2026,1.0,12.25" for day in (5, 6, 7)]
    reading = daily("Date,IBIT,FBTC", *days, f"08 Jan 2026,1.0,{last}")
    assert refused(reading) == []
    content = "\n".join(["Date,IBIT,FBTC", *days, f"08 Jan 2026,1.0,{last}"]).encode()
    cut = read_as(golden.declared(DAILY), "daily", content)
    assert refused(cut) == [("row", "A5")]
    assert "it was cut off" in cut.refused.item(0, "reason")


def test_a_file_whose_last_line_has_no_end_is_read_whole():
    content = golden.FARSIDE_HISTORY.rstrip()
    whole = read_bytes("farside_btc", "btc.csv", golden.FARSIDE_HISTORY)
    assert rows_of(read_bytes("farside_btc", "btc.csv", content))[0]["value"]
    assert read_bytes("farside_btc", "btc.csv", content).observations.height == (
        whole.observations.height
    )


@pytest.mark.parametrize("end", ["</td></tr>\n</table>", "</table>"])
def test_e120_a_page_that_ends_within_its_table_is_cut_off(end):
    page = golden.FARSIDE_PAGE.decode()
    with pytest.raises(UnreadableReport, match="The page is cut off"):
        read_bytes("farside_btc", "btc.html", page[: page.index(end)].encode())


def test_a_table_that_a_script_draws_does_not_make_a_page_cut_off():
    page = golden.FARSIDE_PAGE.decode().replace(
        "</body>", "<script>x = '<table><tr>'</script><!-- <table> --></body>"
    )
    assert read_bytes("farside_btc", "btc.html", page.encode()).observations.height == 32


# -- E102: a second header -------------------------------------------------------------------------


def test_e102_the_same_header_once_more_is_no_row():
    reading = daily(
        "Date,IBIT,FBTC", "05 Jan 2026,1.0,2.0", "Date,IBIT,FBTC", "06 Jan 2026,3.0,4.0"
    )
    assert flows(reading) == {("IBIT", 5): 1, ("FBTC", 5): 2, ("IBIT", 6): 3, ("FBTC", 6): 4}
    assert refused(reading) == []


def test_e102_rows_below_a_second_header_are_read_by_it():
    reading = daily(
        "Date,IBIT,FBTC,ARKB", "05 Jan 2026,1.0,2.0,5.0", "Date,FBTC,IBIT", "06 Jan 2026,4.0,3.0"
    )
    assert flows(reading) == {
        ("IBIT", 5): 1, ("FBTC", 5): 2, ("ARKB", 5): 5, ("IBIT", 6): 3, ("FBTC", 6): 4,
    }  # fmt: skip
    assert refused(reading) == []


def test_e102_a_second_header_of_a_page_and_one_at_its_foot():
    head = ["<th>Date</th>", "<th>IBIT</th>", "<th>FBTC</th>"]
    swapped = ["<th>Date</th>", "<th>FBTC</th>", "<th>IBIT</th>"]
    rows = [head, ["05 Jan 2026", "1", "2"], swapped, ["06 Jan 2026", "4", "3"], head]
    reading = daily(golden.page([rows]).decode(), container="html")
    assert flows(reading) == {("IBIT", 5): 1, ("FBTC", 5): 2, ("IBIT", 6): 3, ("FBTC", 6): 4}
    assert refused(reading) == []


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("date,shares_outstanding,net_assets,price", "unknown column"),
        ("Date,net_assets,nav", "missing column"),
        ("Datum,Anteile,NIW,Vermoegen", "row of words"),
    ],
)
def test_e102_a_second_header_with_columns_that_nobody_knows_stops_the_report(second, said):
    content = golden.history(SHARES, DAY, second, "2026-01-16,1275000.0,25.5,50000.0")
    with pytest.raises(ShapeError, match=said) as stopped:
        read_bytes("canary", "HBR.csv", content)
    assert stopped.value.where.cell == "A3" or "D3" in str(stopped.value.where)


def test_e102_what_is_below_the_end_of_a_table_is_no_header_of_it():
    reading = daily(
        "Date,IBIT,FBTC", "05 Jan 2026,1.0,2.0", "Notes,,", "Date,IBIT,FBTC,Price", end="Notes"
    )
    assert len(flows(reading)) == 2


def test_a_column_printed_twice_stops_the_report():
    rows = [["<th>Date</th>", "<th colspan=2>IBIT</th>"], ["05 Jan 2026", "1.0", "2.0"]]
    with pytest.raises(ShapeError, match="same header"):
        daily(golden.page([rows]).decode(), container="html")


# -- E108: what is below a table -------------------------------------------------------------------


@pytest.mark.parametrize(
    "below",
    [
        ["Past performance is no guarantee of future results,,,"],
        ["Past performance is no guarantee of future results"],
        [
            "",
            "Source: Example Funds, London, 2026, all rights reserved, 5, 6",
            "See the prospectus",
        ],
    ],
)
@pytest.mark.parametrize("received", ["2026-01-17T00:00+00:00", "2026-03-02T00:00+00:00"])
def test_e108_lines_below_a_table_are_one_warning_of_its_newest_week(below, received):
    content = golden.history(SHARES, "2026-01-08,40000.0,25.0,1000000.0", DAY, *below)
    reading = read_bytes("canary", "HBR.csv", content, dt.datetime.fromisoformat(received))
    assert {row["period_end"].day for row in rows_of(reading)} == {8, 15}
    assert set(reading.refused.get_column("rule")) == {"date"}
    outcomes = check([reading]).outcomes
    failed = outcomes.filter(verdict="refused")
    assert failed.get_column("week_ending").to_list() == [dt.date(2026, 1, 16)]
    assert failed.get_column("failed").to_list() == [sum(map(bool, below))]
    assert blocking(outcomes).is_empty()


def test_lines_may_end_with_a_carriage_return_only():
    reading = read_bytes("canary", "HBR.csv", golden.NAV_HISTORY.replace(b"\n", b"\r"))
    assert reading.observations.height == 6
    assert refused(reading) == []


@pytest.mark.parametrize("span", ["²", "2.5", "9" * 5000, "-3", "0", "", "٣", "two", " 1 "])
@pytest.mark.parametrize("name", ["colspan", "rowspan"])
def test_a_span_that_is_no_number_is_one(span, name):
    rows = [["Date", "IBIT"], ["05 Jan 2026", f"<td {name}='{span}'>1.0</td>"]]
    reading = daily(golden.page([rows]).decode(), container="html")
    assert flows(reading) == {("IBIT", 5): 1}


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1899-12-31", "2026-02-30"])
def test_a_day_of_no_calendar_is_refused_with_its_row(day):
    reading = read_bytes("canary", "HBR.csv", golden.history(SHARES, DAY, f"{day},1,1,1"))
    assert {row["period_end"].day for row in rows_of(reading)} == {15}
    assert refused(reading) == [("date", "A3")]


def test_a_typed_day_of_no_calendar_is_refused_with_its_row():
    rows = [["Date", "IBIT"], [dt.date(2026, 1, 5), 1.0], [dt.date(9999, 12, 31), 2.0]]
    content = golden.workbook({"S": rows})
    reading = read_as(golden.declared(DAILY, container="xlsx"), "daily", content)
    assert flows(reading) == {("IBIT", 5): 1}
    assert refused(reading) == [("date", "A3")]
