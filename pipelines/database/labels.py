"""Labels and the members that they mean: what is unmapped, and how a member is printed."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from pipelines.database import models, reference_files
from pipelines.database.build import create
from pipelines.database.connection import reading, scratch
from pipelines.database.inputs import Inputs, open_inputs
from pipelines.database.reference import load_reference
from schemas import catalog
from schemas.observation import frame

_UNMAPPED = "ops.unmapped_label"


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A printed label that means no member: the row that would map it, and the file of that row."""

    source: str
    label: str
    since: dt.date
    file: str
    row: str

    def __str__(self) -> str:
        return f"{self.source}: {self.label!r} (since {self.since}) -> {self.file}: {self.row}"


def unmapped_labels(database: Path) -> list[Unmapped]:
    """Return the printed labels that mean no member, each with the reference row to add."""
    with reading(database) as connection:
        return _unmapped(connection)


def unmapped_in(observations: pl.DataFrame) -> list[Unmapped]:
    """Return what `unmapped_labels` would say of observations that are stored nowhere."""
    wanted = ("core.member_label", "core.observation_history", "core.observation", _UNMAPPED)
    reports = observations.group_by("source", "report_id").agg(pl.col("known_at").first())
    listed = [
        {**row, "name": "", "received_at": row["known_at"], "weeks": 0}
        for row in reports.iter_rows(named=True)
    ]
    contract = catalog.contract_of("input.report")
    read = Inputs(
        files={},
        frames={"input.observation": observations, "input.report": frame(contract, listed)},
    )
    with scratch() as connection:
        open_inputs(connection, read, None)
        for schema in catalog.SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
        load_reference(connection)
        for name in wanted:
            create(connection, models.models()[name])
        return _unmapped(connection)


def _unmapped(connection: duckdb.DuckDBPyConnection) -> list[Unmapped]:
    rows = connection.table(_UNMAPPED).order("source, dimension, label").fetchall()
    return [row_to_add(dimension, label, source, since) for source, dimension, label, since in rows]


def printed_labels(dimension: str, asset_classes: Collection[str] = ()) -> list[str]:
    """Return one printed label for each current member of a dimension, as a report prints it.

    Of assets, only those of the given classes, if any are given.
    """
    alias = reference_files.rows_of(reference_files.ALIAS)
    current = alias.filter((pl.col("dimension") == dimension) & pl.col("valid_to").is_null())
    names = reference_files.rows_of(f"reference.{dimension}")
    if dimension == "asset" and asset_classes:
        names = names.filter(pl.col("asset_class").is_in(list(asset_classes)))
    named = names.rename({dimension: "member", f"{dimension}_name": "name"})
    printed = current.join(named, on="member").with_columns(
        is_name=pl.col("label").str.to_lowercase() == pl.col("name").str.to_lowercase()
    )
    best = printed.sort("is_name", descending=True).unique("member", keep="first")
    return best.sort("member").get_column("label").to_list()


def row_to_add(dimension: str, label: str, source: str, since: dt.date) -> Unmapped:
    """Return the reference row that would map a label, and where it belongs.

    A fund's ticker is the same for all; any other label is its source's until another prints it.
    """
    if dimension == "fund":
        file = "sql/reference/fund_identifier.csv"
        fields = ["<fund id>", "ticker", label, since.isoformat(), ""]
    else:
        file = reference_files.place_of(reference_files.FOLDER / source / "labels.csv")
        fields = [dimension, label, f"<{dimension}>", "1900-01-01", "", ""]
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(fields)
    return Unmapped(source, label, since, file, row.getvalue())
