"""Reads the reports of a plan that are new, and indexes the weeks that they cover.

Trouble stays where it is: whatever goes wrong while one report is read is that report's error, and
the others go on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

import polars as pl

from pipelines.checking.contradicted import contradicted
from pipelines.errors import FundflowsError, UnreadableReport, Where
from pipelines.ingest.holds import Extent, extent_of
from pipelines.ingest.known import KnownReport
from pipelines.ingest.plan import Plan
from pipelines.ingest.series import series_of
from pipelines.ingest.vintages import digests
from pipelines.layouts.source import Source
from pipelines.reading.reader import Reading, read_report
from pipelines.store import index
from pipelines.store.archive import Archived, LostReport
from pipelines.store.paths import Warehouse

_MOST_OBSERVATIONS = 100_000
"""At most so many observations of the reports it had to read stay in a plan."""


def reading_of(source: Source, archived: Archived, content: bytes | None = None) -> Reading:
    """Read an archived report, from its bytes if they are at hand.

    Raises:
        LostReport: its bytes are not there, or not those that were archived.
        FundflowsError: it cannot be used; also for whatever nobody expected in it.
    """
    content = archived.content() if content is None else content
    try:
        return read_report(source, archived.report, content)
    except FundflowsError:
        raise
    except Exception as error:
        raise unexpected(source, archived, error) from error


def unexpected(source: Source, archived: Archived, error: Exception) -> UnreadableReport:
    """Return the error of a report in which something is as nobody expected it."""
    return UnreadableReport(
        "This report cannot be used: something in it is as fundflows does not expect it.",
        where=Where(source=source.name, file=archived.report.name),
        expected="cells that the layouts describe",
        found=f"{type(error).__name__}: {error}",
        fix="save the report anew from its publisher; if that is how it is printed, this is a "
        "fault of fundflows: keep the file with the report of it",
    )


def read_unread(warehouse: Warehouse, known: Plan, more: Callable[[], bool] = lambda: True) -> Plan:
    """Read new reports while `more` allows it, and index the weeks that they cover.

    Returns:
        The next plan; some reports may still be unread.
    """
    source = known.source
    readings = _Readings(known.readings)
    added: list[pl.DataFrame] = []
    lost = dict(known.lost)
    for each in known.unread:
        if not more():
            break
        try:
            added.append(_rows_of(source, each, readings))
        except LostReport as error:  # it is read once it is restored
            lost[each.report_id] = str(error)
    return _indexed(warehouse, replace(known, lost=lost, readings=readings), added)


def without(warehouse: Warehouse, known: Plan, errors: Mapping[str, FundflowsError]) -> Plan:
    """Return the plan after reports turned out to be unusable when they were checked."""
    lost = {each: str(error) for each, error in errors.items() if isinstance(error, LostReport)}
    rows = [
        _row(known.source, each, {"error": str(errors[each.report_id])})
        for each in known.reports
        if each.report_id in errors.keys() - lost.keys()
    ]
    return _indexed(warehouse, replace(known, lost={**known.lost, **lost}), rows)


def _indexed(warehouse: Warehouse, known: Plan, added: list[pl.DataFrame]) -> Plan:
    """Replace rows of the index, and drop those of other layouts and of reports that are gone."""
    renewed = {report_id for rows in added for report_id in rows.get_column("report_id")}
    kept = known.rows.filter(
        ~pl.col("report_id").is_in(list(renewed)),
        (pl.col("fingerprint") == known.source.fingerprint)
        | pl.col("report_id").is_in(list(known.lost)),
        pl.col("report_id").is_in([each.report_id for each in known.reports]),
    )
    if not added and kept.height == known.rows.height and not known.allows_loss:
        return known
    whole = pl.concat([kept, *added])
    index.write(warehouse, known.source.name, whole)
    return replace(known, rows=whole)


class _Readings(dict[str, Reading]):
    """The newest readings, with at most so many observations in all."""

    def __init__(self, kept: Mapping[str, Reading]) -> None:
        super().__init__(kept)
        self.rows = sum(each.observations.height for each in kept.values())

    def keep(self, reading: Reading) -> None:
        """Keep a reading, and drop the oldest ones beyond the bound."""
        self[reading.report.report_id] = reading
        self.rows += reading.observations.height
        while self.rows > _MOST_OBSERVATIONS and len(self) > 1:
            self.rows -= self.pop(next(iter(self))).observations.height


def _rows_of(source: Source, each: KnownReport, readings: _Readings) -> pl.DataFrame:
    """Read one report, and return what it covers in rows of the index.

    Raises:
        LostReport: its bytes are not there, or not those that were archived.
    """
    try:
        content = each.archived.content()
        reading = reading_of(source, each.archived, content)
        weeks, extent = _covered(source, each.archived, reading, content)
    except LostReport:
        raise
    except FundflowsError as error:
        return _row(source, each, {"error": str(error)})
    readings.keep(reading)
    published = reading.published_at or each.archived.report.published_at
    stated = {"layout": reading.layout.name, "published_at": published}
    return _row(source, each, stated | (asdict(extent) if extent else {}), weeks)


def _covered(
    source: Source, archived: Archived, reading: Reading, content: bytes
) -> tuple[dict[dt.date, dict[str, object]], Extent | None]:
    try:
        held = contradicted(reading.layout, reading.observations)
        accepted = digests(reading)
        found = digests(reading, held) if held.height else accepted
        series = series_of(source, reading)
        weeks: dict[dt.date, dict[str, object]] = {
            week: {
                "digest": digest,
                "digest_if_accepted": accepted.get(week),
                "series": series.get(week),
            }
            for week, digest in found.items()
        }
        return weeks, extent_of(reading, content)
    except Exception as error:
        raise unexpected(source, archived, error) from error


def _row(
    source: Source,
    each: KnownReport,
    stated: Mapping[str, object],
    weeks: Mapping[dt.date, Mapping[str, object]] = {},
) -> pl.DataFrame:
    """Return the rows of a report in the index; what it printed before it became unusable stays."""
    report = each.archived.report
    row = {
        "report_id": report.report_id,
        "fingerprint": source.fingerprint,
        "name": report.name,
        "received_at": report.received_at,
        "layout": each.layout,
        "published_at": each.published_at,
        **stated,
    }
    covered = [{"week_ending": week, **weeks[week]} for week in sorted(weeks)]
    return pl.DataFrame([{**row, **of_week} for of_week in covered or [{}]], index.SCHEMA)
