"""What is known of each archived report: its clocks, the weeks that it covers, or its error."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipelines.ingest.holds import Extent, OnHold, on_hold
from pipelines.ingest.series import misfiled
from pipelines.layouts.source import Source
from pipelines.store.archive import Archived

_UNREAD = (None, None, None, None, None, 0)


@dataclass(frozen=True, slots=True)
class KnownReport:
    """An archived report: its clocks, and what the index knows of it.

    `error` says why it cannot be used. `is_read` is false until the present layouts have been
    applied to it. `is_on_hold`: it waits for a person, as `error` says; of one that
    `has_rows_on_hold`, these do, as the quarantine says. `is_stale`: it can no
    longer be used, and weeks that were made of it stay.
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
    is_on_hold: bool = False
    has_rows_on_hold: bool = False
    is_stale: bool = False

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
    source: Source,
    archived: Iterable[Archived],
    rows: pl.DataFrame,
    *,
    lost: Mapping[str, str],
    accepted: Collection[str],
    admitted: Collection[str],
) -> Iterator[KnownReport]:
    """Join the archive with what the index knows of each report.

    Args:
        source: the source, with its present layouts.
        archived: its reports, lost ones too.
        rows: the index.
        lost: why reports cannot be read any more, by id.
        accepted: the reports that a person has let through.
        admitted: the reports of which weeks were made.
    """
    current = rows.filter(pl.col("fingerprint") == source.fingerprint)
    is_read = {*current.get_column("report_id"), *lost}
    covered = _covered(rows)
    known = [
        _known(each, covered, lost.get(each.report.report_id), is_read=is_read) for each in archived
    ]
    doubted = {*rows.filter(pl.col("digest") != pl.col("digest_if_accepted"))["report_id"]}
    held = _held(source, known, rows, accepted)
    for each in known:
        waits = held.get(each.report_id)
        error = each.error or (str(waits) if waits else None)
        stale = error is not None and each.report_id in admitted
        yield replace(
            each,
            error=error,
            is_on_hold=waits is not None,
            has_rows_on_hold=each.report_id in doubted and each.report_id not in accepted,
            is_stale=stale,
        )


def _held(
    source: Source, known: Iterable[KnownReport], rows: pl.DataFrame, accepted: Collection[str]
) -> dict[str, OnHold]:
    """Return the reports that wait for a person: misfiled, or shorter than the one before."""
    extents = _extents(rows)
    usable = [
        (each.archived.report, each.known_at, extents[each.report_id])
        for each in known
        if not each.error and each.report_id in extents
    ]
    strangers = misfiled(source, rows, [report for report, _, _ in usable], accepted)
    own = [each for each in usable if each[0].report_id not in strangers]
    return {**on_hold(source, own, accepted), **strangers}


def _known(
    archived: Archived,
    covered: Mapping[str, tuple[Any, ...]],
    lost: str | None,
    *,
    is_read: Collection[str],
) -> KnownReport:
    report = archived.report
    printed, layout, error, first, last, weeks = covered.get(report.report_id, _UNREAD)
    published = printed or report.published_at
    return KnownReport(
        archived,
        known_at=min(report.received_at, published or report.received_at),
        published_at=published,
        layout=layout,
        error=lost or error,
        first_week=first,
        last_week=last,
        weeks=weeks,
        is_read=report.report_id in is_read,
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


def _extents(rows: pl.DataFrame) -> dict[str, Extent]:
    """Return what each report covers, as it was when it was read."""
    columns = ["layout", "labels", "first_day", "last_day", "days", "is_closed"]
    printed = rows.filter(pl.col("labels").is_not_null()).unique("report_id", keep="first")
    return {
        report_id: Extent(*rest)
        for report_id, *rest in printed.select("report_id", *columns).iter_rows()
    }
