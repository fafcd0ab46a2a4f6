"""Rounding intervals (F9): what is said of printed numbers holds for all that they can stand for.

Numbers are drawn, printed with some digits, and everything that is concluded from the print is
held against the numbers. The macros of the database say the same as the module.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import duckdb
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.checking.intervals import Interval, is_largest, slip, total, verdict_of
from pipelines.database.models import macros

AMOUNT = pl.Decimal(38, 10)
numbers = st.decimals(-10_000, 10_000, places=4)
digits = st.integers(-2, 3)


@st.composite
def printed(draw) -> tuple[Decimal, Interval]:
    """Draw a number, and what its print stands for."""
    number, places = draw(numbers), draw(digits)
    unit = Decimal(1).scaleb(-places)
    return number, Interval.of(number.quantize(unit), unit / 2)


def interval(value: str, half_unit: str = "0") -> Interval:
    return Interval.of(Decimal(value), Decimal(half_unit))


# -- worked numbers --------------------------------------------------------------------------------


def test_f9_a_printed_number_is_an_interval():
    assert interval("1.73", "0.005") == Interval(Decimal("1.725"), Decimal("1.735"))
    with pytest.raises(ValueError, match="negative"):
        interval("1", "-1")


def test_e45_the_run_of_november_is_beyond_rounding_and_that_of_february_is_not():
    november = total([interval(*week) for week in NOVEMBER])
    assert november == Interval(Decimal("4.940"), Decimal("6.060"))
    assert not november.meets(interval("4.92", "0.005"))
    february = total([interval(*week) for week in FEBRUARY])
    assert february == Interval(Decimal("3.734"), Decimal("3.846"))
    assert february.meets(interval("3.74", "0.005"))


NOVEMBER = [("0.36", "0.005"), ("1.2", "0.05"), ("2", "0.5"), ("1.94", "0.005")]
FEBRUARY = [("1.73", "0.005"), ("1.7", "0.05"), ("0.187", "0.0005"), ("0.173", "0.0005")]


def test_e55_erased_is_a_ratio():
    """-1.73bn after +2.17bn: at most 80% whatever was rounded, so nothing was erased."""
    share = interval("1.73", "0.005") / interval("2.17", "0.005")
    assert interval("1").is_at_most(share) == "false"
    assert Decimal("0.797") in share


def test_e58_a_record_that_rounding_cannot_decide():
    claimed, other = interval("1.315", "0.0005"), interval("1.32", "0.005")
    assert is_largest(claimed, [other]) == "undecidable"
    assert is_largest(claimed, [interval("1.27", "0.005")]) == "true"
    assert is_largest(interval("1.27", "0.005"), [claimed, other]) == "false"
    assert is_largest(claimed, []) == "true"


def test_e51_a_slip_is_found_where_rounding_can_tell():
    needed = interval("-12.5", "0.45")
    assert slip(interval("-12400", "50"), needed) == -3
    assert slip(interval("-12.4", "0.05"), needed) is None
    # 111m or 11.1m beside a total of 1.7bn: both fit.
    assert slip(interval("-111", "0.5"), interval("-60", "55")) is None


# -- properties ------------------------------------------------------------------------------------


@given(st.lists(printed(), max_size=6))
def test_f9_a_sum_holds_every_sum_of_what_was_rounded(drawn):
    assert sum((number for number, _ in drawn), start=Decimal(0)) in total(
        [shown for _, shown in drawn]
    )


@given(printed(), printed())
def test_f9_differences_and_products_hold_what_was_rounded(one, other):
    assert one[0] - other[0] in one[1] - other[1]
    assert one[0] * other[0] in one[1] * other[1]


@given(printed(), printed())
def test_f9_a_ratio_holds_what_was_rounded_or_is_refused(one, other):
    if Decimal(0) in other[1]:
        with pytest.raises(ZeroDivisionError):
            one[1] / other[1]
        return
    ratio = one[1] / other[1]
    assert ratio.low - Decimal("1e-15") <= one[0] / other[0] <= ratio.high + Decimal("1e-15")


@given(printed(), printed())
def test_f9_a_comparison_is_decided_only_if_all_values_agree(one, other):
    answers = {
        low <= high
        for low, high in itertools.product((one[1].low, one[1].high), (other[1].low, other[1].high))
    }
    expected = "undecidable" if len(answers) == 2 else str(answers.pop()).lower()
    assert one[1].is_at_most(other[1]) == expected


@given(printed(), st.lists(printed(), max_size=5))
def test_f10_the_largest_is_so_for_all_values_or_for_none(claimed, others):
    answer = is_largest(claimed[1], [shown for _, shown in others])
    is_so = all(number <= claimed[0] for number, _ in others)
    assert answer in (str(is_so).lower(), "undecidable")


@given(st.lists(printed(), min_size=1, max_size=5), printed())
def test_f9_unexplained_means_that_the_intervals_do_not_meet(parts, claimed):
    """The verdict of a residual and a hard bound is that of the intervals (judge, certificate)."""
    summed, printed_total = total([shown for _, shown in parts]), claimed[1]
    residual = (printed_total.low + printed_total.high - summed.low - summed.high) / 2
    hard_bound = (summed.width + printed_total.width) / 2
    ((verdict,),) = pl.select(
        verdict_of(
            pl.lit(residual, dtype=AMOUNT),
            pl.lit(hard_bound, dtype=AMOUNT),
        )
    ).iter_rows()
    assert (verdict != "unexplained") == summed.meets(printed_total)
    assert (verdict == "exact") == (residual == 0)


@given(printed(), st.sampled_from([-3, -2, -1, 1, 2, 3]))
def test_e51_a_slipped_figure_is_read_back(drawn, power):
    """Whatever is proposed meets what is needed; the true reading is found where it can be."""
    _, shown = drawn
    assume(shown.low * shown.high > 0)
    slipped = shown.scaled(power)
    found = slip(slipped, shown)
    if found is None:
        change = abs(slipped.low + slipped.high - shown.low - shown.high) / 2
        assert change <= 2 * shown.width
    else:
        assert slipped.scaled(found).meets(shown)


# -- the same in SQL -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect()) as opened:
        opened.execute("create schema ops")
        for statement in macros().values():
            opened.execute(statement)
        yield opened


def spelt(number: Decimal) -> Decimal:
    """Return a number without an exponent: DuckDB 1.5 takes 1.5E+2 for another one."""
    return Decimal(f"{number:f}")


@given(one=printed(), others=st.lists(printed(), min_size=1, max_size=4))
def test_f9_the_macros_say_what_the_module_says(connection, one, others):
    claimed, shown = one[1], [each for _, each in others]
    ((at_most, largest),) = connection.execute(
        "select ops.is_at_most($low, $high, $lows[1], $highs[1]), "
        "ops.is_largest($low, $high, $lows, $highs)",
        {
            "low": spelt(claimed.low),
            "high": spelt(claimed.high),
            "lows": [spelt(each.low) for each in shown],
            "highs": [spelt(each.high) for each in shown],
        },
    ).fetchall()
    assert at_most == claimed.is_at_most(shown[0])
    assert largest == is_largest(claimed, shown)


@given(
    residual=st.none() | st.decimals(-2, 2, places=2),
    hard_bound=st.none() | st.decimals(0, 2, places=2),
)
def test_f9_the_macro_gives_the_verdict_of_the_module(connection, residual, hard_bound):
    ((verdict,),) = connection.execute(
        "select ops.verdict(?, ?)", [residual, hard_bound]
    ).fetchall()
    amounts = pl.DataFrame(
        {"residual": [residual], "hard_bound": [hard_bound]},
        schema={"residual": AMOUNT, "hard_bound": AMOUNT},
    )
    said = amounts.select(verdict_of(pl.col("residual"), pl.col("hard_bound"))).item()
    assert verdict == said


def test_f9_the_macro_knows_an_empty_list(connection):
    ((answer,),) = connection.execute("select ops.is_largest(1, 2, [], [])").fetchall()
    assert answer == "true"
