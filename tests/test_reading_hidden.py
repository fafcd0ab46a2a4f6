"""What a reader does not see, or sees struck out, is not read: pages and workbooks alike."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import golden
import openpyxl
import pytest
from golden import read_as, rows_of
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font

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
HEADER = ["Date", "IBIT", "FBTC"]


def page(*rows: list[str], head: str = "") -> Reading:
    content = golden.page([[HEADER, *rows]], head=head)
    return read_as(golden.declared(DAILY, container="html"), "page", content)


def cell_of_page(cell: str, head: str = "") -> tuple[Decimal | None, str]:
    """Return the value in millions and the text of one cell of a page, or what was refused."""
    reading = page(["05 Jan 2026", cell, "1.0"], head=head)
    for row in rows_of(reading, label="IBIT"):
        return row["value"] and row["value"] / 10**6, row["printed"]
    return None, reading.refused.item(0, "printed")


def book(*rows: list[Any], change: Any = None) -> Reading:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Flows"
    for row in [HEADER, *rows]:
        sheet.append(row)
    if change:
        change(sheet)
    return read_as(golden.declared(DAILY, container="xlsx"), "book", golden.saved(workbook))


def flows(reading: Reading) -> dict[tuple[str, int], Decimal | None]:
    """Return the flows in millions by fund and day of the month."""
    return {
        (row["label"], row["period_end"].day): row["value"] and row["value"] / 10**6
        for row in rows_of(reading)
    }


# -- E96: hidden in a page -------------------------------------------------------------------------

STYLE = """<style>
/* .shown {display: none} */ @import "x.css";
.old, td .older { color: red; DISPLAY : none !important }
#secret { visibility: hidden }
.pane { display: none } .pane.active { display: block }
@media print { .screen { display: none } }
@media (max-width: 600px) { .wide { display: none } }
@media screen { .nested { display: none } }
.hover:hover { display: none }
span.part { display: none }
.changed { display: none } .changed { display: inline }
.stale { text-decoration: red line-through }
</style>"""


@pytest.mark.parametrize(
    "hidden",
    [
        '<span style="display:none">9</span>',
        '<span style="color: red; Visibility : Hidden">9</span>',
        '<span style="opacity: 0">9</span>',
        '<span style="font-size:0px">9</span>',
        '<span style="position:absolute; left:-9999px">9</span>',
        "<span hidden>9</span>",
        '<span hidden="until-found">9</span>',
        '<span class="sr-only">9</span>',
        '<span class="note visually-hidden">9</span>',
        '<span class="d-none">9</span>',
        '<span class="hidden">9</span>',
        '<span class="d-md-none">9</span>',
        '<span class="invisible">9</span>',
        '<span class="old">9</span>',
        '<b><i class="older">9</i></b>',
        '<span id="secret">9</span>',
        '<span class="pane">9</span>',
        '<span class="nested">9</span>',
        '<span class="part">9</span>',
        "<!-- 9 -->",
        "<script>9</script>",
        "<template>9</template>",
        "<noscript>9</noscript>",
        "<style>.x {top: 9}</style>",
    ],
)
@pytest.mark.parametrize("form", ["{}12.3", "12.3{}", "12{}.3", "<b>{}12.3</b>"])
def test_e96_what_a_page_hides_is_no_part_of_a_number(hidden, form):
    assert cell_of_page(form.format(hidden), STYLE) == (Decimal("12.3"), "12.3")


@pytest.mark.parametrize(
    "shown",
    [
        '<span aria-hidden="true">9</span>',
        '<span class="d-none d-md-inline">9</span>',
        '<span class="hidden md:block">9</span>',
        '<span class="pane active">9</span>',
        '<span class="screen">9</span>',
        '<span class="wide">9</span>',
        '<span class="hover">9</span>',
        '<b class="part">9</b>',
        '<span class="changed">9</span>',
        '<span class="shown">9</span>',
        '<span class="old" style="display: inline !important">9</span>',
        '<span style="opacity: 0.5">9</span>',
    ],
)
def test_e96_what_a_wide_screen_shows_is_read(shown):
    assert cell_of_page(f"12.{shown}", STYLE) == (Decimal("12.9"), "12.9")


def test_e96_hidden_rows_and_cells_of_a_page_are_left_out():
    reading = page(
        ["05 Jan 2026", "1.0", "2.0"],
        ["06 Jan 2026", '<td class="sr-only">9</td>', "3.0", "4.0"],
        ["07 Jan 2026", '<td style="visibility:hidden">9</td>', "5.0"],
    )
    assert flows(reading) == {
        ("IBIT", 5): 1, ("FBTC", 5): 2, ("IBIT", 6): 3, ("FBTC", 6): 4, ("IBIT", 7): None,
        ("FBTC", 7): 5,
    }  # fmt: skip
    content = golden.page([[HEADER, ["05 Jan 2026", "1.0", "2.0"], ["06 Jan 2026", "9", "9"]]])
    hidden = content.replace(b"<tr><td>06", b'<tr style="display: none"><td>06')
    assert hidden != content
    reading = read_as(golden.declared(DAILY, container="html"), "page", hidden)
    assert flows(reading) == {("IBIT", 5): 1, ("FBTC", 5): 2}


def test_e96_a_hidden_table_is_left_out_and_the_others_keep_their_names():
    rows = [HEADER, ["05 Jan 2026", "1.0", "2.0"]]
    old = [HEADER, ["05 Jan 2026", "8.0", "9.0"]]
    content = golden.page([old, rows]).replace(b"<table>", b"<table hidden>", 1)
    reading = read_as(golden.declared(DAILY, container="html"), "page", content)
    assert flows(reading) == {("IBIT", 5): 1, ("FBTC", 5): 2}
    assert {row["sheet"] for row in rows_of(reading)} == {"table 2"}
    with pytest.raises(UnreadableReport, match="shows no table"):
        read_as(
            golden.declared(DAILY, container="html"),
            "page",
            b"<div class=d-none>" + golden.page([rows]) + b"</div>",
        )


# -- E96: hidden in a workbook ---------------------------------------------------------------------

DAYS = [["05 Jan 2026", 1.0, 2.0], ["06 Jan 2026", 3.0, 4.0]]


def test_e96_hidden_rows_of_a_sheet_are_left_out_and_the_others_keep_their_cells():
    def hide(sheet):
        sheet.row_dimensions[2].hidden = True

    reading = book(*DAYS, change=hide)
    assert flows(reading) == {("IBIT", 6): 3, ("FBTC", 6): 4}
    assert [row["cell"] for row in rows_of(reading)] == ["B3", "C3"]


def test_e96_hidden_columns_of_a_sheet_are_left_out():
    def hide(sheet):
        sheet.column_dimensions.group("C", "D", hidden=True)

    assert flows(book(*DAYS, change=hide)) == {("IBIT", 5): 1, ("IBIT", 6): 3}


def test_e96_a_column_without_width_is_hidden():
    workbook = openpyxl.Workbook()
    for row in [HEADER, *DAYS]:
        workbook.active.append(row)
    workbook.active.column_dimensions["C"].width = 5
    narrow = golden.edited(
        golden.saved(workbook),
        "xl/worksheets/sheet1.xml",
        lambda sheet: sheet.replace(b'width="5"', b'width="0"'),
    )
    reading = read_as(golden.declared(DAILY, container="xlsx"), "book", narrow)
    assert flows(reading) == {("IBIT", 5): 1, ("IBIT", 6): 3}


def test_e96_a_column_that_is_missed_because_it_is_hidden_is_named():
    def hide(sheet):
        sheet.column_dimensions["A"].hidden = True

    with pytest.raises(ShapeError) as stopped:
        book(*DAYS, change=hide)
    assert "hidden: column A" in stopped.value.found


def test_e96_a_number_that_its_format_hides_is_refused():
    def hide(sheet):
        sheet["B2"].number_format = ";;;"

    reading = book(*DAYS, change=hide)
    assert list(reading.refused.select("cell", "printed").iter_rows()) == [
        ("B2", "1 (hidden by its format)")
    ]


# -- E95: struck out, and two numbers in a cell ----------------------------------------------------


@pytest.mark.parametrize(
    "struck",
    [
        "<s>12</s>",
        "<del>12</del>",
        "<strike>12</strike>",
        '<span style="text-decoration: line-through">12</span>',
        '<span style="text-decoration-line:line-through">12</span>',
        '<span class="line-through">12</span>',
        '<span class="stale">12</span>',
        "<s><b>1</b>2</s>",
    ],
)
@pytest.mark.parametrize("form", ["{} <b>150</b>", "<ins>150</ins> {}", "{}150", "150{}"])
def test_e95_of_an_old_figure_and_a_new_one_the_new_one_is_read(struck, form):
    assert cell_of_page(form.format(struck), STYLE) == (Decimal(150), "150")


@pytest.mark.parametrize(
    "cell",
    [
        "<i>12</i> <b>150</b>",
        "<span>12</span><span>150</span>",
        "12 <b>150</b>",
        "12<br>150",
        "1<s>2</s>50",
        "12.3 <small>(+0.4)</small>",
        "<s>12</s>",
        '<td class="stale">12</td>',
    ],
)
def test_e95_a_cell_of_two_numbers_or_of_none_that_stands_is_refused(cell):
    value, printed = cell_of_page(cell, STYLE)
    assert value is None
    assert "/" in printed or "(" in printed


def test_e95_a_row_that_is_struck_out_is_refused():
    content = golden.page([[HEADER, ["05 Jan 2026", "1.0", "2.0"], ["06 Jan 2026", "9", "9"]]])
    struck = content.replace(b"<tr><td>06", b'<tr style="text-decoration:line-through"><td>06')
    reading = read_as(golden.declared(DAILY, container="html"), "page", struck)
    assert flows(reading) == {("IBIT", 5): 1, ("FBTC", 5): 2}
    assert reading.refused.height == 1
    assert "struck out" in reading.refused.item(0, "printed")


@pytest.mark.parametrize(
    ("parts", "read"),
    [
        ([TextBlock(InlineFont(strike=True), "12"), " 150"], 150),
        (["150 ", TextBlock(InlineFont(strike=True), "12")], 150),
        ([TextBlock(InlineFont(b=True), "1"), "50"], 150),
        (["1", TextBlock(InlineFont(strike=True), "2"), "50"], None),
        ([TextBlock(InlineFont(strike=True), "12")], None),
    ],
)
def test_e95_struck_text_in_a_cell_of_a_workbook_is_left_out(parts, read):
    reading = book(["05 Jan 2026", CellRichText(*parts), 1.0])
    assert flows(reading).get(("IBIT", 5)) == read
    assert reading.refused.height == (read is None)


@pytest.mark.parametrize("value", [12, "12", "12 150"])
def test_e95_a_cell_of_a_workbook_that_is_struck_out_is_refused(value):
    def strike(sheet):
        sheet["B2"].font = Font(strike=True)
        sheet["C2"].font = Font(bold=True)

    reading = book(["05 Jan 2026", value, 1.0], change=strike)
    assert flows(reading) == {("FBTC", 5): 1}
    assert reading.refused.item(0, "printed") == f"{value} (struck out)"
