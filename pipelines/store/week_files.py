"""Week files: the weeks of a source on disk, each marked with the reports that it was made from.

A week is three Parquet files: admitted observations of every vintage, refused rows, and outcomes of
what was checked. They are written in this order: the outcomes come last and carry a mark that names
the vintages, so a crash in between leaves a week that is simply due again. `ingest` decides what
goes into a week.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl

from pipelines.store.files import write_whole
from pipelines.store.paths import Kind, Warehouse
from schemas.observation import Observation, Outcome, Refused, empty

_METADATA = "fundflows"
_CONTRACTS: dict[Kind, type[pa.DataFrameModel]] = {
    "weeks": Observation,
    "quarantine": Refused,
    "outcomes": Outcome,
}
_BESIDE: tuple[Kind, ...] = ("weeks", "quarantine")
"""The files beside the outcomes."""
Vintage = tuple[str, str]
"""A report, and the digest of what it says about one week."""
Frames = dict[Kind, pl.DataFrame]
"""The rows of a week's three files."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a week's files were made from: rules and vintages; and whether anything is open."""

    rules: str
    vintages: tuple[Vintage, ...]
    is_clean: bool = True

    def stamp(self) -> dict[str, str]:
        """Return the metadata of the other two files, by which they are known to belong together.

        The mark itself is in the outcomes.
        """
        return {"stamp": hashlib.sha256(json.dumps(self.state()).encode()).hexdigest()[:16]}

    def state(self) -> dict[str, object]:
        """Return the rules and vintages as the outcomes' file holds them."""
        return {"rules": self.rules, "reports": [list(each) for each in self.vintages]}


def marks(warehouse: Warehouse, source: str) -> dict[dt.date, Mark | None]:
    """Return the marks of a source's weeks.

    None where a file is missing, damaged or does not belong to the outcomes: such a week has to be
    written again, even if no report covers it any more.
    """
    written = warehouse.week_files("outcomes", source) + warehouse.week_files("weeks", source)
    weeks = sorted({dt.date.fromisoformat(file.stem) for file in written})
    return {week: _mark(warehouse, source, week) for week in weeks}


def _mark(warehouse: Warehouse, source: str, week: dt.date) -> Mark | None:
    content = _metadata(warehouse.week_file("outcomes", source, week))
    mark = _parsed(content)
    if mark is None:
        return None
    stamp, others = mark.stamp(), content["files"]
    for kind in _BESIDE:
        file = warehouse.week_file(kind, source, week)
        if (_metadata(file) != stamp) if others[kind] else file.exists():
            return None
    return mark


def _parsed(content: dict[str, Any]) -> Mark | None:
    state, files = content.get("state"), content.get("files")
    if (
        not isinstance(state, dict)
        or not isinstance(files, dict)
        or not files.keys() >= set(_BESIDE)
    ):
        return None
    vintages = tuple((report_id, digest) for report_id, digest in state["reports"])
    return Mark(state["rules"], vintages, is_clean=bool(content.get("is_clean")))


def _metadata(file: Path | io.BytesIO) -> dict[str, Any]:
    """Return the metadata of a file; nothing if it is missing or damaged."""
    try:
        content = json.loads(pl.read_parquet_metadata(file)[_METADATA])
    except (pl.exceptions.PolarsError, KeyError, ValueError, OSError):
        return {}
    return content if isinstance(content, dict) else {}


def read(warehouse: Warehouse, source: str, week: dt.date, mark: Mark) -> Frames | None:
    """Return a week's rows; None if they are not those of the mark."""
    content = {kind: _bytes(warehouse.week_file(kind, source, week)) for kind in _CONTRACTS}
    found = _metadata(io.BytesIO(content["outcomes"]))
    if _parsed(found) != mark:
        return None
    for kind in _BESIDE:
        expected = mark.stamp() if found["files"][kind] else {}
        if _metadata(io.BytesIO(content[kind])) != expected:
            return None  # damaged, or another run is writing
    return {
        kind: pl.read_parquet(content[kind]) if content[kind] else empty(contract)
        for kind, contract in _CONTRACTS.items()
    }


def read_outcomes(warehouse: Warehouse, source: str, week: dt.date) -> pl.DataFrame:
    """Return the outcomes of a week; none if another run has just emptied it."""
    content = _bytes(warehouse.week_file("outcomes", source, week))
    return pl.read_parquet(content) if content else empty(Outcome)


def write(warehouse: Warehouse, source: str, week: dt.date, rows: Frames, mark: Mark) -> None:
    """Write a week's files for a mark; a week without a vintage has none."""
    for kind in _BESIDE:
        stamp = mark.stamp() if rows[kind].height else None
        _write(warehouse.week_file(kind, source, week), rows[kind], stamp)
    content = {
        "state": mark.state(),
        "files": {kind: rows[kind].height > 0 for kind in _BESIDE},
        "is_clean": mark.is_clean,
    }
    outcomes = warehouse.week_file("outcomes", source, week)
    _write(outcomes, rows["outcomes"], content if mark.vintages else None)


def _write(file: Path, rows: pl.DataFrame, metadata: Mapping[str, object] | None) -> None:
    if metadata is None:
        file.unlink(missing_ok=True)
        return
    content = {_METADATA: json.dumps(metadata)}
    write_whole(file, lambda temporary: rows.write_parquet(temporary, metadata=content))


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
