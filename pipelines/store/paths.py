"""Where the data are: the folders and files of a warehouse. No file is read or written here."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PROJECT = Path(__file__).parents[2]
Kind = Literal["weeks", "quarantine", "outcomes"]
"""A folder for each: admitted observations, refused rows, and what was checked."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The data folder, and the places of everything in it."""

    root: Path

    @classmethod
    def default(cls) -> Warehouse:
        """Return the warehouse of `FUNDFLOWS_WAREHOUSE`, else the project's own folder."""
        return cls(Path(os.environ.get("FUNDFLOWS_WAREHOUSE") or PROJECT / "warehouse").absolute())

    @property
    def database(self) -> Path:
        """The published database."""
        return self.root / "fundflows.duckdb"

    def database_as_of(self, moment: dt.datetime) -> Path:
        """The database as known at a moment; the last one of a day is named by the day."""
        of_day = moment.time() == dt.time(23, 59, 59, 999_999)
        name = f"{moment:%Y-%m-%d}" if of_day else f"{moment:%Y-%m-%dT%H%M%SZ}"
        return self.root / f"fundflows@{name}.duckdb"

    @property
    def decisions(self) -> Path:
        """What people decided about reports; beside the archive, and not derived."""
        return self.root / "decisions.jsonl"

    @property
    def unmapped(self) -> Path:
        """Where a run writes the reference rows to add, if many labels of a source mean nothing."""
        return self.root / "unmapped"

    @property
    def dagster_home(self) -> Path:
        """Where Dagster keeps its runs and events."""
        return self.root / "dagster"

    def inbox(self, source: str) -> Path:
        """The folder in which people drop the reports of a source."""
        return self.root / "inbox" / source

    def archive(self, source: str) -> Path:
        """The folder of a source's archived reports."""
        return self.root / "archive" / source

    def index(self, source: str) -> Path:
        """The index of a source: which weeks its reports cover (derived, may be deleted)."""
        return self.root / "index" / f"{source}.parquet"

    def week_file(self, kind: Kind, source: str, week: dt.date) -> Path:
        """The Parquet file of a source and week: its observations, refused rows or outcomes."""
        return self.root / kind / source / f"{week.isoformat()}.parquet"

    def weeks_of(self, source: str) -> Path:
        """What the lock on a source's weeks is named after; there is no such file."""
        return self.root / f"{source}.weeks"

    def running(self, run_id: str, what: str) -> Path:
        """The journal entry of a run that writes weeks of a source, or the tables."""
        return self.root / "running" / f"{run_id}.{what}.json"

    def running_files(self) -> list[Path]:
        """The journal entries of all runs that have not ended."""
        return sorted((self.root / "running").glob("*.json"))

    def week_files(self, kind: Kind, source: str | None = None) -> list[Path]:
        """All week files of a kind, of a source or of all."""
        folder = self.root / kind
        return sorted((folder / source).glob("*.parquet") if source else folder.glob("*/*.parquet"))
