"""Archive the sample reports, each from when it could be known. Nothing is read or built here."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import NamedTuple

from pipelines.store import archive
from pipelines.store.paths import Warehouse

REPORTS = Path(__file__).parent / "reports"


class Sample(NamedTuple):
    """A sample report, and when it could be known."""

    source: str
    file: Path
    published: dt.datetime
    received: dt.datetime


def received() -> list[Sample]:
    """Return all sample reports."""
    with (REPORTS / "received.csv").open(encoding="utf-8", newline="") as listed:
        return [
            Sample(
                row["source"],
                REPORTS / row["source"] / row["file"],
                dt.datetime.fromisoformat(row["published"]),
                dt.datetime.fromisoformat(row["received"]),
            )
            for row in csv.DictReader(listed)
        ]


def add_samples(warehouse: Warehouse) -> int:
    """Archive all sample reports; return how many were new."""
    added = [
        archive.add(
            warehouse, each.source, each.file, published=each.published, received=each.received
        )
        for each in received()
    ]
    return sum(each.is_new for each in added)


if __name__ == "__main__":
    home = Warehouse.default()
    print(f"samples: {add_samples(home)} new reports archived in {home.root}")
