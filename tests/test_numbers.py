"""Printed numbers and units: every form that publishers print, and what must be refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.layouts.units import NULL_REASONS, Unit, clean, parse_unit, split_header
from pipelines.reading.numbers import NotANumber, parse_number

MILLION = Decimal(10**6)
USD, USDM = Unit("USD"), Unit("USD", MILLION)


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [
        ("24.9", "24.9", "0.05"),
        ("(24.9)", "-24.9", "0.05"),
        ("( 24.9 )", "-24.9", "0.05"),
        ("-24.9", "-24.9", "0.05"),
        ("−24.9", "-24.9", "0.05"),
        ("–24.9", "-24.9", "0.05"),
        ("—24.9", "-24.9", "0.05"),
        ("‑24.9", "-24.9", "0.05"),
        ("- 24.9", "-24.9", "0.05"),
        ("24.9-", "-24.9", "0.05"),
        ("+24.9", "24.9", "0.05"),
        ("60,809", "60809", "0.5"),
        ("1,119.9", "1119.9", "0.05"),
        ("1,234,567.80", "1234567.8", "0.005"),
        ("1 119.9", "1119.9", "0.05"),
        ("1\u00a0119.9", "1119.9", "0.05"),
        ("1\u202f119.9", "1119.9", "0.05"),
        ("\u00a024.9\u00a0", "24.9", "0.05"),
        ("$24.9", "24.9", "0.05"),
        ("US$24.9", "24.9", "0.05"),
        ("US$ 24.9", "24.9", "0.05"),
        ("USD 24.9", "24.9", "0.05"),
        ("-$24.9", "-24.9", "0.05"),
        ("$-24.9", "-24.9", "0.05"),
        ("($24.9)", "-24.9", "0.05"),
        ("$(24.9)", "-24.9", "0.05"),
        (".5", "0.5", "0.05"),
        ("1e3", "1000", "0.5"),
        ("1.2E-3", "0.0012", "0.00005"),
        ("inflows of 12", "12", "0.5"),
        ("Net inflow 12", "12", "0.5"),
        ("outflows of US$12.5", "-12.5", "0.05"),
        ("net outflow 12", "-12", "0.5"),
        ("minus 12", "-12", "0.5"),
        ("negative 12", "-12", "0.5"),
        ("24.9*", "24.9", "0.05"),
        ("24.9 *", "24.9", "0.05"),
        ("24.9†", "24.9", "0.05"),
        ("24.9*†", "24.9", "0.05"),
        ("24.9[1]", "24.9", "0.05"),
        ("24.9 [a]", "24.9", "0.05"),
        ("24.9 (1)", "24.9", "0.05"),
        ("24.9²", "24.9", "0.05"),
        ("(24.9)¹", "-24.9", "0.05"),
        ("0.0*", "0", "0.05"),
    ],
)
def test_a_printed_number_is_read_exactly_with_half_its_last_digit(text, value, half):
    number = parse_number(text, USDM)
    assert number.value == Decimal(value) * MILLION
    assert number.half_unit == Decimal(half) * MILLION
    assert number.null_reason is None
    assert number.printed == clean(text)


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [
        ("1.73bn", "1730000000", "5000000"),
        ("US$1.73 billion", "1730000000", "5000000"),
        ("$1.73BN", "1730000000", "5000000"),
        ("-1.09bn", "-1090000000", "5000000"),
        ("2,150.0mn", "2150000000", "50000"),
        ("12 million", "12000000", "500000"),
        ("12mn", "12000000", "500000"),
        ("4.5 thousand", "4500", "50"),
        ("0.2tn", "200000000000", "50000000000"),
        ("outflows of US$53.7mn", "-53700000", "50000"),
        ("1.73bn*", "1730000000", "5000000"),
    ],
)
def test_a_scale_printed_with_the_number_wins_over_the_columns(text, value, half):
    for unit in (USD, USDM, Unit("USD", Decimal(10**9))):
        number = parse_number(text, unit)
        assert (number.value, number.half_unit) == (Decimal(value), Decimal(half))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "blank"),
        (" \u00a0 ", "blank"),
        ("-", "dash"),
        (" – ", "dash"),
        ("—", "dash"),
        ("−", "dash"),
        ("--", "dash"),
        ("n/a", "not_available"),
        ("N/A", "not_available"),
        ("n.a.", "not_available"),
        ("#N/A", "not_available"),
        ("HOLIDAY", "holiday"),
        ("AWAITED", "awaited"),
        ("pending", "awaited"),
        ("tbc", "awaited"),
        ("Not declared", "not_declared"),
    ],
)
def test_a_missing_number_is_null_with_its_reason(text, reason):
    number = parse_number(text, USDM)
    assert (number.value, number.half_unit, number.null_reason) == (None, None, reason)


@pytest.mark.parametrize("text", ["0", "0.0", "-0.0", "(0.0)", "−0.00", "0.0%", "$0", "0bn"])
def test_zero_is_zero_and_has_no_sign(text):
    number = parse_number(text, Unit("ratio") if "%" in text else USDM)
    assert number.value == 0
    assert not number.value.is_signed()
    assert number.null_reason is None


@pytest.mark.parametrize(
    "text",
    [
        "(-24.9)", "-24.9-", "-$-24.9", "outflow -24.9", "outflow of (24.9)", "minus (24.9)",
        "inflow of -24.9", "--24.9", "+-24.9",
    ],
)  # fmt: skip
def test_a_sign_said_twice_is_refused(text):
    with pytest.raises(NotANumber):
        parse_number(text, USDM)


@pytest.mark.parametrize(
    "text",
    [
        "1,23", "1,2345", "12,34,567", "1,234 567", "1234,567", ",123", "0,123", "00,123",
        "12 34", "12.3.4", "12.345,6",
    ],
)  # fmt: skip
def test_digits_grouped_as_no_number_is_are_refused(text):
    """A comma before other than three digits, or after a zero, is perhaps a decimal comma."""
    with pytest.raises(NotANumber):
        parse_number(text, USDM)


@pytest.mark.parametrize(
    "text",
    [
        "twelve", "nil", "(24.9", "24.9)", "24.9 31.5", "$", "bn", "()", "(-)", "1bn m", "~5",
        "<0.1", "2.5x", "NaN", "inf", "24.9 of 30", "2026-01-16", "16 Jan 2026", "=A1+B1", "TRUE",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_its_text(text):
    with pytest.raises(NotANumber) as refused:
        parse_number(text, USDM)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("€12", USDM),
        ("EUR 12", USDM),
        ("£12", Unit("USD/share")),
        ("$12", Unit("EUR")),
        ("12%", USDM),
        ("12%", Unit("shares")),
        ("$12", Unit("shares")),
        ("EUR 12", Unit("coins")),
    ],
)
def test_a_number_of_another_unit_than_its_column_is_refused(text, unit):
    with pytest.raises(NotANumber):
        parse_number(text, unit)


def test_a_percentage_is_a_ratio():
    number = parse_number("12.5%", Unit("ratio"))
    assert (number.value, number.half_unit) == (Decimal("0.125"), Decimal("0.0005"))
    assert parse_number("12.5", parse_unit("%")).value == Decimal("0.125")


@pytest.mark.parametrize(
    ("text", "decimals", "half"),
    [("25", 2, "0.005"), ("25.5", 2, "0.005"), ("25.125", 2, "0.0005"), ("25", 0, "0.5")],
)
def test_declared_decimals_give_back_dropped_zeros_and_never_take_digits(text, decimals, half):
    assert parse_number(text, USD, decimals=decimals).half_unit == Decimal(half)


def test_a_layouts_own_words_for_missing_are_used():
    words = {**NULL_REASONS, "n.d.": "not_declared"}
    assert parse_number("N.D.", USDM, nulls=words).null_reason == "not_declared"
    with pytest.raises(NotANumber):
        parse_number("n.d.", USDM)


def test_a_number_too_long_to_keep_exactly_is_not_rounded():
    text = "12345678901234567890123456789.123"
    try:
        number = parse_number(text, USD)
    except NotANumber:
        return
    assert number.value == Decimal(text)


@pytest.mark.parametrize(
    ("text", "base", "factor"),
    [
        ("US$m", "USD", 10**6),
        ("USDm", "USD", 10**6),
        ("US$ million", "USD", 10**6),
        ("$", "USD", 1),
        ("USD bn", "USD", 10**9),
        ("US$bn", "USD", 10**9),
        ("€m", "EUR", 10**6),
        ("CHF", "CHF", 1),
        ("000", None, 1000),
        ("shares", "shares", 1),
        ("thousand shares", "shares", 1000),
        ("USD/share", "USD/share", 1),
        ("€ / share", "EUR/share", 1),
        ("coins", "coins", 1),
        ("%", "ratio", Decimal("0.01")),
    ],
)
def test_a_unit_is_read_as_publishers_print_it(text, base, factor):
    assert parse_unit(text) == Unit(base, Decimal(factor))


@pytest.mark.parametrize("text", ["", " ", "net", "Week flow", "bps", "US$m US$m", "m m", "2026"])
def test_what_is_no_unit_is_none(text):
    assert parse_unit(text) is None


def test_a_unit_knows_its_currency():
    assert [Unit(base).currency for base in ("USD", "EUR/share", "shares", None)] == [
        "USD", "EUR", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("Week flow (US$m)", "Week flow", USDM),
        ("Week flow [US$m]", "Week flow", USDM),
        ("Week flow, US$m", "Week flow", USDM),
        ("Week\u00a0flow US$m", "Week flow", USDM),
        ("AUM (US$bn)", "AUM", Unit("USD", Decimal(10**9))),
        ("AUM (€m)", "AUM", Unit("EUR", MILLION)),
        ("Shares Outstanding (000)", "Shares Outstanding", Unit(None, Decimal(1000))),
        ("NAV Change (%)", "NAV Change", Unit("ratio", Decimal("0.01"))),
        ("NAV", "NAV", None),
        ("Flow (net)", "Flow (net)", None),
        ("IBIT", "IBIT", None),
    ],
)
def test_the_unit_in_a_header_is_split_from_its_name(header, name, unit):
    assert split_header(header) == (name, unit)


# -- properties ------------------------------------------------------------------------------------

SCALES = {
    "": None, " thousand": 10**3, "m": 10**6, "mn": 10**6, " million": 10**6,
    "bn": 10**9, " billion": 10**9, "tn": 10**12,
}  # fmt: skip
MINUS = {
    "-{}": "-", "−{}": "-", "({})": "()", "( {} )": "()", "{}-": "-", "minus {}": "minus",
    "outflows of {}": "outflow",
}  # fmt: skip


@st.composite
def printed_numbers(draw):
    """A text, the value that it prints in units of 1, and half of its last digit."""
    places = draw(st.integers(0, 6))
    value = Decimal(draw(st.integers(-(10**15), 10**15))).scaleb(-places)
    grouping = draw(st.sampled_from(["", ",", " ", "\u00a0", "\u202f"]))
    scale = draw(st.sampled_from(list(SCALES)))
    currency = draw(st.sampled_from(["", "$", "US$", "US$ ", "USD "]))
    digits = f"{abs(value):,.{places}f}".replace(",", grouping)
    plain = f"{currency}{digits}{scale}"
    form = draw(st.sampled_from(list(MINUS))) if value < 0 else "{}"
    footnotes = ["", "*", " †", "[1]", "²"] if form != "{}-" else [""]
    footnote = draw(st.sampled_from(footnotes))
    factor = Decimal(SCALES[scale] or 10**6)
    half = Decimal(5).scaleb(-places - 1) * (factor if value else min(factor, MILLION))
    return form.format(plain) + footnote, value * factor, half


@given(printed_numbers())
@example(("(1,090.0)", Decimal(-1090) * MILLION, Decimal("0.05") * MILLION))
def test_any_number_in_any_form_reads_back_exactly(printed):
    text, value, half = printed
    number = parse_number(text, USDM)
    assert (number.value, number.half_unit) == (value, half)


ALPHABET = "0123456789.,()[]+-−–$€£%*†²'eE kmbn\u00a0ousdUSDflowinminus/#a"


@given(st.text() | st.text(alphabet=ALPHABET, max_size=14))
@example("1e999")
@example("٣")
def test_any_text_is_a_number_or_null_or_refused_and_nothing_else(text):
    for unit in (USDM, Unit("ratio", Decimal("0.01")), Unit(None, Decimal(1000))):
        try:
            number = parse_number(text, unit)
        except NotANumber:
            continue
        assert (number.value is None) == (number.null_reason is not None)
        assert (number.value is None) == (number.half_unit is None)
        assert number.half_unit is None or number.half_unit > 0


@given(st.text(max_size=20))
def test_any_header_splits_into_a_name_that_is_not_empty(text):
    name, unit = split_header(text)
    assert name or not clean(text)
    assert unit is None or unit.factor > 0
