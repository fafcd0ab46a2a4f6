"""The one module of the oracle that builds warehouses: everything that it needs of `pipelines`."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.database import models
from pipelines.database.errors import BuildError
from pipelines.ingest.sources import sources
from pipelines.layouts.source import Source
from pipelines.store import archive
from pipelines.store.paths import Warehouse
from samples.add import add_samples
from tests import steps
from tests.bridge_world import BridgeWorld
from tests.bridge_world import source as declared
from tests.oracle.worlds import DAY, ISSUERS, Report, World, rates

__all__ = ["BuildError"]
REFERENCE = models.SQL / "reference"


def project_sources() -> list[Source]:
    """Return the sources of the project."""
    return list(sources().values())


def build_samples(root: Path) -> Path:
    """Build the samples; return the database."""
    add_samples(Warehouse(root))
    return build_project(root)


def fill(built: BridgeWorld, worlds: Iterable[World]) -> None:
    """Put worlds into one warehouse, each as a source of its own."""
    for issuer in ISSUERS:
        built.issuer(issuer)
    built.rates(rates())
    for world in worlds:
        put(built, world)


def calendar(built: BridgeWorld, sessions: Collection[dt.date]) -> dict[str, str]:
    """Add a market with these sessions; return the attribute by which a source names it."""
    if not sessions:
        return {}
    first, last = min(sessions), max(sessions)
    market = f"X{len(built.markets):03}"
    built.markets.append(market)
    zone = {"market_name": market, "country": "US", "time_zone": "UTC"}
    built.refer("market", market=market, **zone, first_day=first, last_day=last)
    for day in (first + DAY * number for number in range((last - first).days + 1)):
        if (day.isoweekday() < 6) != (day in sessions):
            built.refer("market_exception", market=market, day=day, is_open=day in sessions)
    return {"calendar": market}


def put(built: BridgeWorld, world: World) -> None:
    """Put a world into a warehouse: its reference rows and its reports, in the order they have."""
    world.attributes |= calendar(built, world.sessions)
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


def arrive(built: BridgeWorld, world: World, reports: Iterable[Report]) -> None:
    """Archive a world's reports one after the other; each was published when it says."""
    built.sources[world.name] = declared(world.name, **world.attributes)
    arrived = max(each.received for each in world.reports)
    for number, report in enumerate(reports):
        built.reports += 1
        file = built.root / f"{world.name}-{number}.csv"
        text = report.text.replace("fund", f"fund_{report.currency.lower()}", 1)
        # The same bytes in two sources would be one report: blank lines tell them apart.
        file.write_text(text + "\n" * built.reports, encoding="utf-8")
        clock = arrived + dt.timedelta(hours=number)
        archive.add(built.warehouse, world.name, file, published=report.received, received=clock)


@contextmanager
def planted(folder: Path, file: str, right: str, wrong: str) -> Iterator[None]:
    """Build from a copy of the SQL in which one text of one file is another."""
    copy = folder / "sql"
    shutil.copytree(models.SQL, copy)
    text = (copy / file).read_text(encoding="utf-8")
    assert text.count(right) == 1, f"{text.count(right)} times in {file}: {right}"
    (copy / file).write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "SQL", copy)
        models.models.cache_clear()
        models.macros.cache_clear()
        try:
            yield
        finally:
            models.models.cache_clear()
            models.macros.cache_clear()


def publish(built: BridgeWorld, weeks: Collection[dt.date] | None = None) -> Path:
    """Read all reports, or only some weeks, whether they are refused or not, and build."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNDFLOWS_REFERENCE", str(built.reference))
        for each in built.sources.values():
            due = steps.due(built.warehouse, each)
            wanted = due if weeks is None else [week for week in due if week in weeks]
            steps.ingest(built.warehouse, each, wanted)
        # What is planted may make numbers vanish: that is for the oracle to find.
        steps.publish(
            built.warehouse, list(built.sources.values()), allow_loss=built.sources.keys()
        )
    return built.warehouse.database


def build_project(root: Path) -> Path:
    """Read every week of every source of the project and build the database."""
    warehouse, declared_sources = Warehouse(root), project_sources()
    for each in declared_sources:
        failed = [
            line
            for result in steps.ingest(warehouse, each, steps.due(warehouse, each))
            for line in result.failures
        ]
        assert not failed, failed
    steps.publish(warehouse, declared_sources)
    return warehouse.database
