"""What runs by itself, run by Dagster's daemon: bursts of files, builds that queue.

Parts of it, evaluated one by one without a daemon, are in test_automation.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dagster as dg
import golden
import pytest
from dagster._core.scheduler.instigation import TickStatus
from test_automation import HEADER, fridays, printed, tables_of
from world import PATIENCE, World, definitions

from pipelines.components.automation import SOURCE

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Served:
    """A world with its UI and daemon at work on it, which does by itself what it can."""

    world: World
    port: int
    instance: dg.DagsterInstance

    def runs_but(self, before: Collection[str]) -> list[dg.DagsterRun]:
        """Return the runs that have come since."""
        return [run for run in self.instance.get_runs() if run.run_id not in before]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Start it once, as `fundflows ui` does: that takes longer than what each test asks of it."""
    world = World(tmp_path_factory.mktemp("daemon") / "warehouse")
    with world.instance() as instance, ui_of(world, FUNDFLOWS_AUTOMATE="1") as port:
        yield Served(world, port, instance)


@contextlib.contextmanager
def ui_of(world: World, **environment: str) -> Iterator[int]:
    """Run the UI with its daemon over a world; the port is given."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("fundflows"), "ui", "--port", str(port)]
    variables = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    variables |= {"FUNDFLOWS_WAREHOUSE": str(world.root), **environment}
    log = world.root.parent / "ui.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, env=variables, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield port
        finally:
            os.killpg(server.pid, signal.SIGINT)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
            print(log.read_text(encoding="utf-8", errors="replace")[-4000:])  # shown on failure


def eventually(is_so: Callable[[], bool]) -> bool:
    """Wait until something is so; return whether it came to be."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.5)
    return False


def has_looked(instance: dg.DagsterInstance, sensor: str, *, since: float) -> bool:
    """Tell whether a sensor has begun a round after a moment, and ended it without an error."""
    ended = {TickStatus.SUCCESS, TickStatus.SKIPPED}
    return any(
        tick.timestamp > since and tick.status in ended
        for state in instance.all_instigator_state()
        if state.instigator_name == sensor
        for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)
    )


def test_the_daemon_makes_a_handful_of_runs_and_one_build_of_500_files(served):
    weeks = fridays(25)
    before = {run.run_id for run in served.instance.get_runs()}
    # Its tables' sensor only sees changes from its first round on.
    assert eventually(lambda: has_looked(served.instance, "tables", since=0))
    for number in range(500):
        source, header = (("farside_sol", HEADER), ("farside_eth", "Date,ETHA,FETH,Total"))[
            number % 2
        ]
        line = f"{printed(weeks[number % 25])},{number}.0,1.0,{number + 1}.0"
        served.world.drop(source, f"{number}.csv", golden.history(header, line))

    def is_done() -> bool:
        runs = served.runs_but(before)
        return any(SOURCE not in run.tags for run in runs) and all(run.is_finished for run in runs)

    assert eventually(is_done)
    ended = time.time()
    for sensor in ("inbox", "tables"):  # in a round more nothing is asked for
        assert eventually(partial(has_looked, served.instance, sensor, since=ended))
    assert is_done()
    runs = served.runs_but(before)
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    of_sources = [run for run in runs if SOURCE in run.tags]
    assert 2 <= len(of_sources) <= 6
    assert 1 <= len(runs) - len(of_sources) <= 3
    flows = "select source, count(distinct week_ending) from mart.flows group by 1 order by 1"
    assert served.world.query(flows) == [("farside_eth", 25), ("farside_sol", 25)]


def test_builds_of_the_database_queue_where_people_see_it(served):
    from dagster_graphql import DagsterGraphQLClient

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/server_info"):
                return True
        except OSError:
            return False

    assert eventually(answers)
    client = DagsterGraphQLClient("127.0.0.1", port_number=served.port)
    keys = tables_of(definitions())
    asked = [client.submit_job_execution("__ASSET_JOB", asset_selection=keys) for _ in "12"]
    seen: list[tuple[str, ...]] = []

    def are_done() -> bool:
        runs = [served.instance.get_run_by_id(each) for each in asked]
        seen.append(tuple(sorted(run.status.value for run in runs if run)))
        return seen[-1] == ("SUCCESS",) * 2

    assert eventually(are_done)
    busy = {"STARTING", "STARTED"}
    assert max(sum(status in busy for status in each) for each in seen) == 1
    assert any("QUEUED" in each and "STARTED" in each for each in seen)
