"""A build: inputs, macros, reference rows, models in their order, contracts and audits.

The file has no reader yet; `publish` makes it the served one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection

import duckdb

from pipelines.database import as_known, errors, models, source_views
from pipelines.database.audit import audit
from pipelines.database.connection import MEMORY, memory, tables
from pipelines.database.inputs import Inputs, open_inputs
from pipelines.database.models import BuiltTable, Model
from pipelines.database.reference import load_reference
from pipelines.store import marker
from schemas import catalog
from schemas.observation import frame

BUILD = "ops.build"


def build(
    connection: duckdb.DuckDBPyConnection,
    read: Inputs,
    *,
    as_of: dt.datetime | None,
    built_at: dt.datetime,
    stamp: str,
    allowed_loss: Collection[str] = (),
    on_table: Callable[[BuiltTable], None],
) -> list[BuiltTable]:
    """Build all tables in the open file, and audit them.

    Args:
        connection: from `connection.opened`.
        read: what the SQL reads.
        as_of: admit only what was known by then.
        built_at: the time of the build.
        stamp: the fingerprint of all that the build is made of.
        allowed_loss: the sources that may lose numbers.
        on_table: called with each table as it is built.

    Raises:
        BuildError: a model, a contract or an audit failed.
    """
    open_inputs(connection, read, as_of)
    for schema in catalog.SCHEMAS:
        connection.execute(f"create schema if not exists {schema}")
    for macro in models.macros().values():
        connection.execute(macro)
    built = load_reference(connection, as_of)
    waiting = list(models.models().values())
    while waiting:
        model = waiting.pop(0)
        table = create(connection, model)
        on_table(table)
        built.append(table)
        read_later = {name for each in waiting for name in each.reads}
        for name in catalog.INPUTS.keys() & set(model.reads) - read_later:
            connection.execute(f"drop table {name}")  # else it takes memory to the end
    source_views.create(connection, read.filled)
    for statement in as_known.macros():
        connection.execute(statement)
    _stamp(connection, as_of, built_at, stamp, allowed_loss)
    audit(connection)
    _comment(connection)
    connection.execute("checkpoint")
    return built


def create(connection: duckdb.DuckDBPyConnection, model: Model) -> BuiltTable:
    """Create a model's table or view with exactly the columns and types of its contract."""
    columns = catalog.columns(catalog.contract_of(model.name))
    try:
        found = connection.sql(model.sql).columns
        if sorted(found) != sorted(column.name for column in columns):
            raise errors.shape_of(
                model.name, model.file, [column.name for column in columns], found
            )
        made = connection.execute(f"create {model.kind} {model.name} as {model.typed(model.sql)}")
        ((rows,),) = made.fetchall() or connection.table(model.name).count("*").fetchall()
    except duckdb.OutOfMemoryException as error:
        raise errors.out_of_memory(model.name, MEMORY, memory(), str(error)) from error
    except duckdb.Error as error:
        raise errors.failed_query(model.name, model.file, str(error)) from error
    return BuiltTable(model.name, model.kind, int(rows))


def _stamp(
    connection: duckdb.DuckDBPyConnection,
    as_of: dt.datetime | None,
    built_at: dt.datetime,
    stamp: str,
    allowed_loss: Collection[str],
) -> None:
    """Write the one row of how the database was built."""
    row = frame(
        catalog.contract_of(BUILD),
        [
            {
                "built_at": built_at,
                "as_of": as_of,
                "inputs": stamp,
                "duckdb_version": duckdb.__version__,
                "versions": marker.versions(),
                "allowed_loss": ", ".join(sorted(allowed_loss)) or None,
            }
        ],
    )
    connection.register("arriving", row)
    connection.execute(f"create or replace table {BUILD} as from arriving")
    connection.unregister("arriving")


def _comment(connection: duckdb.DuckDBPyConnection) -> None:
    """Comment every table and column with the text of its contract."""
    views = {model.name for model in models.models().values() if model.kind == "view"}
    listed = connection.execute(
        "select schema_name || '.' || view_name from duckdb_views() "
        "where not internal and database_name = current_database()"
    ).fetchall()
    for name in [*tables(connection), *(name for (name,) in listed if name in views)]:
        contract = catalog.contract_of(name)
        kind = "view" if name in views else "table"
        connection.execute(f"comment on {kind} {name} is {_quoted(catalog.description(contract))}")
        for column in catalog.columns(contract):
            connection.execute(
                f'comment on column {name}."{column.name}" is {_quoted(column.description)}'
            )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
