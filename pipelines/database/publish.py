"""Write, audit, publish: the served database is replaced whole or not at all.

A build goes into a temporary file beside the served one, is audited there and renamed over it.
Readers keep the file that they opened. A crash or a failed audit leaves the served file as it was.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import get_args

import duckdb
import polars as pl

from pipelines.database import errors, reference_files
from pipelines.database.build import BUILD, build
from pipelines.database.connection import opened, reading
from pipelines.database.held import build_all_that_can_be, served_vintages, with_news
from pipelines.database.inputs import Inputs, inputs, source_rows
from pipelines.database.loss import refuse_loss
from pipelines.database.models import SQL, BuiltTable
from pipelines.ingest import calendar
from pipelines.ingest.plan import Plan, current
from pipelines.layouts.filled import filled
from pipelines.store.files import one_at_a_time, write_whole
from pipelines.store.paths import PROJECT, Kind, Warehouse


def fingerprint(warehouse: Warehouse, plans: Sequence[Plan], now: dt.datetime) -> str:
    """Return a hash of all that a build is made of: weeks, archive, sources, SQL, contracts, code.

    That a report can no longer be read is no reason for a build: nothing is new, and the served
    file stays as it is.
    """
    digest = hashlib.sha256()
    for kind in get_args(Kind):
        for file in warehouse.week_files(kind):
            stat = file.stat()
            digest.update(file.relative_to(warehouse.root).as_posix().encode())
            digest.update(f" {stat.st_size} {stat.st_mtime_ns}\n".encode())
    for plan in plans:
        for each in plan.reports:
            error = None if each.is_stale else each.error
            clocks = [
                moment and moment.timestamp() for moment in (each.known_at, each.published_at)
            ]
            known = (plan.source.name, each.report_id, each.name, *clocks, error)
            digest.update(f"{known}\n".encode())
    reference = chain.from_iterable(reference_files.files().values())
    code = {*SQL.rglob("*.sql"), *reference, *Path(__file__).parent.glob("*.py")}
    for file in sorted([*code, *(PROJECT / "schemas").glob("*.py")]):
        digest.update(file.read_bytes())
    sources = [plan.source for plan in plans]
    digest.update(source_rows(sources).write_json().encode())
    digest.update(f"{[filled(source) for source in sources]}".encode())
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
    allow_loss: Collection[str] = (),
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
        allow_loss: sources of which numbers may vanish without a cause on record.
        on_table: called with each table as it is built.
        on_wait: called when another build has to end first.

    Raises:
        BuildError: a model, a contract or an audit failed, or served numbers would vanish. The
            served file stays as it was.
    """
    served = target or warehouse.database
    with one_at_a_time(served, on_wait):
        Path(f"{served}.wal").unlink(missing_ok=True)  # of a client that wrote into the file
        plans = [current(warehouse, plan) for plan in plans]
        filled = partial(
            build,
            as_of=as_of,
            built_at=now,
            stamp=fingerprint(warehouse, plans, now),
            allowed_loss=allow_loss,
            on_table=on_table,
        )
        if as_of is not None:
            read = inputs(warehouse, plans, as_of)
            return _written(served, lambda file: _opened(file, filled, read))
        before = served_vintages(served)
        _refuse_undeclared(before, plans, allow_loss)

        def attempt(file: Path, held: Mapping[str, str]) -> list[BuiltTable]:
            read = inputs(warehouse, plans, now, held=held, served=before)
            return _opened(file, filled, read, lambda it: refuse_loss(it, served, allow_loss))

        news = with_news(plans, before)
        return _written(served, lambda file: build_all_that_can_be(partial(attempt, file), news))


def _written(served: Path, write: Callable[[Path], list[BuiltTable]]) -> list[BuiltTable]:
    """Let `write` build a temporary file, and rename it; others may only read it."""
    built: list[BuiltTable] = []
    write_whole(served, lambda file: built.extend(write(file)), mode=0o444)
    return built


def _opened(
    file: Path,
    filled: Callable[[duckdb.DuckDBPyConnection, Inputs], list[BuiltTable]],
    read: Inputs,
    then: Callable[[duckdb.DuckDBPyConnection], object] = lambda _: None,
) -> list[BuiltTable]:
    file.unlink(missing_ok=True)  # DuckDB makes the file itself
    with closing(opened(file)) as connection:
        built = filled(connection, read)
        then(connection)
    return built


def _refuse_undeclared(
    before: pl.DataFrame, plans: Sequence[Plan], allow_loss: Collection[str]
) -> None:
    """Refuse a build without a source that is served: its folder may have been renamed."""
    declared = {plan.source.name for plan in plans} | set(allow_loss)
    if strangers := sorted(set(before.get_column("source")) - declared):
        raise errors.undeclared(strangers)
