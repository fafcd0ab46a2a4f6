"""The Dagster UI as a person uses it: pick all weeks of a source, launch, then build the tables.

Everything is clicked in a headless Chromium; GraphQL only tells when runs have ended. Skipped where
Chromium is not installed: it is not needed to run the project.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright import sync_api
from world import PATIENCE, World

from pipelines.cli.main import PROJECT
from pipelines.components.source import partitions_of
from pipelines.ingest.sources import sources

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path: apt install chromium"),
]

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@dataclass(frozen=True)
class Served:
    """A warehouse with the sample reports, and the address at which its UI is served."""

    world: World
    address: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("ui")
    world = World(folder / "warehouse")
    world.add_samples()
    environment = {**os.environ, "FUNDFLOWS_WAREHOUSE": str(world.root)}
    environment.pop("DAGSTER_HOME", None)
    port = _free_port()
    command = [Path(sys.executable).with_name("fundflows"), "ui", "--port", str(port)]
    log = folder / "ui.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as server,
    ):
        try:
            _wait_until_it_answers(server, f"http://127.0.0.1:{port}/server_info")
            yield Served(world, f"http://127.0.0.1:{port}")
        finally:
            _stop(server)
            print(log.read_text(encoding="utf-8", errors="replace")[-6000:])  # shown on failure


@pytest.fixture
def page(served: Served, tmp_path: Path) -> Iterator[Any]:
    """Open a browser; what it showed last is kept as a picture in the folder of the test."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = browser.new_page(
                base_url=served.address, viewport={"width": 1600, "height": 1000}
            )
            page.set_default_timeout(PATIENCE * 1000)
            yield page
            page.screenshot(path=tmp_path / "last.png")
        finally:
            browser.close()


def test_all_weeks_of_a_source_and_the_tables_are_made_in_the_ui(page, served):
    before = len(runs(page))
    weeks = len(partitions_of(sources()["canary"]).get_partition_keys())

    page.goto("/assets/reports/canary")
    page.get_by_role("button", name="Materialize…").click()
    choose_weeks(page, "*", weeks)
    page.get_by_role("button", name="Launch backfill").click()
    shown(page.get_by_text("Created backfill"))
    assert ended(page, before + 1) == ["SUCCESS"] * (before + 1)

    page.goto("/assets/reports/canary?view=partitions")
    shown(page.get_by_text(f"Materialized ({weeks})"))
    shown(page.get_by_text("Missing (0)"))
    page.get_by_placeholder("Filter by name").fill("2025-11-07")
    page.get_by_text("2025-11-07", exact=True).first.click()
    shown(page.get_by_text("HBR.csv", exact=True))

    page.goto("/asset-groups")
    choose_assets(page, "kind:duckdb")
    page.get_by_text("Materialize all", exact=True).click()
    # The other sources have no weeks yet, so Dagster asks whether that is meant.
    confirm = page.get_by_role("button", name="Confirm")
    launched = page.get_by_text("Launched run")
    shown(confirm.or_(launched))
    if confirm.is_visible():
        confirm.click()
    assert ended(page, before + 2) == ["SUCCESS"] * (before + 2)

    page.goto("/assets/mart/aum_change")
    shown(page.get_by_text("Row count"))
    flow = served.world.one(
        """
        select net_flow_usd from mart.aum_change
        where source = 'canary' and week_ending = '2025-11-07'
            and dimension = 'fund' and member = 'hbr-us'
        """
    )
    assert flow == Decimal("26657200.00")


def test_26_weeks_of_three_sources_are_backfilled_in_the_ui(page, served):
    """Weeks with a report and weeks without one: all are green, each by itself."""
    before = len(runs(page))
    first, last = "2025-11-07", "2026-05-01"
    sources = ("farside_btc", "farside_eth", "coinshares")
    for source in sources:
        page.goto(f"/assets/reports/{source}")
        page.get_by_role("button", name="Materialize…").click()
        choose_weeks(page, f"[{first}...{last}]", 26)
        page.get_by_role("button", name="Launch backfill").click()
        shown(page.get_by_text("Created backfill"))
    # One run a backfill, whatever the number of weeks.
    assert ended(page, before + 3) == ["SUCCESS"] * (before + 3)

    for source in sources:
        page.goto(f"/assets/reports/{source}?view=partitions")
        shown(page.get_by_text("Materialized (26)"))
        shown(page.get_by_text("Failed (0)"))
    page.get_by_placeholder("Filter by name").fill(last)
    page.get_by_text(last, exact=True).first.click()
    shown(page.get_by_text("no report covers this week"))


def choose_weeks(page: Any, choice: str, count: int) -> None:
    """Type weeks into the dialog, which offers those of the last 90 days until told otherwise."""
    dialog = page.get_by_role("dialog")
    shown(dialog.get_by_text("Latest", exact=True))
    older = dialog.get_by_text("Show all partitions")
    if older.is_visible():
        older.click()
        older.wait_for(state="hidden")
    field = dialog.get_by_role("textbox").first
    field.fill(choice)
    field.press("Enter")
    shown(dialog.get_by_text(re.compile(rf"^{count} partitions$")))


def choose_assets(page: Any, selection: str) -> None:
    """Type a selection into the search field above the asset graph."""
    page.locator(".CodeMirror").first.click()
    page.keyboard.type(selection)
    page.keyboard.press("Enter")


def runs(page: Any) -> list[str]:
    """Return the status of every run."""
    query = "{ runsOrError { ... on Runs { results { status } } } }"
    answer = page.request.post("/graphql", data={"query": query}).json()
    return [run["status"] for run in answer["data"]["runsOrError"]["results"]]


def ended(page: Any, count: int) -> list[str]:
    """Wait until so many runs have ended; return the status of each."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = runs(page)
        if sum(status in ("SUCCESS", "FAILURE", "CANCELED") for status in found) >= count:
            return found
        page.wait_for_timeout(500)
    pytest.fail(f"{count} runs did not end in {PATIENCE} seconds: {found}")


def shown(locator: Any) -> None:
    """Wait until something can be seen."""
    sync_api.expect(locator).to_be_visible(timeout=PATIENCE * 1000)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def _wait_until_it_answers(server: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(address, timeout=5),
        ):
            return
        time.sleep(0.2)
    pytest.fail(f"the UI did not answer at {address} in {PATIENCE} seconds")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the UI with its daemon, code server and runs: all are in its process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
        until = time.monotonic() + 15
        while time.monotonic() < until:
            server.poll()  # reaps it, else the group would live on as a zombie
            os.killpg(server.pid, 0)
            time.sleep(0.1)
        os.killpg(server.pid, signal.SIGKILL)
