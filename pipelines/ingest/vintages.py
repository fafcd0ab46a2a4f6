"""Vintages: a digest of what each report says about a week, and the rows that each one adds."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence

import polars as pl

from pipelines.checking.check import Checked, blocking
from pipelines.reading.reader import Reading
from pipelines.store.week_files import Frames, Vintage
from schemas.observation import KEY, STATED, Observation, Outcome, Refused, empty, is_refused


def digests(reading: Reading, held: pl.DataFrame | None = None) -> dict[dt.date, str]:
    """Return a digest per week of all that the report says about it, refused rows included.

    Args:
        reading: what the report says.
        held: what its other numbers contradict; none, if a person has accepted the report.
    """
    columns = [*KEY, *STATED, "null_reason"]
    observed = reading.observations.select(
        "week_ending",
        line=pl.concat_str(pl.col(columns).cast(pl.String), separator="|", ignore_nulls=True),
    )
    held = empty(Refused) if held is None else held
    refused = pl.concat([reading.refused, held]).select(
        "week_ending", line=pl.concat_str("rule", "sheet", "cell", "printed", separator="|")
    )
    lines = pl.concat([observed, refused]).sort("week_ending", "line")
    joined = lines.group_by("week_ending").agg(pl.col("line").str.join("\n"))
    completeness = str(reading.complete)
    return {
        week: hashlib.sha256(f"{completeness}\n{text}".encode()).hexdigest()[:24]
        for week, text in joined.iter_rows()
    }


def by_week(vintages: Mapping[dt.date, Sequence[Vintage]], rows: Checked) -> dict[dt.date, Frames]:
    """Order the vintages of all weeks, and keep a row only where it says something new.

    Args:
        vintages: of each wanted week, oldest first.
        rows: what their reports say about these weeks. Nothing of a refused vintage is kept.
    """
    order = pl.DataFrame(
        [
            (week, report_id, place)
            for week, of_week in vintages.items()
            for place, (report_id, _) in enumerate(of_week)
        ],
        schema={"week_ending": pl.Date, "report_id": pl.String, "order": pl.Int64},
        orient="row",
    )
    on = ["week_ending", "report_id"]
    refused = rows.refused.join(order, on=on, maintain_order="left")
    outcomes = rows.outcomes.join(order, on=on).sort("order", "rule", "line")
    parts = {
        "weeks": _by_week(_news(rows, order)),
        "quarantine": _by_week(refused.sort("order", maintain_order=True).drop("order")),
        "outcomes": _by_week(outcomes.drop("order")),
    }
    return {
        week: {
            "weeks": parts["weeks"].get(week, empty(Observation)),
            "quarantine": parts["quarantine"].get(week, empty(Refused)),
            "outcomes": parts["outcomes"].get(week, empty(Outcome)),
        }
        for week in vintages
    }


def _news(rows: Checked, order: pl.DataFrame) -> pl.DataFrame:
    """Return the admitted observations that differ from those of the vintage before."""
    on = ["week_ending", "report_id"]
    admitted = order.join(blocking(rows.outcomes), on=on, how="anti")
    stated = rows.observations.join(admitted, on=on).unique([*KEY, "report_id"], keep="first")
    stated = stated.sort(*KEY, "order", nulls_last=True)
    # What is refused takes nothing back, unless all of its row is as it was printed before.
    row = ["report_id", "printed_table", "dimension", "label", "period_end"]
    is_other = pl.col("printed").ne_missing(pl.col("printed").shift(1).over(KEY))
    stated = (
        stated.with_columns(
            is_first=pl.int_range(pl.len()).over(KEY) == 0, is_other=is_refused() & is_other
        )
        .filter(pl.col("is_first") | ~is_refused() | ~pl.col("is_other").any().over(row))
        .drop("is_first", "is_other")
    )
    is_new = ~pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(name).shift(1).over(KEY)) for name in STATED
    )
    is_first = pl.int_range(pl.len()).over(KEY) == 0
    return stated.filter(is_first | is_new).sort("week_ending", *KEY[1:], "order").drop("order")


def _by_week(rows: pl.DataFrame) -> dict[dt.date, pl.DataFrame]:
    parts = rows.partition_by("week_ending", as_dict=True, maintain_order=True)
    return {key[0]: part for key, part in parts.items() if isinstance(key[0], dt.date)}
