"""Surveys: which weeks each archived report covers, and a digest of what it says about each.

One file a source, derived, which may be deleted: a report is parsed once for each version of its
layouts and of the reader. What the digests lead to, which weeks are due, is decided in `facts`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from pipelines.reports import archive
from pipelines.reports.archive import Archived
from pipelines.reports.errors import FundflowsError
from pipelines.reports.layout import Source
from pipelines.reports.reader import Reading, read
from pipelines.reports.warehouse import Warehouse, write_whole
from schemas.observation import KEY, SAID

_SURVEY: dict[str, pl.DataType] = {
    "report_id": pl.String(),
    "fingerprint": pl.String(),
    "layout": pl.String(),
    "published_at": pl.Datetime("us", "UTC"),
    "error": pl.String(),
    "week_ending": pl.Date(),
    "digest": pl.String(),
}
"""A row a report and week; a report without a week has one row, without a week and a digest."""
_KEPT = 500_000
"""Observations that a process keeps of what it has read."""
Statement = tuple[str, str]
"""A report and the digest of what it says about one week."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a report covers; or the error for which it cannot be used."""

    archived: Archived
    known_at: dt.datetime
    published_at: dt.datetime | None
    layout: str | None
    error: str | None
    first_week: dt.date | None
    last_week: dt.date | None
    weeks: int

    @property
    def order(self) -> tuple[dt.datetime, dt.datetime, str]:
        """Vintages count by when they could be known, then by when they were received."""
        report = self.archived.report
        return self.known_at, report.received_at, report.report_id


class _Readings(dict[tuple[str, str], Reading]):
    """What this process has read, the newest up to so many observations.

    A run surveys all reports before it writes the first week, and would read each twice.
    """

    rows = 0

    def keep(self, key: tuple[str, str], reading: Reading) -> Reading:
        """Keep a reading without its cells, which take ten times the room; forget the oldest."""
        self.rows += reading.observations.height
        self[key] = reading
        reading.tables = []
        while self.rows > _KEPT and len(self) > 1:
            self.rows -= self.pop(next(iter(self))).observations.height
        return reading


_read = _Readings()


def parse(source: Source, archived: Archived) -> Reading:
    """Read an archived report; within a process the same report is read once.

    Raises:
        FundflowsError: the report cannot be used, and why.
    """
    key = (source.fingerprint, archived.report.report_id)
    return _read.get(key) or _read.keep(key, read(source, archived.report, archived.content()))


def forget(source: Source) -> None:
    """Let go of what this process has read of a source."""
    for key in [key for key in _read if key[0] == source.fingerprint]:
        _read.rows -= _read.pop(key).observations.height


def contents(warehouse: Warehouse, source: Source, *, parsing: bool = True) -> list[Contents]:
    """Return what every archived report of a source covers, by the time it could be known.

    Args:
        warehouse: where the reports are archived.
        source: their source.
        parsing: whether reports that are new, or whose layouts have changed, are read for it;
            else they are told without layout and weeks.
    """
    archived = archive.reports(warehouse, source.name)
    kept = _surveyed(warehouse, source, archived) if parsing else _kept(warehouse, source)
    said = {
        report_id: rest
        for report_id, *rest in kept.group_by("report_id")
        .agg(
            pl.col("published_at", "layout", "error").first(),
            first_week=pl.col("week_ending").min(),
            last_week=pl.col("week_ending").max(),
            weeks=pl.col("week_ending").count(),
        )
        .iter_rows()
    }
    found = []
    for each in archived:
        report = each.report
        printed, *rest = said.get(report.report_id, [None, None, None, None, None, 0])
        published = printed or report.published_at
        known = min(report.received_at, published or report.received_at)
        found.append(Contents(each, known, published, *rest))
    return sorted(found, key=lambda each: each.order)


def read_new(warehouse: Warehouse, source: Source, more: Callable[[], bool]) -> bool:
    """Survey reports that are new for as long as `more` says so; tell whether all have been."""
    archived = archive.reports(warehouse, source.name)
    surveyed = _surveyed(warehouse, source, archived, more)
    return surveyed.get_column("report_id").n_unique() == len(archived)


def unread(warehouse: Warehouse, source: Source) -> int:
    """Return how many reports are new, or have to be read again after a layout has changed."""
    kept = _kept(warehouse, source).filter(pl.col("fingerprint") == source.fingerprint)
    surveyed = set(kept.get_column("report_id"))
    archived = archive.reports(warehouse, source.name)
    return sum(each.report.report_id not in surveyed for each in archived)


