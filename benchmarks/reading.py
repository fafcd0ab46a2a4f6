"""Reading reports: small workbooks, and one of 200,000 rows, beside openpyxl alone.

    python -m benchmarks.reading [ROWS]

Ours finds the tables, renders each number as it is printed, makes observations with their cells
and checks them; openpyxl alone returns the cells.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import resource
import sys
import time
from collections.abc import Callable, Sequence

import openpyxl

from benchmarks.world import FIRST, table, weeks_from, workbook
from pipelines.checking.check import check
from pipelines.ingest.sources import sources
from pipelines.layouts.source import Source, parse_source
from pipelines.reading.reader import read_report
from pipelines.report import Report

SMALL = 50
RECEIVED = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)


def small() -> Source:
    """Return the source of the weekly workbooks, valid for the generated weeks."""
    source = sources()["coinshares"]
    (declared,) = source.layouts
    valid = declared.model_copy(update={"valid_from": FIRST - dt.timedelta(days=6)})
    return source.model_copy(update={"layouts": (valid,)})


def long() -> Source:
    """Return a source with a long list of flows by fund and day."""
    return parse_source(
        "long",
        {
            "title": "Long",
            "publisher": "Nobody",
            "url": "https://example.com",
            "universe": "generated",
            "week": {"ends": "friday", "first": "2000-01-07"},
            "layouts": [
                {
                    "name": "list",
                    "container": "xlsx",
                    "valid_from": "2000-01-01",
                    "tables": [
                        {
                            "name": "flows",
                            "header": ["Date", "Ticker", "Flow"],
                            "totals": "none",
                            "columns": {
                                "Date": {"key": "date", "formats": ["%Y-%m-%d"]},
                                "Ticker": {"key": "label"},
                                "Flow": {"measure": "net_flow", "unit": "US$m", "period": "day"},
                            },
                        }
                    ],
                }
            ],
        },
        "long/defs.yaml",
    )


def long_workbook(rows: int) -> bytes:
    """Return one sheet of so many rows."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Flows")
    sheet.append(["Date", "Ticker", "Flow"])
    for number in range(rows):
        day = dt.date(2001, 1, 1) + dt.timedelta(days=number // 40)
        sheet.append([day.isoformat(), f"F{number % 40}", (number * 7919 % 20001 - 10000) / 10])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def ours(source: Source, contents: Sequence[bytes]) -> int:
    """Read and check reports; return the observations that were admitted."""
    readings = []
    for content in contents:
        name = hashlib.sha256(content).hexdigest()
        readings.append(
            read_report(source, Report(source.name, name, f"{name}.xlsx", RECEIVED), content)
        )
    return check(readings).observations.height


def openpyxl_alone(contents: Sequence[bytes]) -> int:
    """Hand over all cells."""
    return sum(
        len(row)
        for content in contents
        for sheet in openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        for row in sheet.iter_rows(values_only=True)
    )


def timed(action: Callable[[], int]) -> tuple[float, int]:
    """Return the seconds of an action, and what it counted."""
    started = time.perf_counter()
    counted = action()
    return time.perf_counter() - started, counted


def main(rows: int = 200_000) -> None:
    """Print the table."""
    books = [workbook(week, 0) for week in weeks_from(FIRST, SMALL)]
    ours(small(), books[:2])
    least, _ = timed(lambda: openpyxl_alone(books))
    mine, counted = timed(lambda: ours(small(), books))
    big = [long_workbook(rows)]
    least_big, _ = timed(lambda: openpyxl_alone(big))
    mine_big, counted_big = timed(lambda: ours(long(), big))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table(
        "Reading and checking workbooks",
        ("", "ours, s", "openpyxl alone, s", "ratio", "observations", "peak MiB"),
        [
            (f"{SMALL} small workbooks, a workbook", f"{mine / SMALL:.4f}", f"{least / SMALL:.4f}",
             f"{mine / least:.1f}", f"{counted:,}", ""),
            (f"one of {rows:,} rows", f"{mine_big:.1f}", f"{least_big:.1f}",
             f"{mine_big / least_big:.1f}", f"{counted_big:,}", f"{peak:.0f}"),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
