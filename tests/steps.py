"""The steps of a run without Dagster: what tests do to a warehouse between a file and a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import polars as pl

from pipelines.components.workspace import Workspace
from pipelines.database import publish as publishing
from pipelines.database.models import BuiltTable
from pipelines.ingest import plan as planning
from pipelines.ingest.plan import Plan
from pipelines.ingest.read import read_unread
from pipelines.ingest.results import WeekResult
from pipelines.ingest.sources import sources
from pipelines.layouts.source import Source
from pipelines.store import inbox
from pipelines.store.paths import Warehouse
from pipelines.store.week_files import Vintage


def plan(warehouse: Warehouse, source: Source) -> Plan:
    """Return the state of a source after reading all that is new."""
    return read_unread(warehouse, planning.plan(warehouse, source))


def due(warehouse: Warehouse, source: Source) -> list[dt.date]:
    """Return the weeks that are new or changed."""
    return plan(warehouse, source).due


def vintages(warehouse: Warehouse, source: Source) -> dict[dt.date, tuple[Vintage, ...]]:
    """Return the reports that newly say something about each week, oldest first."""
    return plan(warehouse, source).vintages


def coverage(warehouse: Warehouse, source: Source) -> pl.DataFrame:
    """Return which report that has been read covers which week."""
    return planning.plan(warehouse, source).coverage


def ingest(
    warehouse: Warehouse,
    source: Source,
    weeks: Collection[dt.date],
    *,
    on_week: Callable[[WeekResult], None] = lambda _: None,
) -> list[WeekResult]:
    """Empty the inbox, and write the given weeks."""
    inbox.sweep(warehouse, source.name, quiet=inbox.QUIET)
    results, _ = Workspace(warehouse).ingest(source, weeks, on_week)
    return results


def publish(
    warehouse: Warehouse,
    sources: Iterable[Source],
    *,
    as_of: dt.datetime | None = None,
    target: Path | None = None,
    allow_loss: Collection[str] = (),
    on_wait: Callable[[], object] = lambda: None,
) -> list[BuiltTable]:
    """Build the database of the weeks that are on disk; those of other sources may vanish."""
    plans = [planning.plan(warehouse, source) for source in sources]
    given = {each.source.name for each in plans}
    return publishing.publish(
        warehouse,
        plans,
        now=dt.datetime.now(dt.UTC),
        as_of=as_of,
        target=target,
        allow_loss={file.parent.name for file in warehouse.week_files("weeks")} - given
        | set(allow_loss),
        on_wait=on_wait,
    )


def publish_all(warehouse: Warehouse) -> list[str]:
    """Read all that is archived and publish it; return what was refused.

    As `fundflows run` does, but Dagster is told nothing, which takes longer than the build: for
    tests that look at tables only.
    """
    refused: list[str] = []
    for source in sources().values():
        known = plan(warehouse, source)
        refused += [each.error or "" for each in known.unusable]
        for result in ingest(warehouse, source, known.due):
            refused += result.failures
    publish(warehouse, sources().values())
    return refused
