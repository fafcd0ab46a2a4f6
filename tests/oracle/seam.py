"""The one module of the oracle that builds warehouses: everything that it needs of `pipelines`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from pipelines.build import database
from pipelines.build.models import SQL
from pipelines.reports import archive, facts
from pipelines.reports.layout import Source, source_of
from pipelines.reports.warehouse import PROJECT, Warehouse
from samples.add import add_samples

REFERENCE = SQL / "reference"
DEFINED = PROJECT / "pipelines" / "defs" / "sources"


def project_sources() -> list[Source]:
    """Return the sources of the project."""
    return [source_of(each.parent) for each in sorted(DEFINED.glob("*/defs.yaml"))]


def build_samples(root: Path) -> Path:
    """Build the samples; return the database."""
    warehouse = Warehouse(root)
    add_samples(warehouse)
    return build(warehouse)


def add(root: Path, source: str, files: Iterable[Path], received: str | None = None) -> None:
    """Archive files as reports of a source."""
    clock = dt.datetime.fromisoformat(received) if received else None
    for file in files:
        archive.add(Warehouse(root), source, file, received=clock)


def build(warehouse: Warehouse) -> Path:
    """Read every week of every source of the project and build the database."""
    sources = project_sources()
    for source in sources:
        failed = [
            line
            for result in facts.ingest(warehouse, source, facts.due(warehouse, source))
            for line in result.failures
        ]
        assert not failed, failed
    database.publish(warehouse, sources)
    return warehouse.database
