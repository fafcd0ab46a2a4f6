"""Numbers as they stand in a report: one a cell, by the one convention of its file, or refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import golden
import pytest
from golden import read_as, read_bytes, rows_of
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.errors import FundflowsError
from pipelines.layouts.units import Unit
from pipelines.reading.numbers import NotANumber, parse_number
from pipelines.reading.reader import Reading

FLOW = {"measure": "net_flow", "unit": "US$m", "period": "day"}
DAILY: dict[str, Any] = {
    "header": ["Date", "IBIT"],
    "totals": "none",
    "columns": {"Date": {"key": "date", "formats": ["%d %b %Y"]}},
    "across": {"dimension": "fund", "label": "([A-Z]{3,5}).*", **FLOW},
}


def read(*cells: str, header: str = "IBIT", **layout: Any) -> Reading:
    """Read a column of numbers, with one to three decimals beside it if the header names two."""
    lines = [["Date", *header.split(";")]]
    lines += [[f"{day:02} Jan 2026", *cell.split(";")] for day, cell in enumerate(cells, 5)]
    content = golden.csv_bytes(lines, delimiter="\t")
    return read_as(golden.declared(DAILY, **layout), "daily", content)


def values(reading: Reading, label: str = "IBIT") -> list[Decimal | None]:
    """Return the values of a column in millions; None where a cell was refused."""
    found = {row["cell"]: row["value"] / 10**6 for row in rows_of(reading, label=label)}
    column = {"IBIT": "B", "FBTC": "C"}[label]
    return [found.get(f"{column}{row}") for row in range(2, 2 + 5) if row - 2 < _rows(reading)]


def _rows(reading: Reading) -> int:
    cells = [
        *golden.numbers(reading.observations).get_column("cell"),
        *reading.refused.get_column("cell"),
    ]
    return max(int(cell[1:]) for cell in cells) - 1


def numbers(*texts: str | None) -> list[Decimal | None]:
    return [None if text is None else Decimal(text) for text in texts]


# -- E98: one decimal mark a file ------------------------------------------------------------------


def test_e98_numbers_with_three_decimals_are_read_by_the_mark_of_the_others():
    """A locale with a decimal comma, of which the NAV alone looks like thousands."""
    content = b"""date;shares_outstanding;nav;net_assets
