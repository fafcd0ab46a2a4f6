"""SIGKILL at random moments: `fundflows run`, a build of the tables, a daemon, a run that it began.

After each kill every week's files are whole, the published file opens and passes its audit, and the
next `fundflows run` comes to the tables and weeks of a run that nobody disturbed, once.
`FUNDFLOWS_KILLS` is the number of moments of each kind, `FUNDFLOWS_KILLS_SEED` the seed from which
they are drawn (0). If not set there is none: `make soak` sets it, and test_kill has ten moments of
a run and its build that are named. A moment lies anywhere between the first write of a process and
its end, in processor time of an undisturbed one: so a busy machine shifts no moment. `-s` prints
each, and what was begun and not ended.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import steps
from test_kill import (
    HERE,
    OPEN,
    PROGRAM,
    assert_healed,
    assert_nothing_is_half_done,
    copied,
    runs_of,
    shown,
)
from world import PATIENCE, SAMPLES, World, definitions, different, files_under

from pipelines.components.source import partitions_of
from pipelines.database.audit import audit
from pipelines.ingest.sources import sources

MOMENTS = range(int(os.environ.get("FUNDFLOWS_KILLS") or 0))
SEED = os.environ.get("FUNDFLOWS_KILLS_SEED") or "0"
SOURCE = sources()["canary"]
LOCATION = "pipelines.definitions"
BIN = Path(sys.executable).parent
TABLES = "kind:duckdb"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc"),
]
Command = tuple[str | Path, ...]
RUN: Command = (sys.executable, "-c", PROGRAM, "run")
BUILD: Command = (BIN / "dagster", "asset", "materialize", "-m", LOCATION, "--select", TABLES)
DAEMON: Command = (BIN / "dagster-daemon", "run", "-m", LOCATION)


# -- the worlds ------------------------------------------------------------------------------------

BEFORE = (SAMPLES / "canary" / "HBR.csv").read_bytes()


def restated(report: bytes) -> bytes:
    """Return the report with twice the shares on every day, and one day more."""
    header, *days = csv.reader(io.StringIO(report.decode()))
    doubled = [[day, str(2 * float(n)), nav, str(2 * float(aum))] for day, n, nav, aum in days]
    more = ["2026-02-06", "1000000.0", "10.0", "10000000.0"]
    return "\n".join(",".join(row) for row in [header, *doubled, more, []]).encode()


@dataclass(frozen=True)
class Base:
    """A world in which a process has work, and its processor seconds from first write to end."""

    world: World
    command: Command
    begins: Callable[[World], bool]
    lasts: float


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> World:
    """A published world, and a report that restates all of its weeks and has not been read."""
    world = World(tmp_path_factory.mktemp("before") / "warehouse")
    world.add("canary", "HBR.csv", BEFORE, received="2026-01-31T00:00Z")
    assert world.run().code == 0
    world.add("canary", "HBR.csv", restated(BEFORE), received="2026-02-07T00:00Z")
    return world


@pytest.fixture(scope="module")
def after(before, tmp_path_factory) -> World:
    """The same after a run that nobody disturbed."""
    world = copied(before, tmp_path_factory.mktemp("after") / "warehouse")
    assert world.run().code == 0
    assert different(world.database, before.database) != set()
    return world


def surveyed(world: World) -> bool:
    return steps.coverage(world.warehouse, SOURCE).get_column("report_id").n_unique() > 1


def writing(world: World) -> bool:
    return bool(world.warehouse.running_files())


@pytest.fixture(scope="module")
def run(before, tmp_path_factory) -> Base:
    return timed(before, RUN, surveyed, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def build(before, after, tmp_path_factory) -> Base:
    """The weeks are read; the published database is that of before."""
    world = copied(after, tmp_path_factory.mktemp("build") / "warehouse")
    shutil.copy(before.database, world.database)
    return timed(world, BUILD, writing, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def queued(before, tmp_path_factory) -> Base:
    """Two runs wait for a daemon: all weeks of the source, and the tables."""
    world = copied(before, tmp_path_factory.mktemp("queued") / "warehouse")
    keys = partitions_of(SOURCE).get_partition_keys()
    every = definitions().resolve_asset_graph().get_all_asset_keys()
    launch(
        world,
        weeks=parameters([["reports", "canary"]], {"range_start": keys[0], "range_end": keys[-1]}),
        tables=parameters([list(key.path) for key in every if key.path[0] != "reports"], {}),
    )
    return timed(world, DAEMON, writing, tmp_path_factory.mktemp("daemon"))


def parameters(assets: list[list[str]], span: dict[str, str]) -> dict[str, Any]:
    """Return what the UI sends to launch a run."""
    return {
        "selector": {
            "repositoryLocationName": LOCATION,
            "repositoryName": "__repository__",
            "pipelineName": "__ASSET_JOB",
            "assetSelection": [{"path": path} for path in assets],
        },
        "mode": "default",
        "runConfigData": {},
        "executionMetadata": {
            "tags": [
                {"key": f"dagster/asset_partition_{end}", "value": key} for end, key in span.items()
            ]
        },
    }


def launch(world: World, **runs: dict[str, Any]) -> None:
    """Launch runs as the UI does, through GraphQL; they are queued, for no daemon is there."""
    asked = ", ".join(f"${name}: ExecutionParams!" for name in runs)
    launched = " ".join(
        f"{name}: launchPipelineExecution(executionParams: ${name}) {{ __typename }}"
        for name in runs
    )
    text = f"mutation ({asked}) {{ {launched} }}"
    said = subprocess.run(
        [BIN / "dagster-graphql", "-m", LOCATION, "-t", text, "-v", json.dumps(runs)],
        env=environment(world),
        capture_output=True,
        timeout=PATIENCE,
        check=True,
        encoding="utf-8",
    )
    assert said.stdout.count("LaunchRunSuccess") == len(runs), said.stdout


def timed(base: World, command: Command, begins: Callable[[World], bool], folder: Path) -> Base:
    """Measure the command without a kill."""
    world = copied(base, folder / "warehouse")
    served = world.database.stat().st_ino
    spent = []

    def is_over() -> bool:
        spent.append(started.spent())
        return started.is_over() and world.database.stat().st_ino != served

    with Started(world, command) as started:
        started.wait_until(lambda: begins(world))
        begun = started.spent()
        started.wait_until(is_over)
    return Base(base, command, begins, max(spent) - begun)


# -- processes -------------------------------------------------------------------------------------


def environment(world: World) -> dict[str, str]:
    return {
        **os.environ,
        "FUNDFLOWS_WAREHOUSE": str(world.root),
        "DAGSTER_HOME": str(world.warehouse.dagster_home),
        "PYTHONPATH": str(HERE.parent),
    }


class Started:
    """A command at work on a world; at the end all that it has started is killed."""

    def __init__(self, world: World, command: Command) -> None:
        self.world, self.command = world, command

    def __enter__(self) -> Started:
        self.process = subprocess.Popen(
            self.command,
            cwd=HERE,
            env=environment(self.world),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        kill(self.all())
        self.process.wait()

    def all(self) -> list[int]:
        """Return the ids of all processes that work on the world, whoever started them."""
        here = f"FUNDFLOWS_WAREHOUSE={self.world.root}".encode()
        return [pid for pid in pids() if here in said_of(pid, "environ").split(b"\0")]

    def workers(self) -> list[int]:
        """Return the ids of the processes in which a daemon's runs are."""
        return [pid for pid in self.all() if b"spawn_main" in said_of(pid, "cmdline")]

    def is_over(self) -> bool:
        """Tell whether the command has ended; a daemon does not end, but its runs do."""
        if self.command == DAEMON:
            return not self.workers()
        return self.process.poll() is not None

    def spent(self) -> float:
        """Return the processor seconds of the command, or of a daemon's runs, until now."""
        working = self.workers() if self.command == DAEMON else [self.process.pid]
        ticks = [said_of(pid, "stat").rpartition(b")")[2].split()[11:13] for pid in working]
        return sum(int(tick) for each in ticks for tick in each) / os.sysconf("SC_CLK_TCK")

    def wait_until(self, reached: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not reached():
            if time.monotonic() > until:
                pytest.fail(f"{self.command} did not come so far in {PATIENCE} seconds")
            time.sleep(0.02)  # a look at all processes costs a fifth of that


def pids() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def said_of(pid: int, what: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/{what}").read_bytes()
    return b""


def kill(processes: list[int]) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


Victims = Callable[[Started], list[int]]


def the_command(started: Started) -> list[int]:
    """The process that was started, alone."""
    return [started.process.pid] if started.process.poll() is None else []


def everything(started: Started) -> list[int]:
    """The daemon with its code server and its runs, while one is at work."""
    return started.all() if writing(started.world) else []


def a_worker(started: Started) -> list[int]:
    """One of the daemon's runs that is at work."""
    alive = set(started.workers())
    with suppress(FileNotFoundError, ValueError):  # it may end while we look
        files = started.world.warehouse.running_files()
        owners = [json.loads(file.read_text(encoding="utf-8"))["process"] for file in files]
        return [pid for pid in owners if pid in alive][:1]
    return []


# -- a kill ----------------------------------------------------------------------------------------


@pytest.fixture
def killed(tmp_path) -> Iterator[Callable[[Base, Victims, str], Started]]:
    """Start a command, and kill at a random moment; what else it started lives until the end."""
    open_ones: list[Started] = []

    def do(base: Base, victims: Victims, moment: str) -> Started:
        share = random.Random(f"{SEED} {moment}").random()
        for attempt in range(6):
            world = copied(base.world, tmp_path / f"{attempt}" / "warehouse")
            started = Started(world, base.command).__enter__()
            open_ones.append(started)
            started.wait_until(lambda world=world: base.begins(world))
            seconds = base.lasts * share / 2**attempt  # it was over sooner: try earlier
            then = started.spent() + seconds
            started.wait_until(lambda s=started, then=then: s.spent() >= then or s.is_over())
            found = victims(started)
            kill(found)
            if found:
                hit = [each.stem.split(".")[1] for each in world.warehouse.running_files()]
                print(f"\n{moment}: {seconds:.2f} of {base.lasts:.2f} s, in: {sorted(hit)}")
                return started
            started.__exit__()
        return pytest.fail(f"{moment}: it was always over before it was killed")

    yield do
    for started in open_ones:
        started.__exit__()


def assert_serves(world: World) -> None:
    """The published file opens and passes its audit."""
    with closing(duckdb.connect(str(world.database), read_only=True)) as connection:
        connection.execute("set timezone = 'UTC'")  # as in a build
        audit(connection)


def assert_shows_one_of(world: World, *others: World) -> None:
    """The tables are all those of one of the other worlds, never some of each."""
    assert set() in [different(world.database, other.database) for other in others]


def assert_weeks_are_whole(world: World, before: World, after: World) -> None:
    """Every file is that of before or that of after, and a week that is not due is of one piece."""
    assert_nothing_is_half_done(world, files_under(after.root / "archive"))
    files, old, new = (
        {
            f"{kind}/{name}": content
            for kind in ("weeks", "quarantine", "outcomes")
            for name, content in files_under(each.root / kind).items()
            if not name.endswith(".partial")
        }
        for each in (world, before, after)
    )
    assert {name for name in files if files[name] not in (old.get(name), new.get(name))} == set()
    due = {week.isoformat() for week in steps.due(world.warehouse, SOURCE)}
    done = {name for name in old | new if Path(name).stem not in due}
    assert {name for name in done if files.get(name) != new.get(name)} == set()


def assert_is_that_of(after: World, world: World) -> None:
    """The next run makes the same tables and weeks and shows them in the UI; then none is new."""
    assert_healed(world, after)
    found, wanted = shown(world), shown(after)
    assert found.keys() == wanted.keys()
    # A run of the daemon is over all weeks, and shows those without a report too.
    assert {key for key, weeks in wanted.items() if not weeks <= found[key]} == set()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_killed_at_a_random_moment(run, killed, before, after, moment):
    world = killed(run, the_command, f"run {moment}").world
    assert_serves(world)
    assert_shows_one_of(world, before, after)
    assert_weeks_are_whole(world, before, after)
    assert_is_that_of(after, world)
    assert not OPEN.intersection(runs_of(world))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_build_that_is_killed_at_a_random_moment(build, killed, before, after, moment):
    world = killed(build, the_command, f"build {moment}").world
    assert_serves(world)
    assert_shows_one_of(world, before, after)
    assert_weeks_are_whole(world, after, after)
    assert_is_that_of(after, world)


VICTIMS: dict[str, Victims] = {
    "a run of the daemon": a_worker,
    "the daemon, not its runs": the_command,
    "the daemon with its runs": everything,
}


@pytest.mark.parametrize("name", VICTIMS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_daemon_or_its_run_that_is_killed_at_a_random_moment(
    queued, killed, before, after, *, moment, name
):
    started = killed(queued, VICTIMS[name], f"{name} {moment}")
    world = started.world
    assert_serves(world)
    if name == "the daemon with its runs":
        assert_weeks_are_whole(world, before, after)
    else:
        # Beside what still runs; the next run is the one that comes when that has ended.
        assert world.run().code == 0
        started.wait_until(lambda: not started.workers())
        assert_serves(world)
    assert_is_that_of(after, world)
