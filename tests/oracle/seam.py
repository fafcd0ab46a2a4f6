"""The one module of the oracle that builds warehouses: everything that it needs of `pipelines`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from pathlib import Path

import pytest

from pipelines.build import database, errors
from pipelines.build.models import SQL
from pipelines.reports import archive, facts
from pipelines.reports.layout import Source, source_of
from pipelines.reports.warehouse import PROJECT, Warehouse
from samples.add import add_samples
from tests.bridge_world import BridgeWorld
from tests.oracle.worlds import ISSUERS, World, rates

BuildError = errors.BuildError
REFERENCE = SQL / "reference"
DEFINED = PROJECT / "pipelines" / "defs" / "sources"


def project_sources() -> list[Source]:
    """Return the sources of the project."""
    return [source_of(each.parent) for each in sorted(DEFINED.glob("*/defs.yaml"))]


def build_samples(root: Path) -> Path:
    """Build the samples; return the database."""
    add_samples(Warehouse(root))
    return build_project(root)


def add(root: Path, source: str, files: Iterable[Path], received: str | None = None) -> None:
    """Archive files as reports of a source."""
    clock = dt.datetime.fromisoformat(received) if received else None
    for file in files:
        archive.add(Warehouse(root), source, file, received=clock)


def fill(built: BridgeWorld, worlds: Iterable[World]) -> None:
    """Put worlds into one warehouse, each as a source of its own."""
    for issuer in ISSUERS:
        built.issuer(issuer)
    built.rates(rates())
    for world in worlds:
        for table, row in world.references:
            built.refer(table, **row)
        for report in world.reports:
            built.report(
                world.name,
                report.text,
                currency=report.currency,
                received=report.received.isoformat(),
                **world.attributes,
            )


def publish(built: BridgeWorld, weeks: Collection[dt.date] | None = None) -> Path:
    """Read all reports, or only some weeks, whether they are refused or not, and build."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNDFLOWS_REFERENCE", str(built.reference))
        for source in built.sources.values():
            due = [
                each for each in facts.due(built.warehouse, source) if not weeks or each in weeks
            ]
            facts.ingest(built.warehouse, source, due)
        database.publish(built.warehouse, list(built.sources.values()))
    return built.warehouse.database


def build_project(root: Path) -> Path:
    """Read every week of every source of the project and build the database."""
    warehouse, sources = Warehouse(root), project_sources()
    for source in sources:
        failed = [
            line
            for result in facts.ingest(warehouse, source, facts.due(warehouse, source))
            for line in result.failures
        ]
        assert not failed, failed
    database.publish(warehouse, sources)
    return warehouse.database
