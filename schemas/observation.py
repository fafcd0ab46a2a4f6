"""The contract of what is read from reports: observations, refused rows, outcomes.

These three are what a week's files hold. What is derived from them in SQL has its contract in
`core`, `ops` and `mart`.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated

import pandera.polars as pa
import polars as pl

from schemas.dimensions import LABELLED
from schemas.measures import GROSS, MEASURES, NULL_KINDS, PERIODS, REFUSED

Amount = Annotated[pl.Decimal, 38, 10]
Instant = Annotated[pl.Datetime, "us", "UTC"]

KEY = (
    "source",
    "printed_table",
    "dimension",
    "label",
    "measure",
    "period",
    "period_start",
    "period_end",
)
"""What two observations have in common that are about the same thing."""

STATED = ("value", "half_unit", "currency", "status")
"""What a vintage says about a key; a later one is stored where one of these differs."""


class Strict(pa.DataFrameModel):
    """What all contracts have in common."""

    class Config:
        """Shape rules: these columns, no others."""

        strict = True


class BySource(Strict):
    """What is about a source and a week of it."""

    source: pl.String = pa.Field(
        description="The publisher's series of reports; sources are never mixed."
    )
    week_ending: pl.Date = pa.Field(description="The week, by the date on which it ends (E31).")


class Observation(Strict):
    """One printed number of one report, in its base unit, with the address of its cell."""

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    report_id: pl.String = pa.Field(
        description="sha256 of the report's bytes.", str_matches="^[0-9a-f]{64}$"
    )
    layout: pl.String = pa.Field(description="The layout of the source that read the report.")
    known_at: Instant = pa.Field(
        description="From when the number could be known: the publisher's time, else received."
    )
    published_at: Instant = pa.Field(
        nullable=True, description="When the publisher says the report came out."
    )
    week_ending: pl.Date = pa.Field(
        description="The date on which the week ends, by the source's own rule (E31)."
    )
    period_start: pl.Date = pa.Field(description="First day that the number is about.")
    period_end: pl.Date = pa.Field(
        description="Last day that the number is about; for a stock, the day of the close."
    )
    printed_table: pl.String = pa.Field(description="Which printed table, by the layout's name.")
    dimension: pl.String = pa.Field(
        isin=list(LABELLED),
        description="What the label names: fund, asset, issuer, country; total; or a check row.",
    )
    label: pl.String = pa.Field(description="The label as printed.")
    sublabel: pl.String = pa.Field(nullable=True, description="A second printed label.")
    measure: pl.String = pa.Field(isin=list(MEASURES), description="What is measured.")
    period: pl.String = pa.Field(
        isin=list(PERIODS),
        description="What span of time: day, week, mtd, qtd, ytd, since_inception, a run of weeks "
        "(2w to 13w); or a close.",
    )
    value: Amount = pa.Field(
        nullable=True, description="Exact value in the base unit; NULL with a reason (E07)."
    )
    currency: pl.String = pa.Field(nullable=True, description="Currency of the unit, if any.")
    unit: pl.String = pa.Field(description="Base unit: USD, shares, coins, USD/share, ratio.")
    half_unit: Amount = pa.Field(
        nullable=True, ge=0, description="Half of the last printed digit, in the base unit (F9)."
    )
    printed: pl.String = pa.Field(description="The text as shown.")
    null_reason: pl.String = pa.Field(
        nullable=True,
        isin=[*NULL_KINDS, REFUSED],
        description="Why there is no value: blank, dash, holiday, awaited, refused... (E07).",
    )
    status: pl.String = pa.Field(
        isin=["final", "preliminary"],
        description="preliminary while the publisher is still filling the row (E37).",
    )
    sheet: pl.String = pa.Field(description="Sheet, or table of the page.")
    cell: pl.String = pa.Field(description="Cell address, as a spreadsheet prints it.")

    @pa.dataframe_check(name="value_or_reason", description="a value, or the reason for none")
    def value_or_reason(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """A value, or the reason why there is none (E07); never both."""
        return data.lazyframe.select(
            pl.col("value").is_null() == pl.col("null_reason").is_not_null()
        )

    @pa.dataframe_check(name="one_number_per_key", description="one number a key and report")
    def one_number_per_key(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """A report says one thing about one key; two different numbers are both refused."""
        stated = pl.struct("value", "null_reason", "currency")
        return data.lazyframe.select(stated.n_unique().over("report_id", *KEY) == 1)

    @pa.dataframe_check(name="period_in_week", description="the period ends in its week")
    def period_in_week(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """The period ends in the week that it is filed under, and does not end before it starts."""
        age = (pl.col("week_ending") - pl.col("period_end")).dt.total_days()
        return data.lazyframe.select(
            age.is_between(0, 6) & (pl.col("period_start") <= pl.col("period_end"))
        )

    @pa.dataframe_check(name="not_from_the_future", description="known after the period ended")
    def not_from_the_future(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """Nothing is known before the day that it is about, time zones allowed for (E38)."""
        return data.lazyframe.select(
            pl.col("value").is_null()
            | (pl.col("period_end") <= pl.col("known_at").dt.date() + pl.duration(days=1))
        )

    @classmethod
    def as_printed(cls) -> pl.Expr:
        """The number as the report prints it."""
        return pl.col("value")

    @pa.dataframe_check(
        name="tables_agree", description="tables agree; else one `yields_to` others"
    )
    def tables_agree(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """Tables of a report agree on a member, period and measure, within rounding (E116, F9)."""
        key = ["report_id", *(name for name in KEY if name != "printed_table")]
        low = (cls.as_printed() - pl.col("half_unit")).max().over(key)
        high = (cls.as_printed() + pl.col("half_unit")).min().over(key)
        alike = (low <= high).fill_null(True) & (pl.col("currency").n_unique().over(key) == 1)
        return data.lazyframe.select(alike | pl.col("dimension").is_in(["total", "check"]))

    @pa.dataframe_check(name="one_currency", description="a fund's numbers are in one currency")
    def one_currency(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """NAV, AUM and flow of a fund on a day are in one currency (E118)."""
        of_fund = ["report_id", "source", "dimension", "label", "period_end"]
        currencies = pl.col("currency").drop_nulls().n_unique().over(of_fund)
        return data.lazyframe.select((pl.col("dimension") != "fund") | (currencies <= 1))

    @pa.dataframe_check(name="stock_not_negative", description="stocks and gross flows are >= 0")
    def stock_not_negative(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """Neither a stock (AUM, NAV, shares) nor creations or redemptions are negative."""
        stocks = [*GROSS] + [name for name, measure in MEASURES.items() if measure.kind == "stock"]
        return data.lazyframe.select(
            ~pl.col("measure").is_in(stocks) | (pl.col("value").fill_null(0) >= 0)
        )

    @pa.dataframe_check(name="plausible_magnitude", description="no larger than any such figure is")
    def plausible_magnitude(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """Below 10^14 (an amount, a number of shares) or 10^7 (a share): else a unit slip (E51)."""
        most = pl.when(pl.col("unit").str.ends_with("/share")).then(10**7).otherwise(10**14)
        return data.lazyframe.select(pl.col("value").fill_null(0).abs() < most)


def is_refused() -> pl.Expr:
    """Whether an observation stands for a number that was refused."""
    return pl.col("null_reason").eq_missing(pl.lit(REFUSED))


class Refused(Strict):
    """One row or cell that was refused, with the rule, the place and what to do."""

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    week_ending: pl.Date = pa.Field(description="The week under which the row is kept.")
    report_id: pl.String = pa.Field(description="sha256 of the report's bytes.")
    known_at: Instant = pa.Field(description="From when the report could be known.")
    rule: pl.String = pa.Field(description="The rule that refused it.")
    printed_table: pl.String = pa.Field(description="Which printed table, by the layout's name.")
    label: pl.String = pa.Field(nullable=True, description="The label of the row or column.")
    measure: pl.String = pa.Field(nullable=True, description="What would have been measured.")
    printed: pl.String = pa.Field(description="The text as shown.")
    reason: pl.String = pa.Field(description="What was expected, and what to do.")
    sheet: pl.String = pa.Field(description="Sheet, or table of the page.")
    cell: pl.String = pa.Field(description="Cell address, as a spreadsheet prints it.")


class Outcome(Strict):
    """One outcome of a check on a report and week: a contract rule, or a line that must add up."""

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    week_ending: pl.Date = pa.Field(description="The week that was checked.")
    report_id: pl.String = pa.Field(description="sha256 of the report's bytes.")
    known_at: Instant = pa.Field(description="From when the report could be known.")
    rule: pl.String = pa.Field(description="The rule, stated by its name.")
    line: pl.String = pa.Field(description="What was checked: table, measure, period.")
    expected: Amount = pa.Field(nullable=True, description="The printed figure to meet.")
    found: Amount = pa.Field(nullable=True, description="What the parts give.")
    residual: Amount = pa.Field(nullable=True, description="expected - found.")
    hard_bound: Amount = pa.Field(
        nullable=True, description="Largest residual that rounding can leave (F9)."
    )
    soft_bound: Amount = pa.Field(
        nullable=True, description="Residual that rounding leaves in 95 of 100 cases (F9)."
    )
    checked: pl.Int64 = pa.Field(description="Numbers that were checked or added.")
    failed: pl.Int64 = pa.Field(description="Numbers that failed.")
    verdict: pl.String = pa.Field(
        isin=["exact", "rounding", "unexplained", "unknown", "pass", "refused"],
        description="exact, rounding, unexplained or unknown for sums; pass or refused for rules.",
    )
    blocking: pl.Boolean = pa.Field(description="Whether a failure refuses the week's vintage.")
    sample: pl.String = pa.Field(nullable=True, description="A few of the failures, with cells.")
    proposal: pl.String = pa.Field(
        nullable=True,
        description="What would repair it, for a person to decide on; nothing is changed.",
    )


@cache
def empty(contract: type[pa.DataFrameModel]) -> pl.DataFrame:
    """Return the frame of a contract with no rows."""
    columns = contract.to_schema().columns
    return pl.DataFrame(schema={name: column.dtype.type for name, column in columns.items()})


def frame(contract: type[pa.DataFrameModel], rows: list[dict[str, object]]) -> pl.DataFrame:
    """Return the rows as a frame with exactly the columns and types of a contract."""
    return pl.DataFrame(rows, schema=empty(contract).schema, orient="row")
