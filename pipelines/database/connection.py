"""Opens DuckDB, and nothing else does: a file to build in, or the published one to read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.database import errors

MEMORY = "FUNDFLOWS_MEMORY"
"""The variable that sets how much memory DuckDB takes for a build before it uses the disk."""
_MEMORY = "400MB"
STORAGE = "v1.2.0"
"""The oldest version of DuckDB that opens a published file."""


@contextmanager
def reading(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a published database for reading.

    Raises:
        duckdb.Error: it does not open.
    """
    connection = duckdb.connect(str(database), read_only=True)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def attached(connection: duckdb.DuckDBPyConnection, database: Path) -> Iterator[str | None]:
    """Attach a published database for reading; yield its name, or None if it does not open."""
    quoted = str(database).replace("'", "''")
    try:
        connection.execute(f"attach '{quoted}' as served (read_only)")
    except duckdb.Error:
        yield None
        return
    try:
        yield "served"
    finally:
        connection.execute("detach served")


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory, with the schema of the inputs, for what is not published."""
    connection = duckdb.connect()
    try:
        connection.execute("attach ':memory:' as input")
        yield connection
    finally:
        connection.close()


def opened(file: Path) -> duckdb.DuckDBPyConnection:
    """Open a file to build in, and attach `input` in memory for what does not go into the file."""
    connection = duckdb.connect()
    try:
        connection.execute("set memory_limit = $limit", {"limit": memory()})
    except duckdb.Error as error:
        raise errors.no_amount_of_memory(MEMORY, memory()) from error
    connection.execute("set temp_directory = $folder", {"folder": f"{file}.tmp"})
    connection.execute("set timezone = 'UTC'")
    # No log: a build that is cut off is started again.
    quoted = str(file).replace("'", "''")
    # The storage of an older version, for clients that are not yet of ours.
    connection.execute(
        f"attach '{quoted}' as built (recovery_mode no_wal_writes, storage_version '{STORAGE}')"
    )
    connection.execute("attach ':memory:' as input")
    connection.execute("use built")
    return connection


def memory() -> str:
    """Return how much memory a build may take."""
    return os.environ.get(MEMORY) or _MEMORY


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the tables of the open file, as schema.table."""
    found = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where not internal and database_name = current_database() order by 1"
    ).fetchall()
    return [name for (name,) in found]
