"""Judging a reading: contract, quarantine, and printed totals against their parts.

From a reading to a `Judgement`: the surviving observations, the refused rows, and one outcome a
rule and line for every week. Whether a week is admitted is decided by these outcomes; writing it
is the business of `facts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pandera.polars as pa
import polars as pl

from pipelines.reports.layout import RowRule, label_in
from pipelines.reports.reader import Reading
from schemas.observation import KEY, Observation, Outcome, Refused, empty

_AMOUNT = pl.Decimal(38, 10)
_RULES = {
    "number": "a text where a number was expected",
    "date": "a row without a date",
    "label": "a row without a label",
}
_SAMPLE = 5


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is left of a reading, what was refused, and every outcome; all weeks together."""

    observations: pl.DataFrame
    refused: pl.DataFrame
    outcomes: pl.DataFrame

    def refused_weeks(self) -> set[object]:
        """Return the weeks that this report must not touch: a blocking line failed."""
        blocked = self.outcomes.filter(
            pl.col("blocking") & pl.col("verdict").is_in(["unexplained", "refused"])
        )
        return set(blocked.get_column("week_ending"))


def judge(reading: Reading) -> Judgement:
    """Apply the contract and reconcile what survives.

    Raises:
        pandera.errors.SchemaError: never for bad data, which is refused row by row; only if the
            reader itself made a frame of the wrong shape.
    """
    good, broken = _split(reading.observations)
    refused = pl.concat([reading.refused, broken])
    good = good.sort("week_ending", *KEY[1:])
    lines = [
        *_totals(reading, good),
        *_positions(reading, good),
    ]
    outcomes = pl.concat(
        [_rule_outcomes(reading, good, refused), *(_stamp(reading, line) for line in lines)]
    )
    return Judgement(good, refused, outcomes)


# -- rows ----------------------------------------------------------------------------------------


def rules() -> dict[str, str]:
    """Return the rules that every week is told about, by name, with what each one says."""
    schema = Observation.to_schema()
    checks = {
        str(check.name): str(check.description) for check in schema.checks if check.description
    }
    return {**_RULES, **checks, "vocabulary": "known measures, dimensions and null reasons"}


