"""Checks readings against the contract and their own totals: what is admitted or refused, and why.

Readings are checked together, since a validation or a join takes as long for one report as for a
hundred. The outcomes decide whether a week is admitted; `ingest` writes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.checking.contract import completed, rule_outcomes, split
from pipelines.checking.contradicted import contradicted, without_numbers
from pipelines.checking.positions import position_lines
from pipelines.checking.totals import totals
from pipelines.layouts.language import Layout
from pipelines.reading.reader import Reading
from schemas.observation import KEY, Observation, Outcome, Refused, empty


@dataclass(frozen=True, slots=True)
class Checked:
    """Admitted observations, refused rows and all outcomes of the readings, all weeks together."""

    observations: pl.DataFrame
    refused: pl.DataFrame
    outcomes: pl.DataFrame

    @classmethod
    def joined(cls, parts: Sequence[Checked]) -> Checked:
        """Concatenate the rows of several."""
        return cls(
            pl.concat([empty(Observation), *(each.observations for each in parts)]),
            pl.concat([empty(Refused), *(each.refused for each in parts)]),
            pl.concat([empty(Outcome), *(each.outcomes for each in parts)]),
        )


def blocking(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return the failed lines that refuse a report for a week."""
    return outcomes.filter(pl.col("blocking") & pl.col("verdict").is_in(["unexplained", "refused"]))


def check(readings: Sequence[Reading], accepted: Collection[str] = ()) -> Checked:
    """Apply the contract, and reconcile the rows that keep it.

    Args:
        readings: what reports say.
        accepted: the reports, by id, that a person has let through although their own numbers
            contradict each other.

    Raises:
        pandera.errors.SchemaError: the reader made a frame of the wrong shape. Bad data never
            raises: it is refused row by row.
    """
    observations = [empty(Observation), *(each.observations for each in readings)]
    good, broken = split(pl.concat(observations))
    # What a report prints twice, and the same, it says once.
    good = good.unique(["report_id", *KEY], keep="first", maintain_order=True)
    good = good.sort("week_ending", *KEY[1:], maintain_order=True)
    doubted = good.filter(~pl.col("report_id").is_in(list(accepted)))
    held = pl.concat([contradicted(layout, own) for layout, _, own in _alike(readings, doubted)])
    refused = pl.concat([*(each.refused for each in readings), broken, held])
    good = without_numbers(good, held)
    lines = [
        line
        for layout, complete, own in _alike(readings, good)
        for line in (*totals(layout, own, complete=complete), *position_lines(layout, own))
    ]
    outcomes = pl.concat([rule_outcomes(good, refused), *map(completed, lines)])
    return Checked(good, refused, outcomes)


def _alike(
    readings: Sequence[Reading], observations: pl.DataFrame
) -> Iterator[tuple[Layout, bool, pl.DataFrame]]:
    """Return the observations by layout and completeness, which decide how they are reconciled."""
    alike: dict[tuple[str, bool], list[Reading]] = {}
    for each in readings:
        alike.setdefault((each.layout.name, each.complete), []).append(each)
    for (_, complete), same in alike.items():
        ids = [each.report.report_id for each in same]
        yield same[0].layout, complete, observations.filter(pl.col("report_id").is_in(ids))
