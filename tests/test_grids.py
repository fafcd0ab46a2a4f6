"""Containers to cells: what a reader sees, what the file holds, and where it stands."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import golden
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import UnreadableReport
from pipelines.layouts.units import Unit
from pipelines.reading import containers
from pipelines.reading.containers.xlsx import shown
from pipelines.reading.grid import Cell, Grid, column_letters
from pipelines.reading.numbers import NotANumber, parse_number

ACCOUNTING = '_(* #,##0.0_);_(* \\(#,##0.0\\);_(* "-"??_);_(@_)'
ACCOUNTING_USD = '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"??_);_(@_)'


def read(content: bytes) -> list[Grid]:
    return containers.read(content, containers.container_of(content))


def texts(grid: Grid) -> list[list[str]]:
    return [[cell.text for cell in row] for row in grid.rows]


def cell_of(value: object, number_format: str = "General") -> Cell:
    (grid,) = read(golden.workbook({"S": [[value]]}, formats={"S!A1": number_format}))
    return grid.rows[0][0]


# -- workbooks: numbers as shown -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number_format", "text", "scale"),
    [
        ("1090", "General", "1090", 1),
        ("6495.0156", "General", "6495.0156", 1),
        ("1090.25", "0", "1090", 1),
        ("1090.25", "0.0", "1090.3", 1),
        ("-1090.25", "0.0", "-1090.3", 1),
        ("1234567.8", "#,##0", "1,234,568", 1),
        ("1234567.8", "#,##0.00", "1,234,567.80", 1),
        ("12.5", "0.0#", "12.5", 1),
        ("12.56", "0.0#", "12.56", 1),
        ("12", "#.##", "12", 1),
        ("0.5", "#.0", "0.5", 1),
        ("-24.9", "0.0_);(0.0)", "(24.9)", 1),
        ("24.9", "0.0_);(0.0)", "24.9", 1),
        ("-24.9", "0.0;[Red]0.0", "24.9", 1),
        ("-24.9", "0.0;[Red]-0.0", "-24.9", 1),
        ("-24.9", ACCOUNTING, "(24.9)", 1),
        ("0", ACCOUNTING, "0.0", 1),
        ("0", "0.0;-0.0;0.0", "0.0", 1),
        ("0", "0.0;-0.0;", "0.0", 1),
        ("-0.04", "0.0", "0.0", 1),
        ("1090000000", "0.0,,", "1090.0", "0.000001"),
        ("1090000", "#,##0,", "1,090", "0.001"),
        ("1090000000", '0.00,,,"bn"', "1.09bn", "0.000000001"),
        ("12.5", '"US$"0.0"m"', "US$12.5m", 1),
        ("12.5", "[$$-409]#,##0.0", "$12.5", 1),
        ("12.5", "[$€-2] 0.0", "€ 12.5", 1),
        ("0.125", "0.0%", "12.5%", 100),
        ("0.125", "0%", "13%", 100),
        ("12.5", '0.0"*"', "12.5*", 1),
        ("12.5", "@", "12.5", 1),
        ("1234.5", "0.00E+00", "1234.5", 1),
        ("1.5", "# ?/?", "1.5", 1),
    ],
)
def test_a_number_is_shown_by_its_format(value, number_format, text, scale):
    assert shown(Decimal(value), number_format) == (text, Decimal(scale))


@pytest.mark.parametrize(("value", "text"), [("2500000", "2.5M"), ("2500", "2.5K"), ("500", "500")])
def test_a_section_with_a_condition_is_shown_only_where_it_holds(value, text):
    number_format = '[>=1000000]0.0,,"M";[>=1000]0.0,"K";0'
    assert shown(Decimal(value), number_format)[0] == text


@pytest.mark.parametrize(
    ("value", "number_format", "printed"),
    [(-24.9, ACCOUNTING, "-24.9"), (-24.9, ACCOUNTING_USD, "-24.90"), (0, ACCOUNTING_USD, "0.00")],
)
def test_excels_own_accounting_formats_are_numbers_again(value, number_format, printed):
    number = parse_number(cell_of(value, number_format).text, Unit("USD"))
    assert number.value == Decimal(printed)


@given(
    st.integers(-(10**11), 10**11).map(lambda cents: Decimal(cents) / 100),
    st.sampled_from(
        ["0", "0.0", "#,##0.00", "#,##0.0_);(#,##0.0)", "0.0##", "0.00;-0.00", ACCOUNTING]
    ),
)
def test_what_a_format_shows_reads_back_within_half_its_last_digit(value, number_format):
    text, scale = shown(value, number_format)
    number = parse_number(text, Unit("USD"))
    assert scale == 1
    assert abs(number.value - value) <= number.half_unit


def test_a_cell_keeps_the_stored_number_in_the_scale_shown():
    assert cell_of(1234.5678, "#,##0.0") == Cell("1,234.6", stored=Decimal("1234.5678"))
    assert cell_of(1090250000, "0.0,,") == Cell("1090.3", stored=Decimal("1090.25"))


def test_a_stored_zero_under_a_dash_is_zero_and_a_typed_dash_is_null():
    assert cell_of(0, ACCOUNTING) == Cell("0.0", stored=Decimal(0))
    assert cell_of("-", ACCOUNTING) == Cell("-")


def test_a_huge_number_is_shown_too():
    assert cell_of(1e30, "#,##0.0").stored == Decimal("1e30")


def test_dates_words_and_truth_values_are_no_numbers():
    day = dt.date(2026, 1, 23)
    assert cell_of(day, "dd mmm yyyy") == Cell("2026-01-23", date=day)
    assert cell_of(dt.datetime(2026, 1, 23, 17, 30), "dd/mm/yy h:mm").date == day  # noqa: DTZ001
    assert cell_of(True) == Cell("TRUE")
    assert cell_of(" n/a\u00a0") == Cell("n/a")
    assert cell_of("12.5") == Cell("12.5")


# -- workbooks: sheets, merged cells, formulas -----------------------------------------------------


def test_merged_cells_show_their_text_and_hold_nothing():
    (grid,) = read(
        golden.workbook({"S": [["Flows", None], [None, None], [7, 8]]}, merges=["S!A1:B2"])
    )
    shadow = Cell("Flows", covered=True)
    assert grid.rows[:2] == [[Cell("Flows"), shadow], [shadow, shadow]]
    assert grid.rows[2][0].stored == 7


def test_hidden_sheets_are_left_out():
    content = golden.workbook({"a": [[1]], "b": [[2]], "c": [[3]]}, hidden={"b"})
    assert [grid.name for grid in read(content)] == ["a", "c"]


def test_cells_keep_their_address_in_a_sheet_that_begins_late():
    (grid,) = read(golden.workbook({"S": [[], [], [None, None, 5]]}))
    assert [(grid.address(2, 2), cell.text) for cell in grid.rows[2] if cell.text] == [("C3", "5")]


FORMULA = golden.workbook({"S": [["=1+1", 3]]}, formats={"S!A1": "0.0"})
SHEET = "xl/worksheets/sheet1.xml"
UNCALCULATED = re.compile(rb"<c r=\"A1\"([^>]*)><f>1\+1</f><v ?(?:/>|></v>)</c>")


def with_result(result: bytes, attributes: bytes = b"") -> bytes:
    """Return the workbook as a spreadsheet program saves it: with the formula's result."""

    def calculate(sheet: bytes) -> bytes:
        assert UNCALCULATED.search(sheet)
        cell = rb'<c r="A1"\1' + attributes + b"><f>1+1</f>" + result + b"</c>"
        return UNCALCULATED.sub(cell, sheet)

    return golden.edited(FORMULA, SHEET, calculate)


