"""Finding the contract of a table by its name: folder is schema, stem is table, class is contract.

`core.fund_week` is `schemas.core.FundWeek`; some of `core` are in `core_funds`, `core_steps` and
`core_usd`. The views of a dimension are made from the list of dimensions. Nothing else maps names
to contracts.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from functools import cache

import pandera.polars as pa
import polars as pl

from schemas import core, core_funds, mart, ops
from schemas.observation import Observation, Outcome, Refused

SCHEMAS = ("reference", "core", "ops", "mart")
_MODULES = {
    "core": ("schemas.core", "schemas.core_funds", "schemas.core_steps", "schemas.core_usd"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column as people read about it."""

    name: str
    type: str
    description: str
    nullable: bool


INPUTS: dict[str, type[pa.DataFrameModel]] = {
    "input.observation": Observation,
    "input.quarantine": Refused,
    "input.outcome": Outcome,
    "input.report": core.Report,
    "input.source": core.Source,
    "input.dimension": core.Dimension,
    "input.coverage": ops.Coverage,
    "input.unread_week": core_funds.UnreadWeek,
    "input.stale": ops.Stale,
}
"""The inputs of the SQL: what the weeks' files, the archive, the sources' files and the list of
dimensions hold."""


def contract_of(table: str) -> type[pa.DataFrameModel]:
    """Return the contract of a table such as `core.fund_week`.

    Raises:
        LookupError: naming the class that is missing.
    """
    known = INPUTS.get(table) or mart.BY_DIMENSION.get(table)
    if known is not None:
        return known
    schema, _, stem = table.partition(".")
    name = "".join(word.capitalize() for word in stem.split("_"))
    modules = map(importlib.import_module, _MODULES.get(schema, (f"schemas.{schema}",)))
    contract = next((found for each in modules if (found := getattr(each, name, None))), None)
    if contract is None:
        raise LookupError(f"{table} has no contract: write class {name} in schemas/{schema}.py")
    return contract


@cache
def columns(contract: type[pa.DataFrameModel]) -> tuple[Column, ...]:
    """Return the columns of a contract with their DuckDB types and descriptions, in order."""
    return tuple(
        Column(name, duckdb_type(column.dtype.type), column.description or "", column.nullable)
        for name, column in contract.to_schema().columns.items()
    )


def description(contract: type[pa.DataFrameModel]) -> str:
    """Return what a table is and its grain: the docstring of its contract."""
    return inspect.cleandoc(contract.__doc__ or "")


def duckdb_type(dtype: object) -> str:
    """Return the DuckDB type of a contract's column."""
    if isinstance(dtype, pl.Decimal):
        return f"DECIMAL({dtype.precision},{dtype.scale})"
    if isinstance(dtype, pl.Datetime):
        return "TIMESTAMP WITH TIME ZONE" if dtype.time_zone else "TIMESTAMP"
    names: dict[object, str] = {
        pl.String: "VARCHAR",
        pl.Date: "DATE",
        pl.Int64: "BIGINT",
        pl.Boolean: "BOOLEAN",
    }
    return names[dtype if isinstance(dtype, type) else type(dtype)]
