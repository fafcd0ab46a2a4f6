"""A backfill of 260 weeks launched through GraphQL: ours, the common pattern, and the floor.

    python -m benchmarks.backfill [WEEKS] [WEEKS_OF_THE_COMMON_PATTERN]

Both projects are served by `dagster dev` (webserver, daemon, code server) and get the same
workbooks. What counts is the time in which a run is going on; what the daemon waits before the
first run, and between the weeks and the tables, is listed apart. Ours reads, checks and stores the
weeks, builds all tables, audits and publishes them; the common pattern fills five tables. The
floor is openpyxl reading the cells of all workbooks in one process.
"""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import openpyxl

from benchmarks.world import FIRST, Ran, table, weeks_from, workbook, world
from pipelines.cli.main import prepare_dagster
from pipelines.store.paths import PROJECT, Warehouse

PATIENCE = 1800
QUIET = "telemetry: {enabled: false}\nnux: {enabled: false}\n"
ASSETS = "{ assetNodes { assetKey { path } } }"
LAUNCH = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
STATUS = """
query ($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } }
  }
}
"""
RUNS = """
query ($id: String!) {
  runsOrError(filter: {tags: [{key: "dagster/backfill", value: $id}]}) {
    ... on Runs { results { status startTime endTime } }
  }
}
"""


@dataclass(frozen=True)
class Backfill:
    """How a backfill went: seconds in which a run was going on, and in which none was."""

    weeks: int
    runs: int
    failed: int
    wait: float
    seconds: float

    @property
    def per_week(self) -> float:
        """Seconds a week."""
        return self.seconds / self.weeks


class Server:
    """A `dagster dev` that is asked through GraphQL."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/graphql"

    def ask(self, query: str, **variables: object) -> dict[str, object]:
        """Return the data of a query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            answered = json.load(answer)
        if "errors" in answered:
            raise SystemExit(f"GraphQL: {answered['errors']}")
        return answered["data"]

    def assets(self) -> list[dict[str, object]]:
        """Wait until the code location has been loaded, and return its asset keys."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if nodes := self.ask(ASSETS)["assetNodes"]:
                    return [{"path": node["assetKey"]["path"]} for node in nodes]
            except urllib.error.URLError:
                pass
            time.sleep(0.5)
        raise SystemExit("the webserver did not come up")

    def backfill(self, weeks: Sequence[object]) -> Backfill:
        """Launch a backfill of all assets over the weeks, and wait for its end."""
        keys = self.assets()
        launched = time.time()
        params = {
            "assetSelection": keys,
            "partitionNames": [str(week) for week in weeks],
            "title": "benchmark",
        }
        answered = self.ask(LAUNCH, params=params)["launchPartitionBackfill"]
        if "backfillId" not in answered:
            raise SystemExit(f"the backfill was not launched: {answered}")
        backfill_id, deadline = answered["backfillId"], time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            state = self.ask(STATUS, id=backfill_id)["partitionBackfillOrError"]
            if state["status"] not in ("REQUESTED", "CANCELING", "FAILING"):
                break
            time.sleep(0.5)
        runs = self.ask(RUNS, id=backfill_id)["runsOrError"]["results"]
        if not runs or any(run["endTime"] is None for run in runs):
            raise SystemExit(f"the backfill did not end: {state} {runs}")
        failed = sum(run["status"] != "SUCCESS" for run in runs)
        spans = sorted((run["startTime"], run["endTime"]) for run in runs)
        took, busy = max(end for _, end in spans) - launched, _covered(spans)
        return Backfill(len(weeks), len(runs), failed, took - busy, busy)


def _covered(spans: Sequence[tuple[float, float]]) -> float:
    """Return the seconds in which at least one run was going on."""
    covered, reached = 0.0, 0.0
    for start, end in spans:
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered


@contextmanager
def served(folder: Path, environment: dict[str, str], *arguments: str) -> Iterator[Server]:
    """Serve a project with webserver and daemon, and stop them at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)]
    with (folder / "dagster-dev.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *arguments], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            yield Server(port)
        finally:
            process.terminate()
            process.wait()


def ours(count: int) -> tuple[Backfill, Ran]:
    """Return the backfill through GraphQL, and the same weeks from the shell."""
    weeks = weeks_from(FIRST, count)
    with world({"weekly": "weekly"}) as project:
        project.add_weeks("weekly", "weekly", weeks)
        home = _home(project.warehouse)
        environment = {**project.environment, "DAGSTER_HOME": str(home)}
        with served(project.root, environment) as server:
            done = server.backfill(weeks)
    with world({"weekly": "weekly"}) as project:
        project.add_weeks("weekly", "weekly", weeks)
        return done, project.run("run")


def _home(warehouse: Warehouse) -> Path:
    """Give a world the home that the command would give it."""
    outer = os.environ.pop("DAGSTER_HOME", None)
    try:
        return prepare_dagster(warehouse)
    finally:
        os.environ.pop("DAGSTER_HOME", None)
        if outer is not None:
            os.environ["DAGSTER_HOME"] = outer


def common(count: int) -> Backfill:
    """Return the backfill of the common pattern."""
    weeks = weeks_from(FIRST, count)
    with tempfile.TemporaryDirectory(prefix="common-pattern-") as folder:
        root = Path(folder)
        (root / "dagster.yaml").write_text(QUIET, encoding="utf-8")
        for week in weeks:
            (root / f"report_{week}.xlsx").write_bytes(workbook(week, 0))
        environment = {
            **os.environ,
            "PYTHONPATH": str(PROJECT),
            "DAGSTER_HOME": str(root),
            "COMMON_PATTERN_REPORTS": str(root),
            "COMMON_PATTERN_DATABASE": str(root / "flows.duckdb"),
        }
        module = "benchmarks.common_pattern.definitions"
        with served(root, environment, "-m", module) as server:
            return server.backfill(weeks)


def floor(count: int) -> float:
    """Return the seconds in which openpyxl reads all cells of the workbooks."""
    contents = [workbook(week, 0) for week in weeks_from(FIRST, count)]
    started = time.perf_counter()
    for content in contents:
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        for sheet in book:
            list(sheet.iter_rows(values_only=True))
    return time.perf_counter() - started


def main(count: int = 260, count_common: int = 26) -> None:
    """Print the table."""
    mine, shell = ours(count)
    other = common(count_common)
    least = floor(count) / count
    title = f"A backfill of {count} weeks (common pattern: {count_common})"
    head = ("", "s a week", "runs", "failed", "daemon's wait, s", "ratio to ours", "goal")
    rows = [
        (name, f"{each.per_week:.4f}", each.runs, each.failed, f"{each.wait:.0f}",
         f"{each.per_week / mine.per_week:.1f}", goal)
        for name, each, goal in (
            ("ours, through GraphQL", mine, "0.05 s"),
            ("common pattern with lock retries", other, "150 times ours"),
        )
    ]  # fmt: skip
    rows.append(
        (f"ours, `fundflows run`, whole process {shell.seconds:.1f} s, {shell.peak_mib:.0f} MiB",
         f"{shell.seconds / count:.4f}", "", "", "",
         f"{shell.seconds / count / mine.per_week:.1f}", "5 s, 1024 MiB")
    )  # fmt: skip
    rows.append(
        ("floor: openpyxl alone", f"{least:.4f}", "", "", "", f"{least / mine.per_week:.2f}", "")
    )
    table(title, head, rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