def test_a_formula_that_was_never_calculated_is_not_blank():
    (grid,) = read(FORMULA)
    cell = grid.rows[0][0]
    assert cell.stored is None
    assert "=1+1" in cell.text
    assert "never calculated" in cell.text


def test_a_formula_that_was_never_calculated_is_seen_under_any_xml_prefix():
    """Some writers put a prefix before every element of a sheet."""

    def prefix(sheet: bytes) -> bytes:
        prefixed = re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", sheet)
        return prefixed.replace(b"xmlns=", b"xmlns:x=")

    (grid,) = read(golden.edited(FORMULA, SHEET, prefix))
    assert grid.rows[0][1].stored == 3
    assert "never calculated" in grid.rows[0][0].text


def test_a_calculated_formula_is_its_result():
    (grid,) = read(with_result(b"<v>2.04</v>"))
    assert grid.rows[0][0] == Cell("2.0", stored=Decimal("2.04"))


def test_the_noise_beyond_fifteen_digits_is_not_part_of_a_number():
    (grid,) = read(with_result(b"<v>0.30000000000000004</v>"))
    assert grid.rows[0][0].stored == Decimal("0.3")


def test_a_formula_whose_result_is_an_empty_text_is_blank():
    """`=IF(B1="","",B1)` was calculated; there is just nothing to show."""
    (grid,) = read(with_result(b"<v></v>", b' t="str"'))
    assert grid.rows[0][0].text == ""


def test_a_formula_that_failed_shows_its_error():
    (grid,) = read(with_result(b"<v>#DIV/0!</v>", b' t="e"'))
    assert grid.rows[0][0] == Cell("#DIV/0!")


# -- CSV -------------------------------------------------------------------------------------------

