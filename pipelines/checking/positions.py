"""AUM against NAV x shares outstanding, within rounding: the inputs of a flow by shares (F1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.checking.contract import AMOUNT, REPORT
from pipelines.checking.intervals import Interval, verdict_of
from pipelines.layouts.language import Layout
from schemas.observation import Outcome, empty


def positions(layout: Layout, observations: pl.DataFrame) -> list[pl.DataFrame]:
    """Compare AUM with NAV x shares outstanding: one line per week and fund, with its worst day.

    Never blocking: a rounded NAV or a late correction of one of the three is the publisher's, and
    the flow is made of shares and NAV alone.
    """
    tables = [table.name for table in layout.tables if table.position]
    if not tables:
        return []
    span = [*REPORT, "printed_table", "label", "period_end"]
    own = observations.filter(
        pl.col("printed_table").is_in(tables) & (pl.col("dimension") == "fund")
    )
    sides = [
        own.filter(pl.col("measure") == measure).select(
            *span,
            pl.col("value").alias(measure),
            pl.col("half_unit").alias(f"{measure}_half"),
            *([pl.format("{}!{}", "sheet", "cell").alias("place")] if measure == "aum" else []),
        )
        for measure in ("aum", "nav", "shares_outstanding")
    ]
    joined = sides[0].join(sides[1], on=span).join(sides[2], on=span)
    if joined.is_empty():
        return []
    return [_worst_a_week(joined)]


def _worst_a_week(joined: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {
            **{name: row[name] for name in (*REPORT, "printed_table", "label", "period_end")},
            "place": row["place"],
            "expected": row["aum"],
            **_product(row),
        }
        for row in joined.iter_rows(named=True)
        if None not in (row["aum"], row["nav"], row["shares_outstanding"])
    ]
    if not rows:
        return empty(Outcome)
    exact = pl.DataFrame(
        rows,
        schema_overrides=dict.fromkeys(("expected", "found", "hard_bound"), AMOUNT),
    )
    residual = pl.col("expected") - pl.col("found")
    over = residual.abs() - pl.col("hard_bound")
    return (
        exact.with_columns(residual=residual.cast(AMOUNT), over=over)
        .sort("over", descending=True)
        .group_by(*REPORT, "printed_table", "label", maintain_order=True)
        .agg(
            pl.col("expected", "found", "residual", "hard_bound", "place", "period_end").first(),
            checked=pl.len().cast(pl.Int64),
            failed=(pl.col("over") > 0).sum().cast(pl.Int64),
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
        )
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
