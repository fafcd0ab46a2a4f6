"""The real reports: where they are, which source reads which file, and when each was received.

`real_reports.csv` is the one list of them. They belong to their publishers and are not kept here.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
LISTED = Path(__file__).with_name("real_reports.csv")


@dataclass(frozen=True, slots=True)
class Arrival:
    """Reports of a source that are received together, as `fundflows add` takes them."""

    source: str
    files: tuple[Path, ...]
    received: str

    @property
    def words(self) -> list[str]:
        """The words of the command."""
        return ["add", self.source, *map(str, self.files), "--received", self.received]


def folder() -> Path:
    """Return the folder of real reports, which may not be there."""
    return Path(os.environ.get("FUNDFLOWS_REAL") or PROJECT.parent / "shared" / "real")


def arrivals(real: Path, samples: Path) -> Iterator[Arrival]:
    """Yield what arrives, in the list's order; `samples` is the folder of the sample reports.

    Raises:
        FileNotFoundError: with what is listed and not there.
    """
    with LISTED.open(encoding="utf-8", newline="") as listed:
        for row in csv.DictReader(listed):
            home = {"real": real, "samples": samples}[row["folder"]]
            files = tuple(sorted(home.glob(row["files"])))
            if not files:
                raise FileNotFoundError(f"{home / row['files']}, listed in {LISTED.name}")
            yield Arrival(row["source"], files, row["received"])


def fingerprint(real: Path) -> str:
    """Return what tells two states of the real reports, and of the list of them, apart."""
    digest = hashlib.sha256(LISTED.read_bytes())
    with LISTED.open(encoding="utf-8", newline="") as listed:
        patterns = [row["files"] for row in csv.DictReader(listed) if row["folder"] == "real"]
    for file in (file for pattern in patterns for file in sorted(real.glob(pattern))):
        digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:8]