ROWS = [["Date", "Net\u00a0flow", "Note"], ["16 Jan 2026", "1\u00a0119.9", "a, b; c"]]
READ = [["Date", "Net flow", "Note"], ["16 Jan 2026", "1 119.9", "a, b; c"]]


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [
        ("utf-8", False),
        ("utf-8", True),
        ("cp1252", False),
        ("utf-16-le", True),
        ("utf-16-be", True),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_files_read_alike_in_any_encoding_and_with_any_delimiter(encoding, bom, delimiter):
    content = golden.csv_bytes(ROWS, encoding=encoding, bom=bom, delimiter=delimiter)
    (grid,) = read(content)
    assert texts(grid) == READ


@pytest.mark.parametrize("title", ["Fund flows", "Fund flows, in US$m", "Flows | by fund"])
def test_a_title_above_the_table_does_not_decide_the_delimiter(title):
    content = golden.csv_bytes([["Date", "IBIT", "FBTC"], ["a", "1", "2"]], delimiter=";")
    (grid,) = read(title.encode() + b"\n\n" + content)
    assert texts(grid)[-2:] == [["Date", "IBIT", "FBTC"], ["a", "1", "2"]]


def test_csv_rows_are_addressed_as_a_spreadsheet_shows_the_file():
    (grid,) = read(b'a,b\r\n\r\n"two\nlines",5\r\n')
    assert texts(grid) == [["a", "b"], [], ["two lines", "5"]]
    assert grid.address(2, 1) == "B3"
    assert grid.cell(2, 9) == Cell()


def test_an_open_quote_is_a_broken_file():
    with pytest.raises(UnreadableReport, match="CSV file is broken"):
        read(b'Date,IBIT\n16 Jan 2026,"1.0\n17 Jan 2026,2.0\n')


# -- pages -----------------------------------------------------------------------------------------


def shown_in_page(cell: str) -> str:
    (grid,) = read(golden.page([[[f"<td>{cell}</td>"]]]))
    return grid.rows[0][0].text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("&nbsp;1&nbsp;119.9 ", "1 119.9"),
        ("<div align=right><span>(24.9)</span></div>", "(24.9)"),
        ('<a href=""><img src="a.jpg" alt="Blackrock"></a>', "Blackrock"),
        ('<img alt="Blackrock"> IBIT', "IBIT"),
        ("<!-- 5 -->24.9", "24.9"),
        ("0.0&#8722;", "0.0−"),
    ],
)
def test_a_page_shows_text_else_the_images_alternative(cell, text):
    assert shown_in_page(cell) == text


@pytest.mark.parametrize(
    "raised",
    [
        "<sup>1</sup>",
        "<sup>12</sup>",
        "<sup>a</sup>",
        "<sup>*</sup>",
        "<sup>[1]</sup>",
        '<sup><a href="#note">1</a></sup>',
        '<a href="#note"><sup>1</sup></a>',
        "<sup><b>1</b></sup>",
    ],
)
def test_a_raised_footnote_is_never_a_digit_of_the_number(raised):
    number = parse_number(shown_in_page(f"12.3{raised}"), Unit("USD"))
    assert (number.value, number.half_unit) == (Decimal("12.3"), Decimal("0.05"))


@pytest.mark.parametrize(
    "cell", ["12<br>34", "<div>12</div><div>34</div>", "<p>12</p><p>34</p>", "12<p>34"]
)
def test_two_lines_of_a_cell_are_two_texts(cell):
    assert shown_in_page(cell) == "12 / 34"


def test_two_lines_of_digits_are_never_one_number():
    with pytest.raises(NotANumber):
        parse_number(shown_in_page("12<br>345"), Unit("USD"))


@pytest.mark.parametrize(
    "unseen",
    [
        "<script>var x = 9</script>",
        "<style>td {}</style>",
        '<span style="display:none">00012</span>',
        "<span hidden>9</span>",
        "<template>9</template>",
    ],
)
def test_what_a_reader_does_not_see_does_not_count(unseen):
    assert shown_in_page(f"{unseen}12.3") == "12.3"


def test_cells_span_rows_and_columns():
    (grid,) = read(
        golden.page(
            [
                [
                    ["<th rowspan=2>Date</th>", "<th colspan=2>Fidelity</th>", "<th>Ark</th>"],
                    ["FBTC", "FETH", "ARKB"],
                    ["1", "2", "<td colspan=x rowspan=0>3</td>", "4"],
                ]
            ]
        )
    )
    assert texts(grid) == [
        ["Date", "Fidelity", "Fidelity", "Ark"],
        ["Date", "FBTC", "FETH", "ARKB"],
        ["1", "2", "3", "4"],
    ]
    assert [[cell.covered for cell in row] for row in grid.rows[:2]] == [
        [False, False, True, False],
        [True, False, False, False],
    ]


def test_a_nested_table_is_a_table_of_its_own():
    inner = "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>"
    outer, nested, last = read(golden.page([[["a", inner], ["b", "c"]], [["z"]]]))
    assert texts(nested) == [["1", "2"], ["3"]]
    assert [len(row) for row in outer.rows] == [2, 2]
    assert outer.rows[1][1].text == "c"
    assert (last.name, texts(last)) == ("table 3", [["z"]])


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_page_without_a_charset_is_still_read(encoding):
    content = "<table><tr><td>1\u00a0119.9</td><td>Zürich €</td></tr></table>".encode(encoding)
    (grid,) = read(content)
    assert texts(grid) == [["1 119.9", "Zürich €"]]


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
def test_a_page_with_an_xml_declaration_is_still_read(encoding):
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>\n'.encode()
    (grid,) = read(declaration + golden.page([[["1"]]]))
    assert texts(grid) == [["1"]]


# -- addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_are_lettered_as_in_a_spreadsheet(column, letters):
    assert column_letters(column) == letters
