"""Build and publish as the history grows 1, 4 and 16 times.

    python -m benchmarks.growth [WEEKS] [REPETITIONS]

Five funds' NAV histories, a page of eleven funds, and a workbook per week. The weeks are read once
per size; only the build is timed, in a process of its own: read the weeks' files, run all SQL,
validate every table against its contract, audit, rename.
"""

from __future__ import annotations

import statistics
import sys
from contextlib import closing

import duckdb

from benchmarks.world import FIRST, Ran, measured, table, weeks_from, world

SOURCES = {"weekly": "weekly", "daily": "daily", "nav": "nav"}
BUILD = """
import datetime as dt
import time
from pipelines.database.publish import publish
from pipelines.ingest.plan import plan
from pipelines.ingest.sources import sources
from pipelines.store.paths import Warehouse
warehouse = Warehouse.default()
started = time.perf_counter()
plans = [plan(warehouse, each) for each in sources().values()]
publish(warehouse, plans, now=dt.datetime.now(dt.UTC))
(warehouse.root / "seconds").write_text(str(time.perf_counter() - started))
"""


def built(count: int, repeat: int) -> tuple[float, float, int, int]:
    """Return the seconds of a build, its peak memory, and what it read and wrote."""
    with world(SOURCES) as project:
        for source, family in SOURCES.items():
            project.add_weeks(source, family, weeks_from(FIRST, count))
        project.run("run")
        seconds: list[float] = []
        ran: list[Ran] = []
        for _ in range(repeat):
            ran.append(measured([sys.executable, "-c", BUILD], project.environment, project.root))
            seconds.append(float((project.warehouse.root / "seconds").read_text(encoding="utf-8")))
        with closing(duckdb.connect(str(project.warehouse.database), read_only=True)) as read:
            (rows,) = read.execute("select count(*) from core.observation").fetchall()[0]
        size = project.warehouse.database.stat().st_size
    return statistics.median(seconds), max(each.peak_mib for each in ran), rows, size


def main(count: int = 30, repeat: int = 3) -> None:
    """Print the table."""
    sizes = [(times, *built(times * count, repeat)) for times in (1, 4, 16)]
    one = sizes[0][1]
    table(
        f"Build and publish, {count} weeks of three sources and multiples, medians of {repeat}",
        ("history", "observations", "seconds", "ratio", "peak MiB", "file, MiB", "goal"),
        [
            (f"{times} x", f"{rows:,}", f"{seconds:.2f}", f"{seconds / one:.1f}", f"{peak:.0f}",
             f"{size / 2**20:.1f}", f"ratio up to {times}, 1024 MiB")
            for times, seconds, peak, rows, size in sizes
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
