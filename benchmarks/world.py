"""What all benchmarks share: generated sources and reports, a project of its own, and measuring.

A world is a copy of the project in a temporary folder, with as many sources as a benchmark asks
for, made from three of the project's own families: a workbook per week, a page of days, and a NAV
history per fund. Figures are made up, add up, and are the same in each run.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import openpyxl
import yaml

from pipelines.store import archive
from pipelines.store.paths import PROJECT, Warehouse

FIRST = dt.date(2016, 1, 8)
FAMILIES = {"weekly": "coinshares", "daily": "farside_btc", "nav": "canary"}
FUNDS = ("IBIT", "FBTC", "BITB", "ARKB", "BTCO", "EZBC", "BRRR", "HODL", "BTCW", "GBTC", "BTC")
MEMBERS = 12
MAIN = "from pipelines.cli.main import main; main()"


def weeks_from(first: dt.date, count: int) -> list[dt.date]:
    """Return so many week-ending dates."""
    return [first + dt.timedelta(weeks=number) for number in range(count)]


# -- reports --------------------------------------------------------------------------------------


@cache
def labels(dimension: str) -> tuple[str, ...]:
    """Return labels that the reference tables know, one per member."""
    with (PROJECT / "sql/reference/alias.csv").open(encoding="utf-8", newline="") as listed:
        rows = [row for row in csv.DictReader(listed) if row["dimension"] == dimension]
    return tuple({row["member"]: row["label"] for row in rows if not row["valid_to"]}.values())


def workbook(week: dt.date, seed: int) -> bytes:
    """Return a weekly workbook: three tables by asset, provider and country, which add up."""
    figures = random.Random(f"{week}{seed}")
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, key, dimension in (
        ("By asset", "Asset", "asset"),
        ("By provider", "Provider", "issuer"),
        ("By exchange country", "Exchange country", "country"),
    ):
        sheet = book.create_sheet(name)
        sheet.append(["Data as of", week.isoformat()])
        sheet.append(["Published", (week + dt.timedelta(days=3)).isoformat()])
        sheet.append(["Rows", "as quoted"])
        sheet.append([])
        sheet.append([key, "Week flow", "MTD flow", "YTD flow", "AUM"])
        rows = [
            [figures.randrange(-9999, 9999), *(figures.randrange(99999) for _ in range(3))]
            for _ in range(MEMBERS)
        ]
        for label, row in zip(labels(dimension), rows, strict=False):
            sheet.append([label, *(value / 10 for value in row)])
        sheet.append(["Total", *(sum(column) / 10 for column in zip(*rows, strict=True))])
        for line in sheet.iter_rows(min_row=6, min_col=2):
            for cell in line:
                cell.number_format = "#,##0.0"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def csv_of(rows: Sequence[Sequence[object]]) -> bytes:
    """Return a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def days_of(weeks: Sequence[dt.date]) -> Iterator[dt.date]:
    """Return the five days of each week."""
    return (week - dt.timedelta(days=back) for week in weeks for back in range(4, -1, -1))


def daily(weeks: Sequence[dt.date], seed: int) -> bytes:
    """Return a history of daily flows, one column per fund."""
    figures = random.Random(seed)
    rows: list[list[object]] = [["Date", *FUNDS, "Total"]]
    for day in days_of(weeks):
        flows = [figures.randrange(-2000, 2500) for _ in FUNDS]
        rows.append([f"{day:%d %b %Y}", *(f / 10 for f in flows), sum(flows) / 10])
    return csv_of(rows)


def nav(weeks: Sequence[dt.date], seed: int) -> bytes:
    """Return the NAV history of a fund."""
    figures = random.Random(seed)
    shares, cents = 1_000_000, 2500
    rows: list[list[object]] = [["date", "shares_outstanding", "nav", "net_assets"]]
    for day in days_of(weeks):
        shares = max(10_000, shares + 5000 * figures.randrange(-4, 6))
        cents = max(500, cents + figures.randrange(-60, 62))
        rows.append([day, shares, f"{cents / 100:.2f}", f"{shares * cents / 100:.2f}"])
    return csv_of(rows)


