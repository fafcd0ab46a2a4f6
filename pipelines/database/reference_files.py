"""The files of reference rows: those that all sources share, and those in a source's folder.

`labels.csv` beside a source's `defs.yaml` has labels that only this source prints, in the columns
of `alias.csv`; `corrections.csv` has lines about its numbers, in those of the ledger without the
source. They are rows of the same tables. Texts only: their types are the business of `reference`.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import polars as pl

from pipelines.database import errors, models
from pipelines.ingest.sources import FOLDER
from pipelines.store.paths import PROJECT
from schemas import catalog

ALIAS, IDENTIFIER, CORRECTION = (
    "reference.alias",
    "reference.fund_identifier",
    "reference.correction",
)
PLACE = "place"
"""The column of `placed_rows_of` that has the file and line of a row."""
_LABEL = ["dimension", "label", "member", "valid_from", "valid_to", "note"]
_OF_SOURCES = {ALIAS: "labels.csv", IDENTIFIER: "labels.csv", CORRECTION: "corrections.csv"}


def shared_files() -> dict[str, Path]:
    """Return the files that all sources share, by table.

    `FUNDFLOWS_REFERENCE` names a folder in which a team keeps its own: they replace those of the
    same name.
    """
    own = os.environ.get("FUNDFLOWS_REFERENCE")
    folders = [models.SQL / "reference", *([Path(own)] if own else [])]
    files = [file for folder in folders for file in sorted(folder.glob("*.csv"))]
    return {f"reference.{file.stem}": file for file in files}


def files() -> dict[str, list[Path]]:
    """Return all files of the reference tables, by table: the shared one, then the sources' own."""
    shared = shared_files()
    return {
        table: [
            *([shared[table]] if table in shared else []),
            *(sorted(FOLDER.glob(f"*/{_OF_SOURCES[table]}")) if table in _OF_SOURCES else []),
        ]
        for table in sorted(shared.keys() | _OF_SOURCES.keys())
    }


def place_of(file: Path) -> str:
    """Return a file as people find it: from the project's folder, if it is in there."""
    return (file.relative_to(PROJECT) if file.is_relative_to(PROJECT) else file).as_posix()


def places_of(table: str) -> str:
    """Return where the rows of a reference table stand, as people find it."""
    shared = shared_files().get(table)
    own = [FOLDER / "*" / _OF_SOURCES[table]] if table in _OF_SOURCES else []
    return ", ".join(place_of(file) for file in [*([shared] if shared else []), *own])


def rows_of(table: str) -> pl.DataFrame:
    """Return all rows of a reference table as texts; a row that stands in two files counts once.

    Raises:
        BuildError: a file has other columns than it should, or a line other fields.
    """
    return placed_rows_of(table).drop(PLACE)


def placed_rows_of(table: str) -> pl.DataFrame:
    """Return the rows of `rows_of` with the file and line of each in the column `PLACE`.

    Raises:
        BuildError: as `rows_of`.
    """
    columns = [column.name for column in catalog.columns(catalog.contract_of(table))]
    meaning = [name for name in columns if name != "note"]
    rows = pl.DataFrame(schema=dict.fromkeys([*columns, PLACE], pl.String))
    for file in files()[table]:
        more = _read(file, table, columns).select(*columns, PLACE)
        rows = rows.vstack(more.join(rows, on=meaning, how="anti", nulls_equal=True))
    return rows


def _read(file: Path, table: str, columns: list[str]) -> pl.DataFrame:
    read = _lines(file, table)
    if file.parent.parent != FOLDER:
        return _checked(read, file, table, columns)
    if table == CORRECTION:
        of_ledger = _checked(read, file, table, [name for name in columns if name != "source"])
        return of_ledger.with_columns(source=pl.lit(file.parent.name))
    of_funds = pl.col("dimension") == "fund"
    read = _checked(read, file, table, _LABEL)
    if table == ALIAS:
        return read.filter(~of_funds)
    return read.filter(of_funds).select(
        PLACE, "valid_from", "valid_to", fund="member", kind=pl.lit("label"), identifier="label"
    )


def _lines(file: Path, table: str) -> pl.DataFrame:
    """Return the lines of a file as texts, each with its place."""
    place = place_of(file)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.reader(opened, strict=True)
        try:
            header = next(reader, [])
            lines = [(f"{place}:{reader.line_num}", line) for line in reader if line]
        except (csv.Error, UnicodeDecodeError) as error:
            broken = f"{place}:{reader.line_num}"
            raise errors.broken_line(table, broken, len(header), str(error)) from error
    for where, line in lines:
        if len(line) != len(header):
            raise errors.broken_line(table, where, len(header), f"{len(line)}: {','.join(line)}")
    rows = [[*(field or None for field in line), where] for where, line in lines]
    return pl.DataFrame(rows, dict.fromkeys([*header, PLACE], pl.String), orient="row")


def _checked(read: pl.DataFrame, file: Path, table: str, columns: list[str]) -> pl.DataFrame:
    found = [name for name in read.columns if name != PLACE]
    if set(found) != set(columns):
        raise errors.shape_of(table, place_of(file), columns, found)
    return read