def spoken(warehouse: Warehouse, source: Source) -> pl.DataFrame:
    """Return who covers which week, of the reports that have been read, a row a week and report.

    Columns `week_ending, report_id, known_at, digest`; oldest vintage of a week first.
    """
    covered = contents(warehouse, source, parsing=False)
    known = pl.DataFrame(
        [(each.archived.report.report_id, each.known_at) for each in covered],
        {"report_id": pl.String, "known_at": pl.Datetime("us", "UTC")},
        orient="row",
    ).with_row_index("order")
    return (
        _kept(warehouse, source)
        .drop_nulls("week_ending")
        .join(known, on="report_id")
        .sort("week_ending", "order")
        .select("week_ending", "report_id", "known_at", "digest")
    )


def statements(warehouse: Warehouse, source: Source) -> dict[dt.date, list[Statement]]:
    """Return the reports that newly say something about each week, oldest first.

    A report that repeats its predecessor adds nothing and is left out.
    """
    read_new(warehouse, source, lambda: True)
    repeats = pl.col("digest") == pl.col("digest").shift(1).over("week_ending")
    weeks = (
        spoken(warehouse, source)
        .filter(repeats.fill_null(value=False).not_())
        .group_by("week_ending", maintain_order=True)
        .agg("report_id", "digest")
    )
    return {
        week: list(zip(report_ids, digests, strict=True))
        for week, report_ids, digests in weeks.iter_rows()
    }


def _surveyed(
    warehouse: Warehouse,
    source: Source,
    archived: Iterable[Archived],
    more: Callable[[], bool] = lambda: True,
) -> pl.DataFrame:
    """Return the survey of the archived reports, after reading those that it lacks."""
    kept = _kept(warehouse, source)
    by_id = {each.report.report_id: each for each in archived}
    valid = kept.filter(
        pl.col("fingerprint") == source.fingerprint, pl.col("report_id").is_in(list(by_id))
    )
    missing = by_id.keys() - set(valid.get_column("report_id"))
    added = [_survey(source, each) for name, each in by_id.items() if name in missing and more()]
    if not added and valid.height == kept.height:
        return kept
    whole = pl.concat([valid, *added])
    write_whole(warehouse.contents(source.name), whole.write_parquet)
    return whole


def _kept(warehouse: Warehouse, source: Source) -> pl.DataFrame:
    """Return what was kept of earlier readings; nothing, if there is none or it is damaged."""
    try:
        kept = pl.read_parquet(warehouse.contents(source.name), glob=False)
    except (FileNotFoundError, pl.exceptions.PolarsError):
        return pl.DataFrame(schema=_SURVEY)
    return kept if kept.schema == _SURVEY else pl.DataFrame(schema=_SURVEY)


def _survey(source: Source, archived: Archived) -> pl.DataFrame:
    """Read one report, and say what it covers, in rows of the survey."""
    said: dict[str, object] = {
        "report_id": archived.report.report_id,
        "fingerprint": source.fingerprint,
    }
    weeks: dict[dt.date, str] = {}
    try:
        reading = parse(source, archived)
    except FundflowsError as error:
        said["error"] = str(error)
    else:
        said |= {"layout": reading.layout.name, "published_at": reading.published_at}
        weeks = digests(reading)
    spoken = [{"week_ending": week, "digest": weeks[week]} for week in sorted(weeks)]
    return pl.DataFrame([{**said, **each} for each in spoken or [{}]], _SURVEY)


def digests(reading: Reading) -> dict[dt.date, str]:
    """Return, for each week, a digest of all that the report says about it, refused rows too."""
    said = [*KEY, *SAID, "null_reason"]
    observed = reading.observations.select(
        "week_ending",
        line=pl.concat_str(pl.col(said).cast(pl.String), separator="|", ignore_nulls=True),
    )
    refused = reading.refused.select(
        "week_ending", line=pl.concat_str("rule", "sheet", "cell", "printed", separator="|")
    )
    lines = pl.concat([observed, refused]).sort("week_ending", "line")
    joined = lines.group_by("week_ending").agg(pl.col("line").str.join("\n"))
    completeness = str(reading.complete)
    return {
        week: hashlib.sha256(f"{completeness}\n{text}".encode()).hexdigest()[:24]
        for week, text in joined.iter_rows()
    }
