"""What is known of each archived report: its clocks, the weeks that it covers, or its error."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.store.archive import Archived

_UNREAD = (None, None, None, None, None, 0)


@dataclass(frozen=True, slots=True)
class KnownReport:
    """An archived report: its clocks, and what the index knows of it.

    `error` says why it cannot be used. `is_read` is false until the present layouts have been
    applied to it. `is_stale`: it can no longer be used, and weeks that were made of it stay.
    """

    archived: Archived
    known_at: dt.datetime
    published_at: dt.datetime | None
    layout: str | None
    error: str | None
    first_week: dt.date | None
    last_week: dt.date | None
    weeks: int
    is_read: bool
    is_stale: bool

    @property
    def report_id(self) -> str:
        """The sha256 of the report's bytes."""
        return self.archived.report.report_id

    @property
    def name(self) -> str:
        """The name under which the report arrived."""
        return self.archived.report.name

    @property
    def order(self) -> tuple[dt.datetime, dt.datetime, str]:
        """Vintages are ordered by when they could be known, then by when they were received."""
        return self.known_at, self.archived.report.received_at, self.report_id


def known_reports(
    archived: Iterable[Archived],
    rows: pl.DataFrame,
    *,
    fingerprint: str,
    lost: Mapping[str, str],
    admitted: Collection[str],
) -> Iterator[KnownReport]:
    """Join the archive with what the index knows of each report.

    Args:
        archived: the reports of a source, lost ones too.
        rows: the index.
        fingerprint: of the source's present layouts.
        lost: why reports cannot be read any more, by id.
        admitted: the reports of which weeks were made.
    """
    current = rows.filter(pl.col("fingerprint") == fingerprint)
    is_read = {*current.get_column("report_id"), *lost}
    covered = _covered(rows)
    for each in archived:
        report = each.report
        printed, layout, error, first, last, weeks = covered.get(report.report_id, _UNREAD)
        published = printed or report.published_at
        error = lost.get(report.report_id) or error
        yield KnownReport(
            each,
            known_at=min(report.received_at, published or report.received_at),
            published_at=published,
            layout=layout,
            error=error,
            first_week=first,
            last_week=last,
            weeks=weeks,
            is_read=report.report_id in is_read,
            is_stale=error is not None and report.report_id in admitted,
        )


def _covered(rows: pl.DataFrame) -> dict[str, tuple[Any, ...]]:
    """Return what the index says of each report: its time, layout, error, and span of weeks."""
    grouped = rows.group_by("report_id").agg(
        pl.col("published_at", "layout", "error").first(),
        first_week=pl.col("week_ending").min(),
        last_week=pl.col("week_ending").max(),
        weeks=pl.col("week_ending").count(),
    )
    return {report_id: tuple(rest) for report_id, *rest in grouped.iter_rows()}
