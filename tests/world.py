"""A warehouse of its own for a test, driven as a person drives it: add, drop, run, query.

Nothing here asserts. Everything goes through the command in this process; the environment is set
for the length of a call only, so several worlds can live side by side in module fixtures.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import once
import pandera.polars as pa
import polars as pl
import pytest
from once import definitions
from sqlalchemy import event
from sqlalchemy.engine import Engine

from pipelines.cli.main import main, prepare_dagster
from pipelines.database import audit, models
from pipelines.store import archive, marker
from pipelines.store.paths import Kind, Warehouse
from samples.add import add_samples
from schemas import catalog

__all__ = ["definitions"]
SAMPLES = Path(__file__).parents[1] / "samples" / "reports"
PATIENCE = 600
"""Seconds after which a test takes a process for hung: no machine that works is as slow as that."""


@event.listens_for(Engine, "connect")
def _no_fsync(connection: Any, _: object) -> None:
    """Let Dagster's event log skip fsync: no test outlives a power cut, and all run faster."""
    connection.execute("pragma synchronous = off")


_trace = models._column_lineage


@functools.cache
def _traced(model: models.Model, sql: str) -> models.Lineage:
    return _trace(model)


# A warehouse keeps what its columns are made of; tests make many, and tracing takes half a build.
models._column_lineage = lambda model: _traced(model, model.sql)

_slices = audit._slices
_valid: set[tuple[type, bytes]] = set()


def _of_unknown_rows(
    connection: duckdb.DuckDBPyConnection, name: str, contract: type[pa.DataFrameModel]
) -> Iterator[pl.DataFrame]:
    for rows in _slices(connection, name, contract):
        key = (contract, hashlib.sha256(rows.write_ipc(None).getvalue()).digest())
        if key not in _valid:
            yield rows
            _valid.add(key)  # the next one is asked for: these were valid


# Rows that kept a contract keep it in every world: most tables of a test are those of the last one.
audit._slices = _of_unknown_rows


@contextlib.contextmanager
def anew(cached: Any) -> Iterator[None]:
    """Let a cached function answer anew in here, and forget that in the end."""
    cached.cache_clear()
    try:
        yield
    finally:
        cached.cache_clear()


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that was printed, with white space folded: lines are wrapped to the terminal."""
        return " ".join(f"{self.out} {self.err}".split())


@dataclass(frozen=True)
class World:
    """A warehouse in a folder."""

    root: Path

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.root)

    @property
    def database(self) -> Path:
        return self.warehouse.database

    @contextlib.contextmanager
    def entered(self) -> Iterator[pytest.MonkeyPatch]:
        """Set the environment to this world; what a command does to it is undone."""
        self.init()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FUNDFLOWS_WAREHOUSE", str(self.root))
            patch.setenv("DAGSTER_HOME", "")
            patch.delenv("DAGSTER_HOME")
            yield patch

    def init(self) -> None:
        """Make this world a warehouse, as `fundflows init` does."""
        if not (self.root / marker.NAME).exists():
            marker.init(self.warehouse)

    def file(self, name: str, content: bytes) -> Path:
        """Return a file with this name and content, outside the warehouse."""
        folder = self.root.parent / f"{self.root.name}-files"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / name
        file.write_bytes(content)
        return file

    def add(
        self,
        source: str,
        name: str,
        content: bytes,
        *,
        published: str | None = None,
        received: str | None = None,
    ) -> archive.Archived:
        """Archive a report, as `fundflows add` does."""
        return archive.add(
            self.warehouse,
            source,
            self.file(name, content),
            published=_time(published),
            received=_time(received),
        )

    def add_samples(self) -> None:
        """Archive the project's sample reports."""
        add_samples(self.warehouse)

    def drop(self, source: str, name: str, content: bytes) -> Path:
        """Drop a file into the inbox of a source."""
        self.init()
        file = self.warehouse.inbox(source) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def call(self, *arguments: str | Path) -> Said:
        """Call the command `fundflows` in this process."""
        out, err = io.StringIO(), io.StringIO()
        with self.entered() as patch:
            if arguments[0] == "run":
                once.give_dagster_a_home(self.warehouse)
            patch.setattr(sys, "argv", ["fundflows", *map(str, arguments)])
            patch.setattr("pipelines.cli.execution._job", once.job)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    main()
                    code = 0
                except SystemExit as stop:
                    code = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
        return Said(code, out.getvalue(), err.getvalue())

    def run(self, *options: str) -> Said:
        """Call `fundflows run`."""
        return self.call("run", *options)

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Read the published database as an analyst would: read-only, plain SQL."""
        with reading(self.database) as connection:
            return connection.execute(sql, parameters).fetchall()

    def rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """Read the published database, a dictionary a row."""
        with reading(self.database) as connection:
            found = connection.execute(sql, parameters)
            names = [column[0] for column in found.description or []]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def one(self, sql: str, *parameters: object) -> Any:
        """Return the single value of a query."""
        ((value,),) = self.query(sql, *parameters)
        return value

    @contextlib.contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Open the Dagster instance of this world."""
        with self.entered():
            once.give_dagster_a_home(self.warehouse)
            prepare_dagster(self.warehouse)
            with dg.DagsterInstance.get() as instance:
                yield instance

    def week_file(self, kind: Kind, source: str, week: str) -> Path:
        """Return the path of a week's file: weeks, quarantine or outcomes."""
        return self.warehouse.week_file(kind, source, dt.date.fromisoformat(week))

    def observations(self, source: str, week: str) -> pl.DataFrame:
        """Return the admitted observations of a week, every vintage."""
        return pl.read_parquet(self.week_file("weeks", source, week), glob=False)


