"""AUM against NAV x shares outstanding, within rounding: the inputs of a flow by shares (F1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.checking.contract import AMOUNT, REPORT
from pipelines.checking.intervals import Interval, verdict_of
from pipelines.layouts.language import Layout, Table

_FUND = ("report_id", "printed_table", "label")
MEASURED = ("aum", "nav", "shares_outstanding")
"""What a row that is a position prints."""
SETTLEMENT = (
    "AUM is NAV x the shares of the next row: if the publisher dates shares at settlement, declare "
    "`positions_dated: settlement` in the table"
)
"""What is proposed where shares are a session late (E106)."""
_MOST = 0.8
"""That part of the rows that do not add up must do so with the shares of the next row."""


def positions(table: Table, observations: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a table that print AUM, NAV and shares outstanding of a fund.

    Columns: report, table, label, period_end; the three, and the half unit of each; `place` of the
    AUM; `product`, NAV x shares, and `bound`, what rounding can make of their difference, as far as
    a float has digits; `fits_next`, whether AUM is NAV x the shares of the next row (E106).
    """
    span = [*REPORT, "printed_table", "label", "period_end"]
    own = observations.filter(
        (pl.col("printed_table") == table.name) & (pl.col("dimension") == "fund")
    )
    sides = [
        own.filter(pl.col("measure") == measure).select(
            *span,
            pl.col("value").alias(measure),
            pl.col("half_unit").alias(f"{measure}_half"),
            *([pl.format("{}!{}", "sheet", "cell").alias("place")] if measure == "aum" else []),
        )
        for measure in MEASURED
    ]
    aum, nav, shares = (pl.col(each).cast(pl.Float64) for each in MEASURED)
    halves = [pl.col(f"{each}_half").cast(pl.Float64) for each in MEASURED]
    bound = halves[0] + nav * halves[2] + shares * halves[1] + halves[1] * halves[2]
    late = nav * shares.shift(-1).over(_FUND)
    return (
        sides[0]
        .join(sides[1], on=span)
        .join(sides[2], on=span)
        .drop_nulls(MEASURED)
        .sort(span)
        .with_columns(
            product=nav * shares,
            bound=bound,
            fits_next=((aum - late).abs() <= bound).fill_null(value=False),
        )
    )


def position_lines(layout: Layout, observations: pl.DataFrame) -> list[pl.DataFrame]:
    """Compare AUM with NAV x shares outstanding: one line per week and fund, with its worst day.

    Never blocking: a rounded NAV or a late correction of one of the three is the publisher's, and
    the flow is made of shares and NAV alone. A row that is far off is refused before (E105).
    """
    tables = [positions(table, observations) for table in layout.tables if table.position]
    return [_worst_a_week(joined) for joined in tables if not joined.is_empty()]


def _worst_a_week(joined: pl.DataFrame) -> pl.DataFrame:
    exact = pl.DataFrame(
        [_product(row) for row in joined.iter_rows(named=True)],
        schema_overrides=dict.fromkeys(("found", "hard_bound"), AMOUNT),
    )
    residual = pl.col("aum") - pl.col("found")
    late = pl.col("late")
    return (
        pl.concat([joined, exact], how="horizontal")
        .with_columns(residual=residual.cast(AMOUNT), over=residual.abs() - pl.col("hard_bound"))
        .sort("over", descending=True)
        .group_by(*REPORT, "printed_table", "label", maintain_order=True)
        .agg(
            pl.col("found", "residual", "hard_bound", "place", "period_end").first(),
            expected=pl.col("aum").first(),
            checked=pl.len().cast(pl.Int64),
            failed=(pl.col("over") > 0).sum().cast(pl.Int64),
            late=((pl.col("over") > 0) & pl.col("fits_next")).sum(),
        )
        .with_columns(
            rule=pl.lit("position"),
            line=pl.format(
                "{}: {} aum = nav x shares outstanding; worst day {}",
                "printed_table",
                "label",
                "period_end",
            ),
            verdict=verdict_of(pl.col("residual"), pl.col("hard_bound")),
            blocking=pl.lit(value=False),
            sample=pl.col("place"),
            proposal=pl.when(late > 0, late >= _MOST * pl.col("failed")).then(pl.lit(SETTLEMENT)),
        )
        .drop("late")
    )


def _product(row: dict[str, Any]) -> dict[str, Decimal]:
    """Return NAV x shares, and how far rounding can put it from the printed AUM (F9)."""
    nav, shares = (
        Interval.of(row[name], row[f"{name}_half"]) for name in ("nav", "shares_outstanding")
    )
    found = row["nav"] * row["shares_outstanding"]
    most = (nav * shares).high - found + row["aum_half"]
    return {"found": _exactly(found), "hard_bound": _exactly(most)}


def _exactly(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("1e-10"))
