"""The plan: the state of a source, read from the disk once.

Which reports are archived and when each could be known, which weeks each covers, which reports the
week files were made from; hence which weeks are due and which reports are unread or unusable. A
frozen value, passed to whoever needs it: reading or writing returns the next plan. Nothing but the
index is written here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from pipelines.errors import FundflowsError
from pipelines.ingest.vintages import digests
from pipelines.layouts.source import Source
from pipelines.reading.reader import Reading, read_report
from pipelines.store import archive, index, week_files
from pipelines.store.archive import Archived
from pipelines.store.paths import Warehouse
from pipelines.store.week_files import Mark, Vintage
from pipelines.versions import CHECKING

_MOST_OBSERVATIONS = 100_000
"""At most so many observations of the reports it had to read stay in a plan."""
_UNREAD = (None, None, None, None, None, 0)


@dataclass(frozen=True, slots=True)
class KnownReport:
    """An archived report: its clocks, and what the index knows of it.

    `error` says why it cannot be used. `is_read` is false until the present layouts have been
    applied to it.
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


class Outdated(Exception):
    """Reports of a source have come since its plan was made."""


@dataclass(frozen=True)
class Plan:
    """The state of a source at the moment when the disk was read.

    `readings` are the reports that had to be read to know which weeks they cover, by id, as far as
    they are small enough to be kept: these need not be read again.
    """

    source: Source
    archived: tuple[Archived, ...]
    rows: pl.DataFrame
    written: Mapping[dt.date, Mark | None]
    readings: Mapping[str, Reading] = field(default_factory=dict)

    @cached_property
    def reports(self) -> tuple[KnownReport, ...]:
        """All archived reports, oldest vintage first."""
        known = _known_reports(self.archived, self.rows, self.source.fingerprint)
        return tuple(sorted(known, key=lambda each: each.order))

    @property
    def report_ids(self) -> frozenset[str]:
        """Which reports were archived when the plan was made."""
        return frozenset(each.report.report_id for each in self.archived)

    @property
    def unread(self) -> list[KnownReport]:
        """Reports that are new, or have to be read again because a layout has changed."""
        return [each for each in self.reports if not each.is_read]

    @property
    def unusable(self) -> list[KnownReport]:
        """Reports that no layout reads, each with its error."""
        return [each for each in self.reports if each.error]

    @cached_property
    def coverage(self) -> pl.DataFrame:
        """Which report covers which week, one row per week and report, of all that have been read.

        Columns `week_ending, report_id, known_at, digest`; oldest vintage of a week first.
        """
        known = pl.DataFrame(
            [(each.report_id, each.known_at) for each in self.reports],
            {"report_id": pl.String, "known_at": pl.Datetime("us", "UTC")},
            orient="row",
        ).with_row_index("order")
        return (
            self.rows.drop_nulls("week_ending")
            .join(known, on="report_id")
            .sort("week_ending", "order")
            .select("week_ending", "report_id", "known_at", "digest")
        )

    @cached_property
    def vintages(self) -> dict[dt.date, tuple[Vintage, ...]]:
        """The reports that say something new about each week, oldest first.

        A report that repeats its predecessor is left out.
        """
        repeats = pl.col("digest") == pl.col("digest").shift(1).over("week_ending")
        weeks = (
            self.coverage.filter(repeats.fill_null(value=False).not_())
            .group_by("week_ending", maintain_order=True)
            .agg("report_id", "digest")
        )
        return {
            week: tuple(zip(report_ids, digests_, strict=True))
            for week, report_ids, digests_ in weeks.iter_rows()
        }

    @cached_property
    def due(self) -> list[dt.date]:
        """The weeks that are new, or whose reports, layout or checks have changed.

        A week that no report covers any more, because a layout was mended, is due to be emptied.
        """
        changed = {week for week in self.vintages if not self._stands(week)}
        return sorted(changed | (set(self.written) - set(self.vintages)))

    def _stands(self, week: dt.date) -> bool:
        mark = self.written.get(week)
        wanted = self.mark_of(week)
        return mark is not None and (mark.rules, mark.vintages) == (wanted.rules, wanted.vintages)

    def mark_of(self, week: dt.date) -> Mark:
        """Return the mark of a week as this plan would write it."""
        return Mark(self.rules, self.vintages.get(week, ()))

    @cached_property
    def rules(self) -> str:
        """A hash of what decides which readings are admitted: the version, and what must add up."""
        reconciled = [
            (
                layout.name,
                table.name,
                table.totals,
                table.position,
                [rule.of for rule in table.rows],
            )
            for layout in self.source.layouts
            for table in layout.tables
        ]
        return hashlib.sha256(f"{CHECKING}{reconciled}".encode()).hexdigest()[:16]

    def with_written(self, marks: Mapping[dt.date, Mark]) -> Plan:
        """Return the plan after weeks have been written; a week without a vintage has no files."""
        written = {**self.written, **marks}
        kept = {week: mark for week, mark in written.items() if mark is None or mark.vintages}
        return replace(self, written=kept, readings={})


