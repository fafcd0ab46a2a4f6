"""Checks every table against its contract, and the audits: a build that fails is not published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandera.polars as pa
import polars as pl

from pipelines.database import errors, models, reference_files
from pipelines.database.connection import tables
from pipelines.database.reference import stale_correction
from pipelines.database.reference_files import PLACE
from schemas import catalog

_SAMPLE = 5
_CORRECTIONS = "correction_holds"
_DAYS = ("week_ending", "trade_date", "period_end")
_AT_ONCE = 100_000
"""How many rows are validated at a time."""


def audit(connection: duckdb.DuckDBPyConnection) -> None:
    """Validate every table against its contract, and run the audits.

    Raises:
        BuildError: with a few of the rows that must not be there.
    """
    # What people wrote first: a mistake there breaks the tables that are made of it.
    for name in sorted(tables(connection), key=lambda name: not name.startswith("reference.")):
        keeps_contract(connection, name)
    for name, file in models.audits().items():
        rows = connection.sql(models.Model(name, file).sql).pl()
        if rows.height:
            raise _failed(name, file, rows)


def _failed(name: str, file: Path, rows: pl.DataFrame) -> errors.BuildError:
    if name == _CORRECTIONS:  # a person has to change a line: name it
        return stale_correction(rows.row(0, named=True))
    sample = "\n".join(str(row) for row in rows.head(_SAMPLE).to_dicts())
    place = f"sql/audit/{file.name}"
    if {"file", "points_at"} <= set(rows.columns):
        place = _place_of(f"reference.{rows['file'][0]}", rows["points_at"][0]) or place
    return errors.failed_audit(name, place, rows.height, sample)


def _place_of(table: str, text: str) -> str | None:
    """Return the file and line of the first row of a reference table that has a text."""
    rows = reference_files.placed_rows_of(table)
    hits = rows.filter(pl.any_horizontal(pl.exclude(PLACE) == text))
    return None if hits.is_empty() else str(hits[PLACE][0])


def keeps_contract(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Validate a table against its contract.

    Raises:
        BuildError: with the rules that rows break, and a few of the values.
    """
    contract = catalog.contract_of(name)
    for rows in _slices(connection, name, contract):
        try:
            contract.validate(rows, lazy=True)
        except pa.errors.SchemaErrors as broken:
            rules = _cases(broken.failure_cases)
            place = _made_by(name, broken.failure_cases)
            raise errors.broken_contract(name, place, rules) from broken


def _made_by(name: str, cases: pl.DataFrame) -> str:
    """Return the file of a model, or where the first wrong row of a reference table stands."""
    model = models.models().get(name)
    if model is not None:
        return model.file
    at = cases.get_column("index").drop_nulls()
    rows = reference_files.placed_rows_of(name)
    is_of_a_row = len(at) > 0 and name != reference_files.CORRECTION  # some are of another day
    return str(rows[PLACE][int(at[0])]) if is_of_a_row else reference_files.places_of(name)


def _slices(
    connection: duckdb.DuckDBPyConnection, name: str, contract: type[pa.DataFrameModel]
) -> Iterator[pl.DataFrame]:
    """Yield a table's rows; of a large table, some weeks or days at a time.

    No check of a contract looks beyond a week or day that is part of the table's key. A table
    without a row yields nothing: its columns and types were made from the contract.
    """
    table = connection.table(name)
    rows = len(table)
    if rows == 0:
        return
    key = contract.to_schema().unique or []
    day = next((column for column in key if column in _DAYS), None)
    if day is None or rows <= _AT_ONCE:
        yield table.pl()
        return
    bounds = connection.execute(
        f"""
        select min({day}), max({day})
        from (
            select {day}, sum(count(*)) over (order by {day}) // {_AT_ONCE} as slice
            from {name} group by {day}
        )
        group by slice
        """  # noqa: S608 (names of our own)
    ).fetchall()
    for first, last in bounds:
        within = duckdb.ColumnExpression(day).between(
            duckdb.ConstantExpression(first), duckdb.ConstantExpression(last)
        )
        yield table.filter(within).pl()


def _cases(cases: pl.DataFrame) -> str:
    column = pl.when(pl.col("schema_context") == "Column").then(pl.format(" of {}", "column"))
    counted = cases.group_by("check", column.fill_null("").alias("of"), maintain_order=True).agg(
        pl.len(), pl.col("failure_case").head(2)
    )
    return "\n".join(
        f"{row['check']}{row['of']}: {row['len']} times, such as "
        f"{'; '.join(map(str, row['failure_case']))}"
        for row in counted.head(_SAMPLE).iter_rows(named=True)
    )