@contextlib.contextmanager
def reading(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a published database to read, with its moments shown in UTC on any machine."""
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


def _time(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


_NAMES = (
    "select table_schema || '.' || table_name from information_schema.tables "
    f"where table_schema in {catalog.SCHEMAS} order by 1"
)


def _settled(name: str) -> str:
    """Return the rows of a table that do not depend on the day of the build.

    Of weeks that get late about now, builds on either side of a midnight say something else.
    """
    if name != "ops.coverage":
        return name
    return f"(from {name} where expected_by < timestamptz '2026-09-01 00:00:00+00')"


def tables(database: Path, *, without: tuple[str, ...] = ("ops.build",)) -> Mapping[str, list[str]]:
    """Return the rows of all tables and views of a database, as sorted texts."""
    with reading(database) as connection:
        return {
            name: sorted(map(repr, connection.execute(f"from {_settled(name)}").fetchall()))
            for (name,) in connection.execute(_NAMES).fetchall()
            if name not in without
        }


def different(one: Path, other: Path, *, without: tuple[str, ...] = ("ops.build",)) -> set[str]:
    """Return the tables and views whose rows are not the same; quick, also for many rows."""
    ours, theirs = digests(one), digests(other)
    names = (ours.keys() | theirs.keys()) - set(without)
    return {name for name in names if ours.get(name) != theirs.get(name)}


def digests(database: Path) -> dict[str, tuple[int, int]]:
    """Return the number of rows of each table and view, and the sum of the rows' hashes."""
    stat = database.stat()
    return _digests(database, stat.st_ino, stat.st_mtime_ns)


@functools.cache
def _digests(database: Path, *_: int) -> dict[str, tuple[int, int]]:
    with reading(database) as connection:
        found = {}
        for (name,) in connection.execute(_NAMES).fetchall():
            sql = f"select count(*), coalesce(sum(hash(row)), 0) from {_settled(name)} as row"
            ((rows, hashes),) = connection.execute(sql).fetchall()
            found[name] = (rows, hashes)
        return found


def files_under(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its path, with its bytes."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
