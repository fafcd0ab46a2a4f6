"""What a run reports about its weeks, and what is open in weeks that any run has written."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import polars as pl

from schemas.observation import Observation, empty


@dataclass(frozen=True, slots=True)
class WeekResult:
    """The result of a week, for the run's report and the UI."""

    week: dt.date
    rows: int
    vintages: int
    refused_rows: int
    verdicts: dict[str, int]
    reports: tuple[str, ...] = ()
    report_ids: tuple[str, ...] = ()
    refused_reports: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    sample: pl.DataFrame = field(default_factory=lambda: empty(Observation))

    @property
    def ok(self) -> bool:
        """Whether the newest report of the week was admitted (a week without one is)."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line of a week that does not add up."""

    rule: str
    text: str
    blocking: bool


@dataclass(frozen=True, slots=True)
class WeekStatus:
    """What the newest report of a week leaves open, whichever run wrote the week."""

    week: dt.date
    refused_rows: int
    unexplained: tuple[OpenLine, ...]
