"""Write, audit, publish: the served database is replaced whole or not at all.

A build goes into a temporary file beside the served one, is audited there and renamed over it.
Readers keep the file that they opened. A crash or a failed audit leaves the served file as it was.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

import duckdb

from pipelines.database import reference_files
from pipelines.database.build import BUILD, build
from pipelines.database.connection import opened, reading
from pipelines.database.inputs import inputs, source_rows
from pipelines.database.models import SQL, BuiltTable
from pipelines.ingest import calendar
from pipelines.ingest.plan import Plan, current
from pipelines.layouts.source import Source
from pipelines.store.files import one_at_a_time, write_whole
from pipelines.store.paths import PROJECT, Warehouse


def fingerprint(warehouse: Warehouse, sources: Sequence[Source], now: dt.datetime) -> str:
    """Return a hash of all that a build is made of: weeks, archive, SQL, contracts, this code."""
    digest = hashlib.sha256()
    for pattern in ("weeks/*/*", "quarantine/*/*", "outcomes/*/*", "index/*"):
        for file in sorted(warehouse.root.glob(f"{pattern}.parquet")):
            stat = file.stat()
            digest.update(file.relative_to(warehouse.root).as_posix().encode())
            digest.update(f" {stat.st_size} {stat.st_mtime_ns}\n".encode())
    reference = chain.from_iterable(reference_files.files().values())
    code = {*SQL.rglob("*.sql"), *reference, *Path(__file__).parent.glob("*.py")}
    for file in sorted([*code, *(PROJECT / "schemas").glob("*.py")]):
        digest.update(file.read_bytes())
    digest.update(source_rows(sources).write_json().encode())
    digest.update("".join(calendar.position(source, now) for source in sources).encode())
    return digest.hexdigest()[:16]


def published_fingerprint(warehouse: Warehouse) -> str | None:
    """Return the fingerprint of the served database, or None if there is none that opens."""
    if not warehouse.database.exists():
        return None
    try:
        with reading(warehouse.database) as connection:
            rows = connection.execute(f"select inputs from {BUILD}").fetchall()  # noqa: S608
    except duckdb.Error:
        return None
    return str(rows[0][0]) if rows else None


def publish(
    warehouse: Warehouse,
    plans: Sequence[Plan],
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    target: Path | None = None,
    on_table: Callable[[BuiltTable], None] = lambda _: None,
    on_wait: Callable[[], object] = lambda: None,
) -> list[BuiltTable]:
    """Build the database, audit it, and rename it over the served file.

    Two builds of one file wait for each other, so that the later one has the newer weeks.

    Args:
        warehouse: where the weeks are and the database is served.
        plans: the state of every source. One is made anew if reports have come since, while
            another build ran: a week file may hold what a report says that the plan lacks.
        now: the time of the build.
        as_of: admit only what was known by then.
        target: another file than the served one.
        on_table: called with each table as it is built.
        on_wait: called when another build has to end first.

    Raises:
        BuildError: a model, a contract or an audit failed. The served file stays as it was.
    """
    served = target or warehouse.database
    built: list[BuiltTable] = []

    def write(file: Path) -> None:
        file.unlink()  # DuckDB makes the file itself
        with closing(opened(file)) as connection:
            built.extend(
                build(
                    connection,
                    inputs(warehouse, plans, as_of or now),
                    as_of=as_of,
                    built_at=now,
                    stamp=stamp,
                    on_table=on_table,
                )
            )

    with one_at_a_time(served, on_wait):
        plans = [current(warehouse, plan) for plan in plans]
        stamp = fingerprint(warehouse, [plan.source for plan in plans], now)
        write_whole(served, write)
    return built
