"""Archive the sample reports, each from when it could be known. Nothing is read or built here."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

from pipelines.store import archive
from pipelines.store.paths import Warehouse

REPORTS = Path(__file__).parent / "reports"


def add_samples(warehouse: Warehouse) -> int:
    """Archive all sample reports; return how many were new."""
    with (REPORTS / "received.csv").open(encoding="utf-8", newline="") as listed:
        rows = list(csv.DictReader(listed))
    added = [
        archive.add(
            warehouse,
            row["source"],
            REPORTS / row["source"] / row["file"],
            published=dt.datetime.fromisoformat(row["published"]),
            received=dt.datetime.fromisoformat(row["received"]),
        )
        for row in rows
    ]
    return sum(each.is_new for each in added)


if __name__ == "__main__":
    home = Warehouse.default()
    print(f"samples: {add_samples(home)} new reports archived in {home.root}")