def reports(family: str, weeks: Sequence[dt.date], seed: int) -> Iterator[tuple[str, bytes]]:
    """Return the reports of a source by file name: one per week, one, or one per fund."""
    if family == "weekly":
        yield from ((f"report_{week}.xlsx", workbook(week, seed)) for week in weeks)
    elif family == "daily":
        yield "history.csv", daily(weeks, seed)
    else:
        yield from ((f"{fund}.csv", nav(weeks, number)) for number, fund in enumerate(FUNDS[:5]))


# -- a project of its own -------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """What a process took: seconds on the clock and of the processors, and its peak memory."""

    seconds: float
    cpu: float
    peak_mib: float


@dataclass(frozen=True)
class World:
    """A copy of the project with generated sources, and its warehouse."""

    root: Path

    @property
    def warehouse(self) -> Warehouse:
        """Its data."""
        return Warehouse(self.root / "warehouse")

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes."""
        return {
            **{name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"},
            "PYTHONPATH": str(self.root),
            "FUNDFLOWS_WAREHOUSE": str(self.warehouse.root),
        }

    def add(self, source: str, name: str, content: bytes, received: dt.datetime) -> None:
        """Archive a report."""
        file = self.root / "arriving" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        archive.add(self.warehouse, source, file, received=received)

    def add_weeks(self, source: str, family: str, weeks: Sequence[dt.date], seed: int = 0) -> None:
        """Archive the generated reports of a source for some weeks."""
        received = dt.datetime.combine(weeks[-1], dt.time(20), dt.UTC) + dt.timedelta(days=3)
        for name, content in reports(family, weeks, seed):
            self.add(source, name, content, received)

    def run(self, *arguments: str) -> Ran:
        """Run the command in a process of its own, and measure the whole of it."""
        return measured([sys.executable, "-c", MAIN, *arguments], self.environment, self.root)


@contextmanager
def project() -> Iterator[World]:
    """Copy the project into a folder of its own, and remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="fundflows-bench-") as folder:
        root = Path(folder)
        for name in ("pipelines", "schemas", "sql"):
            shutil.copytree(PROJECT / name, root / name)
        for name in ("pyproject.toml", "dagster.yaml"):
            shutil.copy(PROJECT / name, root / name)
        yield World(root)


@contextmanager
def world(sources: dict[str, str]) -> Iterator[World]:
    """Make a project with sources of the given families instead of its own."""
    with project() as made:
        shutil.rmtree(made.root / "pipelines/defs/sources")
        for name, family in sources.items():
            file = made.root / "pipelines/defs/sources" / name / "defs.yaml"
            file.parent.mkdir(parents=True)
            file.write_text(_declared(FAMILIES[family]), encoding="utf-8")
        yield made


def _declared(source: str) -> str:
    """Return the file of a source, valid from the first generated week."""
    file = PROJECT / "pipelines/defs/sources" / source / "defs.yaml"
    declared = yaml.safe_load(file.read_text(encoding="utf-8"))
    declared["attributes"]["week"]["first"] = FIRST
    for layout in declared["attributes"]["layouts"]:
        layout["valid_from"] = FIRST - dt.timedelta(days=6)
        for table in layout["tables"]:
            table.pop("inception", None)
    return yaml.safe_dump(declared, sort_keys=False)


# -- measuring ------------------------------------------------------------------------------------


def measured(command: Sequence[str], environment: dict[str, str], folder: Path) -> Ran:
    """Run a process to its end; its output is shown only if it fails."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise SystemExit(output.read().decode()[-4000:])
    return Ran(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def machine() -> str:
    """Return the machine and the versions that a table is about."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    names = ("dagster", "duckdb", "polars", "pandera", "openpyxl")
    return (
        f"{os.cpu_count()} cores of {cpu}, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f}; Python "
        f"{platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in names)
    )


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table that can be pasted into a page."""
    print(f"\n**{title}** ({dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC; {machine()})\n")
    print("| " + " | ".join(head) + " |")
    print("| --- |" + " ---: |" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)
