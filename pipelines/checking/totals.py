"""Printed totals against their parts and against each other, within rounding (E49)."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.checking.contract import AMOUNT, REPORT
from pipelines.checking.intervals import Interval, slip, verdict_of
from pipelines.layouts.language import Layout, RowRule, label_in
from schemas.dimensions import PRINTED
from schemas.observation import is_refused

_PARTS = [name for name in PRINTED if name != "total"]
_FIGURE = ("value", "half_unit", "sheet", "cell")
_NAMED = ("printed_table", "dimension", "label")
_PERIOD = (*REPORT, "measure", "period", "period_start", "period_end")
_SPAN = (*_PERIOD, "unit")


def totals(layout: Layout, observations: pl.DataFrame, *, complete: bool) -> list[pl.DataFrame]:
    """Compare printed totals and subtotals with their parts: a line per table, measure and period.

    A table that prints no total is compared with that of another table of the report (E49). The
    two may cover different products, so a residual only warns; so does a total blank over numbers.
    """
    printed = [table for table in layout.tables if table.totals != "none"]
    of_sums = pl.col("printed_table").is_in([table.name for table in printed])
    observations = observations.filter(of_sums & ~is_refused())
    figures = observations.select(*_SPAN, *_FIGURE, *_NAMED, filling="status")
    sums = figures.filter(pl.col("value").is_not_null())
    totals = sums.filter(pl.col("dimension") == "total")
    blank = _as_nothing(figures.join(totals, on=_SPAN, how="anti"))
    lines = []
    for table in printed:
        is_own = pl.col("printed_table") == table.name
        parts = observations.filter(
            is_own
            & pl.col("dimension").is_in(_PARTS)
            # Parts in several currencies make no sum (E99).
            & (pl.col("unit").n_unique().over("printed_table", *_PERIOD) == 1)
        )
        own = totals.filter(is_own)
        elsewhere = totals.sort("half_unit").unique(_SPAN, keep="first", maintain_order=True)
        how = "" if table.totals == "as_declared" else table.totals
        blocking = complete or bool(how)
        lines.append(_compared(table.name, parts, own, blocking=blocking, how=how))
        elsewhere = elsewhere.join(own, on=_SPAN, how="anti")
        lines.append(_compared(table.name, parts, elsewhere, blocking=False))
        if blocking:
            lines.append(_compared(table.name, parts, blank.filter(is_own), blocking=False))
        for rule in table.rows:
            if rule.of is None:
                continue
            is_named = pl.col("label").str.to_lowercase().is_in([*map(str.casefold, rule.text)])
            subtotals = sums.filter(is_own & is_named)
            below = [each for each in parts.get_column("label").unique() if label_in(rule.of, each)]
            chosen = parts.filter(pl.col("label").is_in(below))
            lines.append(_compared(table.name, chosen, subtotals, rule, blocking=blocking))
    return [*lines, *_same_totals(totals, complete=complete)]


def _as_nothing(figures: pl.DataFrame) -> pl.DataFrame:
    """Return the totals that are blank over numbers, as zeros."""
    is_blank = pl.col("value").is_null()
    blank = figures.filter(is_blank & (pl.col("dimension") == "total"))
    blank = blank.join(figures.filter(~is_blank), on=[*_SPAN, "printed_table"], how="semi")
    return blank.with_columns(pl.col("value", "half_unit").fill_null(0))


def _compared(
    table: str,
    parts: pl.DataFrame,
    totals: pl.DataFrame,
    rule: RowRule | None = None,
    *,
    blocking: bool,
    how: str = "",
) -> pl.DataFrame:
    """Compare printed sums with their parts; a rule names a subtotal and the rows that it sums."""
    # Of no parts the sum is unknown; where the layout says how the table adds up, they are missing.
    has_lost = pl.lit(value=bool(how)) & (pl.col("expected") != 0)
    square = pl.col("part_square") + pl.col("half_unit").cast(pl.Float64) ** 2
    compared = (
        totals.rename({"value": "expected"})
        .join(_summed(parts), on=_SPAN, how="inner")
        .with_columns(found=pl.when((pl.col("filled") > 0) | has_lost).then("found"))
        .with_columns(
            residual=(pl.col("expected") - pl.col("found")).cast(AMOUNT),
            hard_bound=(pl.col("part_bound") + pl.col("half_unit")).cast(AMOUNT),
            # half units: 2 sigma = 2 sqrt(sum u^2 / 12) = 2 sqrt(sum h^2 / 3)
            soft_bound=(2 * (square / 3).sqrt()).round(2).cast(AMOUNT),
            rule=pl.lit("subtotal" if rule else "total"),
            line=pl.format(
                "{}: {} {} of the {} to {}{} = sum of {}",
                pl.lit(table),
                pl.lit(rule.text[0] if rule else "total"),
                "measure",
                "period",
                "period_end",
                pl.when(pl.col("printed_table") == table)
                .then(pl.lit(""))
                .otherwise(pl.format(" in {}", "printed_table")),
                pl.lit(f"the rows {rule.of}" if rule else "its rows"),
            ),
        )
        .with_columns(verdict=verdict_of(pl.col("residual"), pl.col("hard_bound")))
        .pipe(_to_the_last_digit if how == "exact" else _within_rounding)
        # While the publisher is filling a row, its total may run ahead of or behind its parts.
        .with_columns(
            blocking=pl.lit(blocking)
            & (pl.col("filling") == "final")
            & ~pl.col("is_news")
            & (pl.col("filled") > 0),
            failed=(pl.col("verdict") == "unexplained").cast(pl.Int64),
            sample=pl.format("{}!{}", "sheet", "cell"),
        )
    )
    proposals = [
        _unit_slips(line, parts) if line["verdict"] == "unexplained" else None
        for line in compared.iter_rows(named=True)
    ]
    return compared.with_columns(proposal=pl.Series(proposals, dtype=pl.String))


def _summed(parts: pl.DataFrame) -> pl.DataFrame:
    """Return the sums of parts, how many are filled, and what rounding leaves open of each (F9)."""
    return parts.group_by(_SPAN, maintain_order=True).agg(
        found=pl.col("value").sum(),
        filled=pl.col("value").count(),
        checked=pl.len().cast(pl.Int64),
        part_bound=pl.col("half_unit").sum(),
        part_square=(pl.col("half_unit").cast(pl.Float64) ** 2).sum(),
    )


def _within_rounding(compared: pl.DataFrame) -> pl.DataFrame:
    return compared.with_columns(is_news=pl.lit(value=False))


def _to_the_last_digit(compared: pl.DataFrame) -> pl.DataFrame:
    """Let rounding explain nothing, as the publisher adds up the printed parts.

    What it could explain elsewhere is news, but refuses nobody.
    """
    is_news = pl.col("verdict") == "rounding"
    return compared.with_columns(
        is_news=is_news,
        verdict=pl.when(is_news).then(pl.lit("unexplained")).otherwise(pl.col("verdict")),
        hard_bound=pl.lit(0, AMOUNT),
        soft_bound=pl.lit(0, AMOUNT),
    )


def _unit_slips(line: dict[str, Any], parts: pl.DataFrame) -> str | None:
    """Name the figures that would each close the line if read in another unit (E51)."""
    of_line = parts.filter(pl.col(name) == line[name] for name in _SPAN)
    proposals = []
    for part in of_line.filter(pl.col("value").is_not_null()).iter_rows(named=True):
        others = line["part_bound"] + line["half_unit"] - part["half_unit"]
        rest = Interval.of(line["residual"] + part["value"], others)
        proposals.append(_reading(part["label"], part, rest))
    needed = Interval.of(line["found"], line["part_bound"])
    proposals.append(_reading(line["label"], {**line, "value": line["expected"]}, needed))
    return "; or ".join(filter(None, proposals)) or None


def _reading(label: str, figure: dict[str, Any], needed: Interval) -> str | None:
    """Propose to read a figure in another unit, if its line would then add up."""
    power = slip(Interval.of(figure["value"], figure["half_unit"]), needed)
    if power is None:
        return None
    return (
        f"unit slip: {label} ({figure['sheet']}!{figure['cell']}) "
        f"{figure['value'].scaleb(power):,.2f} instead of {figure['value']:,.2f}"
    )


def _same_totals(totals: pl.DataFrame, *, complete: bool) -> list[pl.DataFrame]:
    """Compare the same total as printed in several tables of a report (E49)."""
    first = totals.group_by(_SPAN, maintain_order=True).first()
    paired = totals.join(first, on=_SPAN, suffix="_first").filter(
        pl.col("printed_table") != pl.col("printed_table_first")
    )
    if paired.is_empty():
        return []
    proposals = [_unit_slips_of_totals(row) for row in paired.iter_rows(named=True)]
    return [
        paired.with_columns(
            rule=pl.lit("same_total"),
            line=pl.format(
                "{}: total {} of the {} to {} = the total of {}",
                "printed_table",
                "measure",
                "period",
                "period_end",
                "printed_table_first",
            ),
            expected=pl.col("value_first"),
            found=pl.col("value"),
            residual=(pl.col("value_first") - pl.col("value")).cast(AMOUNT),
            hard_bound=(pl.col("half_unit") + pl.col("half_unit_first")).cast(AMOUNT),
            checked=pl.lit(2),
            sample=pl.format("{}!{}", "sheet", "cell"),
            proposal=pl.Series(proposals, dtype=pl.String),
        )
        .with_columns(verdict=verdict_of(pl.col("residual"), pl.col("hard_bound")))
        .with_columns(
            failed=(pl.col("verdict") == "unexplained").cast(pl.Int64),
            blocking=pl.lit(complete),
        )
    ]


def _unit_slips_of_totals(pair: dict[str, Any]) -> str | None:
    """Name the readings in another unit that would make two totals equal."""
    first = {name: pair[f"{name}_first"] for name in ("value", "half_unit", "sheet", "cell")}
    proposals = [
        _reading("Total", figure, Interval.of(other["value"], other["half_unit"]))
        for figure, other in ((first, pair), (pair, first))
    ]
    return "; or ".join(filter(None, proposals)) or None
