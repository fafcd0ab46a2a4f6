"""The plan: the state of a source, read from the disk once.

Which reports are archived and when each could be known, which weeks each covers, which reports the
week files were made from; hence which weeks are due and which reports are unread or unusable. A
frozen value, passed to whoever needs it: reading or writing returns the next plan. Nothing is
written here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from pipelines.ingest.known import KnownReport, known_reports
from pipelines.layouts.source import Source
from pipelines.reading.reader import Reading
from pipelines.report import Report
from pipelines.store import archive, decisions, index, week_files
from pipelines.store.archive import Archived
from pipelines.store.paths import Warehouse
from pipelines.store.week_files import Mark, Vintage
from pipelines.versions import CHECKING


class Outdated(Exception):
    """Reports of a source have come since its plan was made."""


@dataclass(frozen=True)
class Plan:
    """The state of a source at the moment when the disk was read.

    What was admitted stays: a week keeps the vintages of reports that can no longer be read, unless
    the loss is allowed.

    Args:
        source: the source, with its layouts.
        listed: the ids of the reports that the archive named.
        archived: the reports; lost ones as they were known.
        lost: why reports cannot be read any more, by id.
        rows: the index: which report covers which week.
        written: what the weeks on disk were made from.
        accepted: the reports on hold that a person has let through.
        readings: the reports that had to be read to know which weeks they cover, by id, as far as
            they are small enough to be kept: these need not be read again.
        allows_loss: whether nothing of a lost or unusable report is kept.
    """

    source: Source
    listed: frozenset[str]
    archived: tuple[Archived, ...]
    lost: Mapping[str, str]
    rows: pl.DataFrame
    written: Mapping[dt.date, Mark | None]
    accepted: frozenset[str] = frozenset()
    readings: Mapping[str, Reading] = field(default_factory=dict)
    allows_loss: bool = False

    @cached_property
    def reports(self) -> tuple[KnownReport, ...]:
        """All archived reports, oldest vintage first."""
        known = known_reports(
            self.source,
            self.archived,
            self.rows,
            lost=self.lost,
            accepted=self.accepted,
            admitted=() if self.allows_loss else ids_in(self.written),
        )
        return tuple(sorted(known, key=lambda each: each.order))

    @property
    def unread(self) -> list[KnownReport]:
        """Reports that are new, or have to be read again because a layout has changed."""
        return [each for each in self.reports if not each.is_read]

    @property
    def unusable(self) -> list[KnownReport]:
        """Reports that no layout reads, each with its error."""
        return [each for each in self.reports if each.error]

    @cached_property
    def stale(self) -> frozenset[str]:
        """The reports that can no longer be used, and of which weeks were made."""
        return frozenset(each.report_id for each in self.reports if each.is_stale)

    @cached_property
    def coverage(self) -> pl.DataFrame:
        """Which report covers which week, one row per week and report, of all that have been read.

        Columns `week_ending, report_id, known_at, digest`; oldest vintage of a week first. A stale
        report covers the weeks that were made of it.
        """
        return _coverage(self.reports, self.rows, self.written, self.accepted)

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

        A week that no report covers any more, because a layout was mended, is due to be emptied:
        one that reports cover which can no longer be read is not (E111).
        """
        changed = {week for week in self.vintages if not self._stands(week)}
        return sorted(changed | (set(self.written) - set(self.vintages)))

    @property
    def unread_weeks(self) -> dict[dt.date, dt.datetime]:
        """The weeks that reports cover and of which no file was made, and since when (E107)."""
        known = self.coverage.group_by("week_ending").agg(pl.col("known_at").min())
        return {week: at for week, at in known.iter_rows() if week not in self.written}

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
        return rules_of(self.source)

    def with_written(self, marks: Mapping[dt.date, Mark]) -> Plan:
        """Return the plan after weeks have been written; a week without a vintage has no files."""
        written = {**self.written, **marks}
        kept = {week: mark for week, mark in written.items() if mark is None or mark.vintages}
        return replace(self, written=kept, readings={})