def _known_reports(
    archived: Iterable[Archived], rows: pl.DataFrame, fingerprint: str
) -> Iterator[KnownReport]:
    """Join the archive with what the index knows of each report."""
    current = rows.filter(pl.col("fingerprint") == fingerprint)
    is_read = set(current.get_column("report_id"))
    covered = {
        report_id: rest
        for report_id, *rest in rows.group_by("report_id")
        .agg(
            pl.col("published_at", "layout", "error").first(),
            first_week=pl.col("week_ending").min(),
            last_week=pl.col("week_ending").max(),
            weeks=pl.col("week_ending").count(),
        )
        .iter_rows()
    }
    for each in archived:
        report = each.report
        printed, layout, error, first, last, weeks = covered.get(report.report_id, _UNREAD)
        published = printed or report.published_at
        known_at = min(report.received_at, published or report.received_at)
        seen = report.report_id in is_read
        yield KnownReport(each, known_at, published, layout, error, first, last, weeks, seen)


def plan(warehouse: Warehouse, source: Source) -> Plan:
    """Read the state of a source from the disk; no report is read."""
    return Plan(
        source,
        tuple(archive.reports(warehouse, source.name)),
        index.read(warehouse, source.name),
        week_files.marks(warehouse, source.name),
    )


def current(warehouse: Warehouse, known: Plan) -> Plan:
    """Return the plan itself, or a new one if reports have come since it was made."""
    is_current = archive.ids(warehouse, known.source.name) == known.report_ids
    return known if is_current else plan(warehouse, known.source)


def read_unread(warehouse: Warehouse, known: Plan, more: Callable[[], bool] = lambda: True) -> Plan:
    """Read new reports while `more` allows it, and index the weeks that they cover.

    Returns:
        The next plan; some reports may still be unread.
    """
    source = known.source
    archived = {each.report.report_id: each for each in known.archived}
    valid = known.rows.filter(
        pl.col("fingerprint") == source.fingerprint, pl.col("report_id").is_in(list(archived))
    )
    readings = _Readings(known.readings)
    added = [_rows_of(source, each.archived, readings) for each in known.unread if more()]
    if not added and valid.height == known.rows.height:
        return known
    whole = pl.concat([valid, *added])
    index.write(warehouse, source.name, whole)
    return replace(known, rows=whole, readings=readings)


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


def _rows_of(source: Source, archived: Archived, readings: _Readings) -> pl.DataFrame:
    """Read one report, and return what it covers in rows of the index."""
    row: dict[str, object] = {
        "report_id": archived.report.report_id,
        "fingerprint": source.fingerprint,
    }
    weeks: dict[dt.date, str] = {}
    try:
        reading = read_report(source, archived.report, archived.content())
    except FundflowsError as error:
        row["error"] = str(error)
    else:
        readings.keep(reading)
        row |= {"layout": reading.layout.name, "published_at": reading.published_at}
        weeks = digests(reading)
    covered = [{"week_ending": week, "digest": weeks[week]} for week in sorted(weeks)]
    return pl.DataFrame([{**row, **each} for each in covered or [{}]], index.SCHEMA)
