"""Reference rows: texts to typed tables; and whether corrections still hold."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from typing import Any

import duckdb
import polars as pl

from pipelines.database import as_known, errors, reference_files
from pipelines.database.models import BuiltTable
from pipelines.database.reference_files import CORRECTION, PLACE, place_of
from schemas import catalog
from schemas.observation import empty


def load_reference(
    connection: duckdb.DuckDBPyConnection, as_of: dt.datetime | None = None
) -> list[BuiltTable]:
    """Load all reference rows as tables, the corrections as of a moment.

    Raises:
        BuildError: a file's columns are not those of its contract, or a value is not of its type.
    """
    loaded = []
    for name in reference_files.files():
        schema = empty(catalog.contract_of(name)).schema
        rows = _typed_rows(name, schema)
        if name == CORRECTION and as_of:
            rows = _known_corrections(rows, as_known.last_day_over(as_of))
        connection.register("arriving", rows)
        connection.execute(f"create or replace table {name} as from arriving")
        connection.unregister("arriving")
        loaded.append(BuiltTable(name, "table", rows.height))
    return loaded


def _typed_rows(name: str, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the rows of a table as its contract's types; refuse a value that is not of them."""
    read = reference_files.placed_rows_of(name)
    rows = read.select(_typed(column, dtype) for column, dtype in schema.items())
    for column, dtype in schema.items():
        lost = read.filter(read[column].is_not_null() & rows[column].is_null())
        if not lost.is_empty():
            place, found = lost.select(PLACE, column).row(0)
            raise errors.wrong_value(name, place, column, _expected(dtype), found)
    return rows


def _expected(dtype: pl.DataType) -> str:
    if dtype == pl.Date:
        return "a day such as 2026-01-31"
    return "true or false" if dtype == pl.Boolean else "a number"


def _known_corrections(rows: pl.DataFrame, day: dt.date) -> pl.DataFrame:
    """Return the corrections as of the end of a day."""
    known = rows.filter(pl.col("corrected_on") <= day)
    return known.with_columns(
        withdrawn_on=pl.when(pl.col("withdrawn_on") <= day).then(pl.col("withdrawn_on"))
    )


def stale_correction(row: dict[str, Any]) -> errors.BuildError:
    """Return the error of a row of the audit `correction_holds`, with the line of the ledger."""
    return errors.stale_correction(
        row["correction"],
        _line_of(row["correction"]),
        expected=f"{row['number']} printed as {row['expected_value'].normalize():f}",
        found=row["found"],
        is_withdrawn=row["is_withdrawn"],
    )


def _line_of(correction: str) -> str:
    """Return the file and line of the ledger that begins with a correction's name."""
    for file in reference_files.files()[CORRECTION]:
        with file.open(encoding="utf-8", newline="") as opened:
            rows = csv.DictReader(opened)
            for row in rows:
                if row["correction"] == correction:
                    return f"{place_of(file)}:{rows.line_num}"
    raise LookupError(correction)


def _typed(column: str, dtype: pl.DataType) -> pl.Expr:
    """Read a text of a reference file as its contract's type; NULL where it is not."""
    if dtype == pl.Date:
        return pl.col(column).str.to_date("%Y-%m-%d", strict=False)
    if dtype == pl.Boolean:
        return pl.col(column).replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        )
    return pl.col(column).cast(dtype, strict=False)
