"""A schema for every source, with the marts by one dimension each: what a plain sum may run over.

`mart.flows` holds every source, dimension and total; a sum over it counts all money many times.
`coinshares.flows_by_asset` is one source, one dimension and no total (E88).
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from schemas import catalog

Filled = Mapping[str, tuple[str, ...]]
"""The dimensions by which a source fills each table of `mart`, by its name."""


def name_of(table: str, dimension: str) -> str:
    """Return the name of the view of a dimension: `flows_by_asset`, `flows_total`."""
    return f"{table}_total" if dimension == "total" else f"{table}_by_{dimension}"


def create(connection: duckdb.DuckDBPyConnection, filled: Mapping[str, Filled]) -> None:
    """Create the schemas of sources, each with the views that its numbers can fill."""
    for source, tables in filled.items():
        if not any(tables.values()):
            continue
        connection.execute(f'create schema "{source}"')
        for table, dimensions in tables.items():
            described = catalog.description(catalog.contract_of(f"mart.{table}"))
            sentence = described.partition("\n")[0].replace("'", "''")
            for dimension in dimensions:
                view = f'"{source}".{name_of(table, dimension)}'
                connection.execute(
                    f"create view {view} as select * exclude (source, dimension) from mart.{table} "  # noqa: S608
                    f"where source = '{source}' and dimension = '{dimension}'"
                )
                connection.execute(
                    f"comment on view {view} is '{source}, by {dimension} alone: {sentence} "
                    f"Columns: see mart.{table}.'"
                )
