"""What many vintages of one page cost: bytes beside the changes, and the time of one more.

A page of 670 sessions and 11 funds is seen again and again; each time three of its cells have
changed, mostly in the newest rows. Run `python -m benchmarks.vintages [vintages]`.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb

from pipelines.ingest.sources import sources
from pipelines.store import archive
from pipelines.store.paths import Warehouse
from tests import steps

FUNDS = ("IBIT", "FBTC", "BITB", "ARKB", "BTCO", "EZBC", "BRRR", "HODL", "BTCW", "GBTC", "MSBT")
SESSIONS = 670
CHANGES = 3
DERIVED = ("weeks", "outcomes", "quarantine", "index")
FIRST_SESSION = dt.date(2024, 1, 11)
FIRST_SEEN = dt.datetime(2026, 8, 15, tzinfo=dt.UTC)


def sessions() -> list[dt.date]:
    """Return the weekdays of the page, oldest first."""
    days = (FIRST_SESSION + dt.timedelta(days=count) for count in range(SESSIONS * 2))
    return [day for day in days if day.weekday() < 5][:SESSIONS]


def pages(seed: int = 1) -> Iterator[bytes]:
    """Yield the page as it was seen: each time `CHANGES` cells differ from the time before."""
    chance = random.Random(seed)
    days = sessions()
    flows = [[chance.randint(-3000, 3000) for _ in FUNDS] for _ in days]
    while True:
        lines = [",".join(["Date", *FUNDS, "Total"])]
        for day, row in zip(days, flows, strict=True):
            cells = [f"{flow / 10:.1f}" for flow in [*row, sum(row)]]
            lines.append(",".join([f"{day:%d %b %Y}", *cells]))
        yield "\n".join([*lines, ""]).encode()
        for _ in range(CHANGES):
            back = min(int(chance.expovariate(1 / 3)), SESSIONS - 1)
            row = flows[-1 - back]
            row[chance.randrange(len(FUNDS))] = chance.randint(-3000, 3000)


def size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def changes(warehouse: Warehouse, file: Path) -> tuple[int, int]:
    """Return the rows of the history, and the bytes of the later vintages' rows in one file."""
    with closing(duckdb.connect(str(warehouse.database), read_only=True)) as connection:
        ((rows,),) = connection.execute("select count(*) from core.observation_history").fetchall()
        connection.execute(
            "copy (from core.observation_history where known_at > "
            f"(select min(known_at) from core.observation_history)) to '{file}' "
            "(compression zstd)"
        )
    return rows, file.stat().st_size


def main(count: int) -> None:
    """Archive the pages, and measure after 10, 100, ... of them."""
    source = sources()["farside_btc"]
    marks = [mark for mark in (1, 10, 100, 1000, 10_000) if mark <= count]
    seen = pages()
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "warehouse")
        page = Path(folder) / "btc.csv"

        def arrive(number: int) -> None:
            page.write_bytes(next(seen))
            received = FIRST_SEEN + dt.timedelta(hours=number)
            archive.add(warehouse, source.name, page, received=received)

        def read() -> None:
            steps.ingest(warehouse, source, steps.due(warehouse, source))

        number, base, base_rows = 0, 0, 0
        print("| vintages | archive, MB | weeks and index, MB | bytes a vintage more | of its rows"
              " alone | one more: read, s | publish, s |")  # fmt: skip
        print("|---|---|---|---|---|---|---|")
        for mark in marks:
            while number < mark:
                arrive(number)
                number += 1
            read()
            kept = sum(size(warehouse.root / kind) for kind in DERIVED)
            steps.publish(warehouse, [source])
            rows, alone = changes(warehouse, Path(folder) / "changes.parquet")
            base, base_rows = base or kept, base_rows or rows
            times = []
            for _ in range(3):
                arrive(number)
                number += 1
                started = time.perf_counter()
                read()
                middle = time.perf_counter()
                steps.publish(warehouse, [source])
                times.append((middle - started, time.perf_counter() - middle))
            reading, publishing = (sorted(each)[1] for each in zip(*times, strict=True))
            more = max(mark - 1, 1)
            print(
                f"| {mark} | {size(warehouse.root / 'archive') / 1e6:.2f} | {kept / 1e6:.2f} "
                f"| {(kept - base) / more:,.0f} "
                f"| {alone / more:,.0f} ({(rows - base_rows) / more:.1f} rows) "
                f"| {reading:.2f} | {publishing:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
