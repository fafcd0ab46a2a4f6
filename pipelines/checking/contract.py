"""The contract of an observation: rows that keep it, rows that are refused, an outcome per rule."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.measures import REFUSED
from schemas.observation import KEY, Observation, Outcome, Refused, empty, is_refused

AMOUNT = pl.Decimal(38, 10)
"""An amount of an outcome."""
REPORT = ("source", "report_id", "known_at", "week_ending")
"""What an outcome is about."""
_RULES = {
    "number": "a text where a number was expected",
    "date": "a row without a date",
    "label": "a row without a label",
    "currency": "an amount whose row is in no known currency, or in another one",
    "row": "a row shorter or longer than its header",
    "contradiction": "a row whose AUM is not NAV x shares outstanding",
    "jump": "a number far from the other days of its member",
}
_PLACELESS = ["vocabulary", "period_in_week", "not_from_the_future"]
"""Rules that leave open what a number is about, so that it cannot be missing there."""
_SAMPLE = 5


def rules() -> dict[str, str]:
    """Return the rules that every week has an outcome of: name and meaning."""
    schema = Observation.to_schema()
    checks = {
        str(check.name): str(check.description) for check in schema.checks if check.description
    }
    return {**_RULES, **checks, "vocabulary": "known measures, dimensions and null reasons"}


def split(observations: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Validate once, and split the rows by the row numbers of the failure cases."""
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
    of_fund = ["report_id", "dimension", "label", "period_end"]
    both = pl.col("currency").drop_nulls().unique().sort().str.join(" and ").over(of_fund)
    broken = (
        numbered.with_columns(currencies=both)
        .join(named, on="index")
        .with_columns(reason=pl.col("rule").replace_strict(rules(), return_dtype=pl.String))
        .with_columns(
            reason=pl.when(pl.col("rule") == "one_currency")
            .then(pl.format("{}; found {}", "reason", "currencies"))
            .otherwise("reason")
        )
    )
    good = numbered.join(named, on="index", how="anti").drop("index")
    missing = numbered.join(named.filter(~pl.col("rule").is_in(_PLACELESS)), on="index", how="semi")
    return (
        pl.concat([good, _without_number(missing.drop("index"), good)]),
        broken.select(empty(Refused).columns),
    )


def _without_number(refused: pl.DataFrame, good: pl.DataFrame) -> pl.DataFrame:
    """Return refused rows without their number, where no other row is about the same."""
    key = ["report_id", *KEY]
    return (
        refused.unique(key, keep="first", maintain_order=True)
        .join(good, on=key, how="anti")
        .with_columns(
            pl.when(pl.lit(value=False)).then(pl.col("value", "half_unit", "currency")),
            null_reason=pl.lit(REFUSED),
        )
    )


def rule_outcomes(good: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """Return one outcome per rule, report and week, also where nothing failed."""
    numbers = good.filter(~is_refused())
    counted = (
        pl.concat([numbers.select(REPORT), refused.select(REPORT)])
        .group_by(REPORT)
        .agg(checked=pl.len().cast(pl.Int64))
    )
    kept = numbers.group_by(REPORT).agg(kept=pl.len())
    failed = refused.group_by(*REPORT, "rule").agg(
        failed=pl.len().cast(pl.Int64),
        sample=pl.format("{}!{} {}", "sheet", "cell", "printed").head(_SAMPLE).str.join("; "),
    )
    table = pl.DataFrame({"rule": list(rules()), "line": list(rules().values())})
    verdicts = (
        counted.join(table, how="cross")
        .join(failed, on=[*REPORT, "rule"], how="left")
        .join(kept, on=REPORT, how="left")
        .with_columns(pl.col("failed").fill_null(0))
        .with_columns(
            verdict=pl.when(pl.col("failed") > 0).then(pl.lit("refused")).otherwise(pl.lit("pass")),
            # If every row is bad nothing is left to write: the vintage is refused.
            blocking=pl.col("kept").is_null(),
        )
    )
    return completed(verdicts)


def completed(lines: pl.DataFrame) -> pl.DataFrame:
    """Fill lines up to the columns of an outcome."""
    schema = empty(Outcome).schema
    missing = [pl.lit(None).alias(name) for name in schema if name not in lines.columns]
    return lines.with_columns(missing).select(
        pl.col(name).cast(dtype) for name, dtype in schema.items()
    )