2026-02-02;50000;31,405;1570250,00
2026-02-03;50000;30,998;1549900,00
"""
    reading = read_bytes("canary", "HBR.csv", content)
    assert [row["value"] for row in rows_of(reading, measure="nav")] == numbers("31.405", "30.998")
    assert [row["value"] for row in rows_of(reading, measure="aum")] == numbers(
        "1570250", "1549900"
    )
    assert rows_of(reading, measure="nav")[0]["half_unit"] == Decimal("0.0005")


@pytest.mark.parametrize(
    ("other", "read_as_"),
    [
        ("12.5", "1234"),
        ("1,234.5", "1234"),
        ("1,234,567", "1234"),
        ("0.123", "1234"),
        ("1234.567", "1234"),
        ("12,5", "1.234"),
        ("1.234,5", "1.234"),
        ("1.234.567", "1.234"),
        ("0,123", "1.234"),
        ("1005360,00", "1.234"),
        ("1 234,5", "1.234"),
        ("12", None),
        ("2,345", None),
        ("1005360", None),
        ("1.234", None),
    ],
)
@pytest.mark.parametrize("beside", [True, False])
def test_e98_a_number_that_may_be_two_is_the_one_that_the_file_shows(other, read_as_, beside):
    reading = read(f"1,234;{other}", header="IBIT;FBTC") if beside else read("1,234", other)
    assert values(reading)[0] == (read_as_ and Decimal(read_as_))
    if read_as_ is None:
        assert "1,234" in reading.refused.item(0, "printed")
        assert "`decimal`" in reading.refused.item(0, "printed")


@pytest.mark.parametrize(("mark", "value"), [(".", "1234"), (",", "1.234")])
def test_e98_a_layout_says_which_mark_where_no_number_does(mark, value):
    assert values(read("1,234", "567", decimal=mark)) == numbers(value, "567")


def test_e98_a_layout_that_the_file_contradicts_decides_nothing():
    """The publisher changed the language of its file."""
    assert values(read("1,234", "12,5", "7,25", decimal=".")) == numbers(None, None, None)
    assert values(read("1.234", "12.5", "7.25", decimal=",")) == numbers(None, None, None)


def test_e98_one_cell_in_another_language_is_refused_and_leaves_nothing_to_guess():
    assert values(read("12.5", "7.25", "3,5", "1,234")) == numbers("12.5", "7.25", None, None)
    assert values(read("12.5", "7.25", "3,5", "1,234", decimal=".")) == numbers(
        "12.5", "7.25", None, "1234"
    )


def test_e98_a_point_groups_nothing_where_long_numbers_are_not_grouped():
    assert values(read("25.134;1005360", "25.530;40000", header="IBIT;FBTC")) == numbers(
        "25.134", "25.530"
    )
    assert values(read("25.134;120", "25.530;40", header="IBIT;FBTC")) == numbers(None, None)


def test_e98_typed_numbers_of_a_workbook_need_no_mark():
    rows = [["Date", "IBIT"], ["05 Jan 2026", 25134], ["06 Jan 2026", 1.5]]
    content = golden.workbook({"S": rows}, formats={"S!B2": "#,##0"})
    reading = read_as(golden.declared(DAILY, container="xlsx"), "daily", content)
    assert values(reading) == numbers("25134", "1.5")


# -- E95, E92: one number a cell, and digits in threes ---------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "12.3 (+0.4)", "12.3 (-0.4)", "12.3 +0.4", "12.3 / 0.4", "12.3/0.4", "12.3 0.4",
        "12.3 | 0.4", "12.3 [+0.4]", "12 -> 15", "12.3 ▲0.4", "12.3–12.9", "12.3 +3%",
        "12'34", "1'2345", "1,234'567", "1 234'567", "1.234.5", "1,234 567.5",
        "0 123", "1  23", "1''234",
    ],
)  # fmt: skip
def test_e95_a_cell_of_more_than_one_number_is_refused(cell):
    reading = read(cell, "1.5")
    assert values(reading) == numbers(None, "1.5")
    assert cell.split()[0] in reading.refused.item(0, "printed")


@pytest.mark.parametrize("others", [["10.0", "20.0"], ["1,150.0"], ["1150.5"], ["12 151"]])
def test_e95_digits_with_one_blank_between_are_two_numbers_if_blanks_group_no_others(others):
    assert values(read("12 150", *others))[0] is None


@pytest.mark.parametrize(
    "others", [["1 234 567"], ["1,5"], ["1 234,5"], ["1 150.0", "2 200.0"], ["13 151", "14 000"]]
)
def test_e95_digits_with_one_blank_between_are_one_number_where_blanks_group(others):
    assert values(read("12 150", *others))[0] == 12150


@pytest.mark.parametrize("blank", ["\u00a0", "\u2009", "\u202f", "\u2007", " "])
def test_e92_any_blank_groups_digits_in_threes(blank):
    assert values(read(f"1{blank}234{blank}000")) == numbers("1234000")


@pytest.mark.parametrize("mark", ["'", "’", "ʼ"])
def test_e92_an_apostrophe_groups_digits_and_is_no_scale(mark):
    assert values(read(f"1{mark}000", f"12{mark}000{mark}000.5")) == numbers("1000", "12000000.5")


@pytest.mark.parametrize("cell", ["12 '000", "12.5 '000", "12.5 000", "12 000s", "12 (000)"])
def test_e92_thousands_are_a_unit_of_headers_and_not_of_cells(cell):
    assert values(read(cell, "1.5")) == numbers(None, "1.5")


# -- E97: letters behind a number ------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["12.3 b", "8.5b", "8.5 p", "20.0 r", "20.0R", "2k", "$1.73B"])
def test_e97_a_letter_behind_a_number_is_refused_by_name(cell):
    reading = read(cell, "1.5")
    assert values(reading) == numbers(None, "1.5")
    assert f"'{cell[-1]}' is no scale here" in reading.refused.item(0, "printed")


def test_e97_a_letter_is_what_the_layout_says():
    cells = ("12.3 b", "8.5p", "20.0 r", "(4.0) p", "3.0")
    assert values(read(*cells, marks=["b", "p", "r"])) == numbers("12.3", "8.5", "20", "-4", "3")
    assert values(read("12.3 B", "8.5b", scales={"b": "bn"})) == numbers("12300", "8500")


def test_e97_a_letter_that_repeats_the_unit_of_its_column_changes_nothing():
    assert values(read("12.3m", "8.5 M")) == numbers("12.3", "8.5")


@pytest.mark.parametrize(("cell", "value"), [("1.73bn", "1730"), ("12.3 million", "12.3")])
def test_e97_a_word_is_a_scale_unless_the_header_prints_another(cell, value):
    assert values(read(cell)) == numbers(value)
    reading = read(cell, "1.5", header="IBIT (US$m)")
    assert values(reading) == numbers("12.3" if "million" in cell else None, "1.5")
    if "bn" in cell:
        assert "another scale than its column's" in reading.refused.item(0, "printed")
        assert values(read(cell, header="IBIT (US$m)", scales={"bn": "bn"})) == numbers(value)


# -- F9: what a cell cannot say about its precision ------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "value", "half"),
    [
        ("5E+1", "50", "0.5"),
        ("1.25E+1", "12.5", "0.05"),
        ("1.5e3", "1500", "0.5"),
        ("1.5e-1", "0.15", "0.005"),
        ("0e40", "0", "0.5"),
        ("0bn", "0", "0.5"),
        ("0.0 tn", "0", "0.05"),
        ("2bn", "2000", "500"),
    ],
)
def test_f9_a_cell_does_not_widen_its_own_bound(cell, value, half):
    reading = read(cell)
    (row,) = rows_of(reading)
    assert (row["value"], row["half_unit"]) == (Decimal(value) * 10**6, Decimal(half) * 10**6)


# -- characters that nobody sees -------------------------------------------------------------------


@pytest.mark.parametrize(
    "unseen",
    ["\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u200e", "\u200f", "\u061c",
     "\u202a", "\u202c", "\u2066", "\u2069", "\ufe0f"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["{}12.5", "12{}.5", "12.5{}", "-{}12.5"])
def test_characters_without_width_are_no_part_of_a_number(unseen, form):
    expected = Decimal("-12.5" if form.startswith("-") else "12.5")
    assert values(read(form.format(unseen))) == [expected]


@pytest.mark.parametrize(
    ("cell", "named"),
    [
        ("12\u202e345", "U+202E"),
        ("٣", "U+0663"),
        ("１２", "U+FF11, U+FF12"),
    ],
)
def test_other_characters_that_nobody_sees_are_named_by_their_code_point(cell, named):
    reading = read(cell, "1.5")
    assert values(reading) == numbers(None, "1.5")
    assert f"({named})" in reading.refused.item(0, "printed")


# -- whatever stands in a cell ---------------------------------------------------------------------

EXOTIC = [
    "1e400", "-1e400", "1e99", "0e40", "1e-400", "NaN", "inf", "-Infinity", "=#REF!", "#REF!",
    "9" * 5000, "0." + "1" * 5000, "²", "½", "1e", "e5", "--", ",", ".", "'", " ", "(", "()", "[]",
    "1,", ",1", "'000", "\u202e", "12\n34", "\x00", "💶", "$$", "1/0",
]  # fmt: skip


@pytest.mark.parametrize("cell", EXOTIC)
@pytest.mark.parametrize("column", ["Date", "IBIT", "header"])
def test_whatever_a_text_holds_it_is_read_or_refused(cell, column):
    rows = [["Date", "IBIT"], ["05 Jan 2026", "1.5"], ["06 Jan 2026", "2.5"]]
    at = {"Date": (2, 0), "IBIT": (2, 1), "header": (0, 1)}[column]
    rows[at[0]][at[1]] = cell
    for content in (golden.csv_bytes(rows), golden.page([rows]) if "\x00" not in cell else b"<"):
        container = "csv" if content.startswith(b"Date") else "html"
        try:
            reading = read_as(golden.declared(DAILY, container=container), "r", content)
        except FundflowsError:
            continue
        assert golden.numbers(reading.observations).height + reading.refused.height


@pytest.mark.parametrize(
    "number_format",
    [
        "[>1.2.3]0", "0." + "0" * 120, "0" * 300, "0" + "," * 400, "[<]0", "[>=]0;0", ";", ";;;",
        '"', "\\", "[", "]", "0.0.0", "%", "%%%0", "0E+0000", "_", "*", "@@", "[$-F800]dddd", "?/?",
        "[>1e5]0", "[=٣]0",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [0, 12.5, -12.5, 1e300, -1e-300])
def test_whatever_the_format_of_a_number_is_it_is_read_or_refused(number_format, value):
    rows = [["Date", "IBIT"], ["05 Jan 2026", 1.5], ["06 Jan 2026", value]]
    content = golden.workbook({"S": rows}, formats={"S!B3": number_format})
    try:
        reading = read_as(golden.declared(DAILY, container="xlsx"), "r", content)
    except FundflowsError:
        return
    cells = [
        *golden.numbers(reading.observations).get_column("cell"),
        *reading.refused.get_column("cell"),
    ]
    assert sorted(cells) == ["B2", "B3"]


@pytest.mark.parametrize("stored", ["1e400", "-1e400", "nan", "9" * 400, "1e-400", "0e40"])
def test_whatever_number_a_workbook_stores_it_is_read_or_refused(stored):
    rows = [["Date", "IBIT"], ["05 Jan 2026", 1.5], ["06 Jan 2026", 77]]
    content = golden.edited(
        golden.workbook({"S": rows}),
        "xl/worksheets/sheet1.xml",
        lambda sheet: sheet.replace(b"<v>77</v>", f"<v>{stored}</v>".encode()),
    )
    try:
        reading = read_as(golden.declared(DAILY, container="xlsx"), "r", content)
    except FundflowsError:
        return
    assert golden.numbers(reading.observations).height + reading.refused.height == 2
    assert values(reading)[0] == Decimal("1.5")


@given(st.text(alphabet="0123456789.,' ()+-%ebmnkr$", max_size=12))
@example("1,234")
@example("5E+1")
def test_a_number_that_is_read_has_the_digits_that_it_prints(text):
    try:
        number = parse_number(text, Unit("USD"))
    except NotANumber:
        return
    if number.value:
        digits = "".join(each for each in text.lower().partition("e")[0] if each.isdigit())
        assert f"{abs(number.value):f}".replace(".", "").strip("0") == digits.strip("0")