def _split(observations: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Validate once, and split the rows by the failure cases that carry a row number."""
    try:
        return Observation.validate(observations, lazy=True), empty(Refused)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    if cases.get_column("index").null_count():
        raise AssertionError(f"the reader broke the contract's shape: {cases}")
    named = (
        cases.select(
            pl.col("index").cast(pl.UInt32),
            rule=pl.when(pl.col("check").is_in(list(rules())))
            .then("check")
            .otherwise(pl.lit("vocabulary")),
        )
        .unique(["index", "rule"])
        .sort("index", "rule")
    )
    numbered = observations.with_row_index("index")
    broken = named.join(numbered, on="index").with_columns(
        reason=pl.col("rule").replace_strict(rules(), return_dtype=pl.String)
    )
    good = numbered.join(named, on="index", how="anti").drop("index")
    return good, broken.select(empty(Refused).columns)


def _rule_outcomes(reading: Reading, good: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """One outcome a rule and week, also where nothing failed."""
    counted = (
        pl.concat([good.select("week_ending"), refused.select("week_ending")])
        .group_by("week_ending")
        .agg(checked=pl.len().cast(pl.Int64))
    )
    kept = good.group_by("week_ending").agg(kept=pl.len())
    failed = refused.group_by("week_ending", "rule").agg(
        failed=pl.len().cast(pl.Int64),
        sample=pl.format("{}!{} {}", "sheet", "cell", "printed").head(_SAMPLE).str.join("; "),
    )
    table = pl.DataFrame({"rule": list(rules()), "line": list(rules().values())})
    verdicts = (
        counted.join(table, how="cross")
        .join(failed, on=["week_ending", "rule"], how="left")
        .join(kept, on="week_ending", how="left")
        .with_columns(pl.col("failed").fill_null(0))
        .with_columns(
            verdict=pl.when(pl.col("failed") > 0).then(pl.lit("refused")).otherwise(pl.lit("pass")),
            # All rows bad: there is nothing left to write, and the week's vintage is refused.
            blocking=pl.col("kept").is_null(),
        )
    )
    return _stamp(reading, verdicts)


def _stamp(reading: Reading, lines: pl.DataFrame) -> pl.DataFrame:
    """Complete lines to the columns of an outcome."""
    schema = empty(Outcome).schema
    stamped = lines.with_columns(
        source=pl.lit(reading.report.source),
        report_id=pl.lit(reading.report.report_id),
        known_at=pl.lit(reading.known_at).dt.convert_time_zone("UTC").dt.cast_time_unit("us"),
    )
    missing = [pl.lit(None).alias(name) for name in schema if name not in stamped.columns]
    return stamped.with_columns(missing).select(
        pl.col(name).cast(dtype) for name, dtype in schema.items()
    )


# -- sums ----------------------------------------------------------------------------------------


def verdict_of(residual: pl.Expr, hard: pl.Expr) -> pl.Expr:
    """F9: exact, explained by rounding, or unexplained; unknown where a side is missing."""
    return (
        pl.when(residual.is_null())
        .then(pl.lit("unknown"))
        .when(residual == 0)
        .then(pl.lit("exact"))
        .when(residual.abs() <= hard)
        .then(pl.lit("rounding"))
        .otherwise(pl.lit("unexplained"))
    )


def _totals(reading: Reading, observations: pl.DataFrame) -> list[pl.DataFrame]:
    """Printed totals and subtotals against their parts, a line a table, measure, period (E49)."""
    lines = []
    for table in reading.layout.tables:
        if table.totals == "none":
            continue
        own = observations.filter(pl.col("printed_table") == table.name)
        parts = own.filter(pl.col("dimension").is_in(["fund", "asset", "issuer", "country"]))
        totals = own.filter(pl.col("dimension") == "total")
        blocking = reading.complete or table.totals == "reconcile"
        lines.append(_compared(totals, parts, blocking=blocking))
        for rule in table.rows:
            if rule.of is None:
                continue
            texts = [text.casefold() for text in rule.text]
            printed = own.filter(pl.col("label").str.to_lowercase().is_in(texts))
            below = [each for each in parts.get_column("label").unique() if label_in(rule.of, each)]
            chosen = parts.filter(pl.col("label").is_in(below))
            lines.append(_compared(printed, chosen, rule, blocking=blocking))
    return lines + _same_totals(reading, observations)


def _compared(
    totals: pl.DataFrame, parts: pl.DataFrame, rule: RowRule | None = None, *, blocking: bool
) -> pl.DataFrame:
    """Compare printed sums with their parts; a blank one prints nothing that they could meet."""
    span = ["week_ending", "printed_table", "measure", "period", "period_start", "period_end"]
    summed = parts.group_by(span, maintain_order=True).agg(
        found=pl.when(pl.col("value").count() > 0).then(pl.col("value").sum()),
        known=pl.col("value").count(),
        checked=pl.len().cast(pl.Int64),
        part_bound=pl.col("half_unit").sum(),
        part_square=(pl.col("half_unit").cast(pl.Float64) ** 2).sum(),
    )
    compared = (
        totals.filter(pl.col("value").is_not_null())
        .select(*span, "half_unit", "sheet", "cell", expected="value", filling=pl.col("status"))
        .join(summed, on=span, how="inner")
    )
    known = pl.col("known") > 0
    residual = pl.when(known).then(pl.col("expected") - pl.col("found"))
    hard = pl.col("part_bound") + pl.col("half_unit")
    square = pl.col("part_square") + pl.col("half_unit").cast(pl.Float64) ** 2
    return (
        compared.with_columns(
            residual=residual.cast(_AMOUNT),
            hard_bound=hard.cast(_AMOUNT),
            # half units: 2 sigma = 2 sqrt(sum u^2 / 12) = 2 sqrt(sum h^2 / 3)
            soft_bound=(2 * (square / 3).sqrt()).round(2).cast(_AMOUNT),
            rule=pl.lit("subtotal" if rule else "total"),
            line=pl.format(
                "{}: {} {} of the {} to {} = sum of {}",
                "printed_table",
                pl.lit(rule.text[0] if rule else "total"),
                "measure",
                "period",
                "period_end",
                pl.lit(f"the rows {rule.of}" if rule else "its rows"),
            ),
        )
        .with_columns(verdict=verdict_of(pl.col("residual"), pl.col("hard_bound")))
        # While the publisher is filling a row, its total may run ahead of or behind its parts.
        .with_columns(
            blocking=pl.lit(blocking) & (pl.col("filling") == "final"),
            failed=(pl.col("verdict") == "unexplained").cast(pl.Int64),
            sample=pl.format("{}!{}", "sheet", "cell"),
        )
    )


def _same_totals(reading: Reading, observations: pl.DataFrame) -> list[pl.DataFrame]:
    """The same total printed in several tables of a report is the same number (E49)."""
    span = ["week_ending", "measure", "period", "period_start", "period_end"]
    reconciled = [table.name for table in reading.layout.tables if table.totals != "none"]
    totals = observations.filter(
        (pl.col("dimension") == "total")
        & pl.col("value").is_not_null()
        & pl.col("printed_table").is_in(reconciled)
    ).select(*span, "printed_table", "value", "half_unit", "sheet", "cell")
    first = totals.group_by(span, maintain_order=True).first()
    paired = totals.join(first, on=span, suffix="_first").filter(
        pl.col("printed_table") != pl.col("printed_table_first")
    )
    if paired.is_empty():
        return []
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
            residual=(pl.col("value_first") - pl.col("value")).cast(_AMOUNT),
            hard_bound=(pl.col("half_unit") + pl.col("half_unit_first")).cast(_AMOUNT),
            checked=pl.lit(2),
            sample=pl.format("{}!{}", "sheet", "cell"),
        )
        .with_columns(verdict=verdict_of(pl.col("residual"), pl.col("hard_bound")))
        .with_columns(
            failed=(pl.col("verdict") == "unexplained").cast(pl.Int64),
            blocking=pl.lit(reading.complete),
        )
    ]


def _positions(reading: Reading, observations: pl.DataFrame) -> list[pl.DataFrame]:
    """AUM against NAV x shares outstanding, a line a week with its worst row (F1's inputs).

    Never blocking: a rounded NAV or a late correction of one of the three is the publisher's, and
    the flow is made of shares and NAV alone.
    """
    tables = [table.name for table in reading.layout.tables if table.position]
    if not tables:
        return []
    span = ["week_ending", "printed_table", "label", "period_end"]
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
            **{name: row[name] for name in ("week_ending", "printed_table", "label", "period_end")},
            "place": row["place"],
            "expected": row["aum"],
            "found": _exactly(row["nav"] * row["shares_outstanding"]),
            "hard_bound": _exactly(
                row["nav_half"] * row["shares_outstanding"]
                + row["shares_outstanding_half"] * row["nav"]
                + row["nav_half"] * row["shares_outstanding_half"]
                + row["aum_half"]
            ),
        }
        for row in joined.iter_rows(named=True)
        if None not in (row["aum"], row["nav"], row["shares_outstanding"])
    ]
    exact = pl.DataFrame(
        rows,
        schema_overrides=dict.fromkeys(("expected", "found", "hard_bound"), _AMOUNT),
        schema=None if rows else {"week_ending": pl.Date},
    )
    if not rows:
        return empty(Outcome)
    residual = pl.col("expected") - pl.col("found")
    over = residual.abs() - pl.col("hard_bound")
    return (
        exact.with_columns(residual=residual.cast(_AMOUNT), over=over)
        .sort("over", descending=True)
        .group_by("week_ending", "printed_table", "label", maintain_order=True)
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


def _exactly(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("1e-10"))
