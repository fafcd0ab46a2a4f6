"""Numbers that the other numbers of their report contradict: refused, and never published.

For tables without totals. A row whose AUM is not NAV x shares outstanding (E105), and a number far
from the other days of its member (E112), as the layout declares it from the source's own history.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import polars as pl

from pipelines.checking.positions import MEASURED, SETTLEMENT, positions
from pipelines.layouts.columns import Jump, Printed
from pipelines.layouts.language import Layout, Table
from schemas.measures import MEASURES, REFUSED
from schemas.observation import Refused, empty

_OF_ANY_TABLE = Decimal("0.5")
"""Of AUM: whatever a table's columns mean exactly, no row that prints the three is as far off."""
_DAYS = 5
"""Of which the median is taken, before and after a day."""
_MEMBER = ("report_id", "printed_table", "dimension", "label", "measure", "period")
_CELL = ("report_id", "printed_table", "label", "measure", "sheet", "cell")
_PLACE = ("report_id", "printed_table", "label", "period_end")


def contradicted(layout: Layout, observations: pl.DataFrame) -> pl.DataFrame:
    """Return the observations of a layout that are contradicted, as refused rows.

    Args:
        layout: declares what is compared, and the bounds.
        observations: what its reports say.
    """
    found = [
        row
        for table in layout.tables
        for row in (*_of_positions(table, observations), *_of_members(table, observations))
    ]
    columns = empty(Refused).columns
    return pl.concat([empty(Refused), *(each.select(columns) for each in found)]).unique(
        _CELL, keep="first", maintain_order=True
    )


def without_numbers(observations: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """Return the observations, those that are refused without their number."""
    if refused.is_empty():
        return observations
    marked = observations.join(
        refused.select(*_CELL, is_refused=pl.lit(value=True)),
        on=_CELL,
        how="left",
        maintain_order="left",
    )
    held = pl.col("is_refused").fill_null(value=False)
    return marked.with_columns(
        pl.when(~held).then(pl.col("value", "half_unit", "currency")),
        null_reason=pl.when(held).then(pl.lit(REFUSED)).otherwise(pl.col("null_reason")),
    ).drop("is_refused")


def _of_positions(table: Table, observations: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the rows of which one number must be wrong: which of the three, nobody can say."""
    measures = {each.measure for each in table.numbers.values()}
    if not measures.issuperset(MEASURED):
        return
    within = table.position_within if table.position else _OF_ANY_TABLE
    aum = pl.col("aum").cast(pl.Float64)
    most = pl.max_horizontal(aum, "product")
    held = positions(table, observations).filter(
        (aum - pl.col("product")).abs() > pl.col("bound") + float(within) * most
    )
    reason = pl.format(
        "expected AUM = NAV x shares outstanding within {} of it; found {} and {}: the day is not "
        "published; fetch the report again, or accept it if the publisher means it{}",
        pl.lit(f"{within:.1%}"),
        pl.col("aum").cast(pl.Decimal(38, 2)),
        pl.col("product").cast(pl.Decimal(38, 2)),
        pl.when(pl.col("fits_next")).then(pl.lit(f". {SETTLEMENT}")).otherwise(pl.lit("")),
    )
    yield (
        observations.filter(pl.col("dimension") == "fund", pl.col("measure").is_in(MEASURED))
        .join(held.select(*_PLACE, reason=reason), on=_PLACE)
        .with_columns(rule=pl.lit("contradiction"))
    )


def _of_members(table: Table, observations: pl.DataFrame) -> Iterator[pl.DataFrame]:
    columns = (*table.numbers.values(), *((table.across,) if table.across else ()))
    for means in columns:
        if means.jump:
            own = observations.filter(
                (pl.col("printed_table") == table.name)
                & (pl.col("dimension") == (means.dimension or table.dimension))
                & (pl.col("measure") == means.measure)
                & (pl.col("period") == means.period)
                & pl.col("value").is_not_null()
            ).sort(*_MEMBER, "period_end")
            yield _jumps(own, means, means.jump)


def _jumps(own: pl.DataFrame, means: Printed, jump: Jump) -> pl.DataFrame:
    """Return the numbers of members that are too far from their other days."""
    far = (
        _far_flows(own, jump) if MEASURES[means.measure].kind == "flow" else _far_stocks(own, jump)
    )
    reason = pl.format(
        "expected about {}, as on its other days, and not {} away; found {}: it is not published; "
        "fetch the report again, or accept it if the publisher means it",
        pl.col("usual").round(4),
        "away",
        "printed",
    )
    return far.with_columns(rule=pl.lit("jump"), reason=reason)


def _far_flows(own: pl.DataFrame, jump: Jump) -> pl.DataFrame:
    """Return the flows far from the median of their member, in median absolute deviations (F13)."""
    flows = own.filter(pl.col("value") != 0).with_columns(flow=pl.col("value").cast(pl.Float64))
    flows = flows.with_columns(usual=pl.col("flow").median().over(_MEMBER))
    flows = flows.with_columns(off=(pl.col("flow") - pl.col("usual")).abs())
    deviation = pl.col("off").median().over(_MEMBER)
    # Of flows that are all the same nothing is usual but themselves.
    is_known = (deviation > 0) & (pl.len().over(_MEMBER) > 2 * _DAYS)
    return flows.filter(is_known & (pl.col("off") > float(jump.times) * deviation)).with_columns(
        away=pl.lit(f"{jump.times:f} times the median absolute deviation")
    )


def _far_stocks(own: pl.DataFrame, jump: Jump) -> pl.DataFrame:
    """Return the stocks far from the median of the days before them, and of those after them."""
    stocks = own.with_columns(stock=pl.col("value").cast(pl.Float64))
    median = pl.col("stock").rolling_median(_DAYS)
    medians = {"before": median.shift(1), "after": median.shift(-_DAYS)}
    stocks = stocks.with_columns(
        **{name: each.over(_MEMBER) for name, each in medians.items()}
    ).with_columns(
        # Of days of zeros nothing is a multiple.
        pl.when(pl.col(name) > 0).then(pl.col(name)).alias(name)
        for name in medians
    )
    both = pl.col("before").is_not_null() & pl.col("after").is_not_null()
    # A zero on the first or last days is a fund before its launch, or after its end.
    at_the_ends = pl.when(pl.col("stock") > 0).then(float(jump.at_the_ends or "inf"))
    return (
        stocks.with_columns(
            bound=pl.when(both).then(float(jump.times)).otherwise(at_the_ends),
            times=pl.min_horizontal(
                pl.max_horizontal(pl.col("stock") / pl.col(name), pl.col(name) / pl.col("stock"))
                for name in medians
            ),
        )
        .filter(pl.col("times") > pl.col("bound"))
        .with_columns(
            usual=pl.coalesce("before", "after"), away=pl.format("{} times that", "bound")
        )
    )