def _coverage(
    reports: Sequence[KnownReport],
    rows: pl.DataFrame,
    written: Mapping[dt.date, Mark | None],
    accepted: Collection[str],
) -> pl.DataFrame:
    """Join what usable reports cover by the index, and stale ones by the weeks made of them."""
    known = pl.DataFrame(
        [(each.report_id, each.known_at, bool(each.error)) for each in reports],
        {"report_id": pl.String, "known_at": pl.Datetime("us", "UTC"), "error": pl.Boolean},
        orient="row",
    ).with_row_index("order")
    usable = known.filter(~pl.col("error"))
    is_accepted = pl.col("report_id").is_in(list(accepted))
    digest = pl.when(is_accepted).then("digest_if_accepted").otherwise("digest")
    digested = rows.drop_nulls("week_ending").drop("error").with_columns(digest=digest)
    read = digested.join(usable, on="report_id")
    stale_ids = {each.report_id for each in reports if each.is_stale}
    stale = pl.DataFrame(
        [
            (week, report_id, digest)
            for week, mark in written.items()
            for report_id, digest in (mark.vintages if mark else ())
            if report_id in stale_ids
        ],
        {"week_ending": pl.Date, "report_id": pl.String, "digest": pl.String},
        orient="row",
    ).join(known, on="report_id")
    columns = ["week_ending", "report_id", "known_at", "digest"]
    both = pl.concat([each.select("order", *columns) for each in (read, stale)])
    return both.sort("week_ending", "order").select(columns)


def rules_of(source: Source) -> str:
    """Return a hash of what decides which readings of a source are admitted."""
    reconciled = [
        (layout.name, table.name, table.totals, table.position, [rule.of for rule in table.rows])
        for layout in source.layouts
        for table in layout.tables
    ]
    return hashlib.sha256(f"{CHECKING}{reconciled}".encode()).hexdigest()[:16]


def ids_in(written: Mapping[dt.date, Mark | None]) -> frozenset[str]:
    """Return the reports from which weeks were made."""
    return frozenset(
        report_id for mark in written.values() if mark for report_id, _ in mark.vintages
    )


def plan(warehouse: Warehouse, source: Source, *, allows_loss: bool = False) -> Plan:
    """Read the state of a source from the disk; no report is read.

    Raises:
        FundflowsError: the archive cannot be read.
    """
    listing = archive.listing(warehouse, source.name)
    rows = index.read(warehouse, source.name)
    written = week_files.marks(warehouse, source.name)
    lost = {report_id: str(error) for report_id, error in listing.lost.items()}
    if allows_loss:
        rows = rows.filter(pl.col("report_id").is_in(list(listing.ids - lost.keys())))
        lost = {}
    else:
        usable = rows.filter(pl.col("error").is_null(), pl.col("week_ending").is_not_null())
        known = ids_in(written).union(usable.get_column("report_id"))
        for report_id in sorted(known - listing.ids):
            lost[report_id] = str(archive.missing(warehouse, source.name, report_id))
    gone = tuple(_lost_reports(warehouse, source, rows, written, lost))
    archived = (*listing.reports, *gone)
    return Plan(
        source,
        listing.ids,
        archived,
        lost,
        rows,
        written,
        accepted=decisions.accepted(warehouse, source.name),
        allows_loss=allows_loss,
    )


def _lost_reports(
    warehouse: Warehouse,
    source: Source,
    rows: pl.DataFrame,
    written: Mapping[dt.date, Mark | None],
    lost: Mapping[str, str],
) -> Iterator[Archived]:
    """Return lost reports with the name and clocks that the index has; else those of a week."""
    named = {
        report_id: Report(source.name, report_id, name, received, published)
        for report_id, name, received, published in rows.select(
            "report_id", "name", "received_at", "published_at"
        ).iter_rows()
    }
    for week, mark in written.items():
        for report_id in {report_id for report_id, _ in mark.vintages} if mark else ():
            if report_id in lost and report_id not in named:
                outcomes = week_files.read_outcomes(warehouse, source.name, week)
                known_at = outcomes.filter(pl.col("report_id") == report_id)["known_at"].min()
                if isinstance(known_at, dt.datetime):
                    named[report_id] = Report(source.name, report_id, report_id[:12], known_at)
    for report_id in lost:
        report = named.get(report_id) or Report(
            source.name,
            report_id,
            report_id[:12],
            archive.received_by(warehouse, source.name, report_id),
        )
        yield Archived(report, warehouse.archive(source.name) / report_id, size=0)


def current(warehouse: Warehouse, known: Plan) -> Plan:
    """Return the plan itself, or a new one if reports have come since it was made."""
    if archive.ids(warehouse, known.source.name) == known.listed:
        return known
    return plan(warehouse, known.source, allows_loss=known.allows_loss)
