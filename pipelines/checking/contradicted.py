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
    value = pl.col("value").cast(pl.Float64)
    if MEASURES[means.measure].kind == "flow":
        own = own.filter(pl.col("value") != 0)
        median = value.median().over(_MEMBER)
        usual, away = median, (value - median).abs()
        deviation = away.median().over(_MEMBER)
        # Of flows that are all the same nothing is usual but themselves.
        is_known = (deviation > 0) & (pl.len().over(_MEMBER) > 2 * _DAYS)
        is_far = is_known & (away > float(jump.times) * deviation)
        how = pl.lit(f"{jump.times:f} times the median absolute deviation")
    else:
        before, after = _median_before(value), _median_before(value, newest_first=True)
        usual = pl.coalesce(before, after)
        one_side = pl.min_horizontal(_times(value, before), _times(value, after))
        both = before.is_not_null() & after.is_not_null()
        # A zero on the first or last days is a fund before its launch, or after its end (E75).
        at_the_ends = pl.when(value > 0).then(float(jump.at_the_ends or "inf"))
        bound = pl.when(both).then(float(jump.times)).otherwise(at_the_ends)
        is_far = one_side > bound
        how = pl.format("{} times that", bound)
    reason = pl.format(
        "expected about {}, as on its other days, and not {} away; found {}: it is not published; "
        "fetch the report again, or accept it if the publisher means it",
        usual.round(4),
        how,
        pl.col("printed"),
    )
    return own.with_columns(rule=pl.lit("jump"), reason=reason).filter(is_far)


def _median_before(value: pl.Expr, *, newest_first: bool = False) -> pl.Expr:
    """Return the median of the days before each, or after it; of too few, or of zeros, NULL."""
    ordered = value.reverse() if newest_first else value
    median = ordered.shift(1).rolling_median(_DAYS)
    of_days = (median.reverse() if newest_first else median).over(_MEMBER)
    return pl.when(of_days > 0).then(of_days)


def _times(value: pl.Expr, usual: pl.Expr) -> pl.Expr:
    """Return how many times as large or small a number is."""
    return pl.max_horizontal(value / usual, usual / value)
