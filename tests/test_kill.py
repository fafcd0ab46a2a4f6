"""Killing `fundflows run` at any moment loses nothing, shows nothing half done, and heals itself.

A run in a process of its own is watched through the files that it writes, and killed by SIGKILL
when it reaches a given moment. What it left behind is looked at; then the command runs again on
that, and is killed at the next moment. What is left alone in the end must come to the same tables
as a run that nobody disturbed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path

import dagster as dg
import duckdb
import golden
import polars as pl
import pytest
from world import PATIENCE, SAMPLES, World, definitions, different, files_under

from pipelines.cli import execution

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
# Through `world`, so that the event log skips fsync here too: a kill is no power cut.
PROGRAM = "import world; from pipelines.cli.main import main; main()"
SIDE_BY_SIDE = f"from pipelines.cli import execution; execution._MANY = 1; {PROGRAM}"
OPEN = {
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.QUEUED,
}
Moment = Callable[[Path], bool]


def files(pattern: str, number: int) -> Moment:
    """Return the moment at which so many files are there."""
    return lambda root: len(list(root.glob(pattern))) >= number


def there_for(pattern: str, seconds: float) -> Moment:
    """Return the moment at which a file that was not there at first has been there for so long."""
    old: set[Path] = set()
    looks = count()

    def reached(root: Path) -> bool:
        if next(looks) == 0:
            old.update(root.glob(pattern))
        try:
            ages = [time.time() - each.stat().st_ctime for each in set(root.glob(pattern)) - old]
        except FileNotFoundError:  # renamed or deleted meanwhile
            return False
        return max(ages, default=-1) > seconds

    return reached


PARTIAL = ".fundflows.duckdb.*.partial"
SOURCES = ("canary", "farside_btc")
WEEKS = 28
FIRST: dict[str, Moment] = {
    "a report is in the index": files("index/*.parquet", 1),
    "a run is open": files("dagster/history/runs/*-*.db", 1),
    "the first week is written": files("weeks/*/*.parquet", 1),
    "some weeks are written": files("outcomes/*/*.parquet", WEEKS // 2),
    "all weeks are written": files("outcomes/*/*.parquet", WEEKS),
    "the database is half built": there_for(PARTIAL, 0.3),
    "the database is published": files("fundflows.duckdb", 1),
}
AGAIN: dict[str, Moment] = {
    "the new week is written": files("weeks/*/2026-02-06.parquet", 1),
    "the new database is begun": there_for(PARTIAL, 0),
    "the new database is half built": there_for(PARTIAL, 0.3),
}


def killed_at(world: World, moment: Moment, program: str = PROGRAM) -> int:
    """Run the command until a moment, kill it, and return its exit code."""
    assert not moment(world.root), "the moment has come before the command was started"
    process = started(world, program)
    deadline = time.monotonic() + PATIENCE
    try:
        while process.poll() is None and not moment(world.root):
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)
    finally:
        process.kill()
    return process.wait()


def started(world: World, program: str = PROGRAM) -> subprocess.Popen[bytes]:
    """Start the command in a process, and group of processes, of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    environment["FUNDFLOWS_WAREHOUSE"] = str(world.root)
    environment["PYTHONPATH"] = str(HERE.parent)
    return subprocess.Popen(
        [sys.executable, "-c", program, "run"],
        cwd=HERE,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def copied(world: World, root: Path) -> World:
    copy = World(root)
    shutil.copytree(world.root, copy.root)
    return copy


NEWER = (SAMPLES / "canary" / "HBR.csv").read_bytes() + b"2026-02-06,1000000.0,10.0,10000000.0\n"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> World:
    """Reports of two sources, archived and not read."""
    world = World(tmp_path_factory.mktemp("fresh") / "warehouse")
    for file in reports():
        source = file.parent.name
        world.add(source, file.name, file.read_bytes(), received="2026-02-01T12:00Z")
    return world


def reports() -> list[Path]:
    return sorted(each for name in SOURCES for each in (SAMPLES / name).glob("*.*"))


@pytest.fixture(scope="module")
def done(fresh, tmp_path_factory) -> World:
    """The same after a run that nobody disturbed."""
    world = copied(fresh, tmp_path_factory.mktemp("done") / "warehouse")
    run = world.run()
    assert run.code == 0
    assert f"{WEEKS} weeks read" in run.text
    return world


@pytest.fixture(scope="module")
def newer(done, tmp_path_factory) -> World:
    """The same with one report more, which has not been read."""
    world = copied(done, tmp_path_factory.mktemp("newer") / "warehouse")
    world.add("canary", "HBR.csv", NEWER, received="2026-02-07T12:00Z")
    return world


def runs_of(world: World) -> list[dg.DagsterRunStatus]:
    with world.instance() as instance:
        return [run.status for run in instance.get_runs()]


def assert_nothing_is_half_done(world: World, archive: dict[str, bytes]) -> None:
    """Every file with a name of its own is whole; what was being written has another name."""
    for file in world.root.glob("*/*/*.parquet"):
        pl.read_parquet(file, glob=False)
    for file in world.root.glob("index/*.parquet"):
        pl.read_parquet(file, glob=False)
    assert files_under(world.root / "archive") == archive


def assert_healed(world: World, undisturbed: World) -> None:
    said = world.run()
    assert said.code == 0, said.text
    assert different(world.database, undisturbed.database) == set()
    for kind in ("weeks", "outcomes"):
        kept = {
            name: content
            for name, content in files_under(world.root / kind).items()
            if not name.endswith(".partial")
        }
        assert kept == files_under(undisturbed.root / kind)
    assert "Nothing is new" in world.run().text
    assert list(world.root.glob(f"{PARTIAL}*")) == []


def test_a_first_run_that_is_killed_again_and_again_is_completed_by_the_next(fresh, done, tmp_path):
    world = copied(fresh, tmp_path / "warehouse")
    for name, moment in FIRST.items():
        code = killed_at(world, moment)
        assert code == -signal.SIGKILL, f"the run ended with {code} before {name!r}"
        assert_nothing_is_half_done(world, files_under(fresh.root / "archive"))
        if world.database.exists():
            assert different(world.database, done.database) == set(), name
    assert_healed(world, done)
    # None is open for ever, and what was written before a kill is not missing in the UI for ever.
    assert [status for status in runs_of(world) if status in OPEN] == []
    assert dg.DagsterRunStatus.FAILURE in runs_of(world)
    assert shown(world) == shown(done)


def test_a_later_run_that_is_killed_again_and_again_leaves_the_published_database(
    newer, done, tmp_path
):
    world = copied(newer, tmp_path / "warehouse")
    for name, moment in AGAIN.items():
        code = killed_at(world, moment)
        assert code == -signal.SIGKILL, f"the run ended with {code} before {name!r}"
        assert_nothing_is_half_done(world, files_under(newer.root / "archive"))
        assert world.database.read_bytes() == done.database.read_bytes()
        with closing(duckdb.connect(str(world.database), read_only=True)) as connection:
            assert connection.execute("select count(*) > 100 from mart.flows").fetchone() == (True,)
    undisturbed = copied(newer, tmp_path / "undisturbed" / "warehouse")
    assert undisturbed.run().code == 0
    assert undisturbed.one("select count(*) from mart.flows where week_ending = '2026-02-06'") > 0
    assert_healed(world, undisturbed)


def shown(world: World) -> dict[str, set[str]]:
    """Return the tables and weeks that the instance knows to be materialized, by asset."""
    with world.instance() as instance:
        return {
            key.to_user_string(): set(instance.get_materialized_partitions(key))
            for key in definitions().resolve_asset_graph().get_all_asset_keys()
            if instance.get_latest_materialization_event(key)
        }


def test_a_sweep_of_the_inbox_that_is_killed_loses_no_report(tmp_path):
    world = World(tmp_path / "warehouse")
    for file in reports():
        world.drop(file.parent.name, file.name, file.read_bytes())
    code = killed_at(world, files("archive/*/*.json", 1))
    assert code == -signal.SIGKILL
    kept = files_under(world.root / "archive") | files_under(world.root / "inbox")
    assert {file.read_bytes() for file in reports()} <= set(kept.values())
    assert world.run().code == 0
    assert world.one("select count(*) from core.report where error is null") == len(reports())
    assert not any(file.is_file() for file in (world.root / "inbox").rglob("*"))


# -- sources side by side, as with many new reports ------------------------------------------------


def test_sources_side_by_side_come_to_the_same_tables(fresh, done, tmp_path, monkeypatch):
    world = copied(fresh, tmp_path / "warehouse")
    monkeypatch.setattr(execution, "_MANY", 1)
    said = world.run()
    assert said.code == 0, said.text
    assert f"{WEEKS} weeks read" in said.text
    assert different(world.database, done.database) == set()
    assert files_under(world.root / "weeks") == files_under(done.root / "weeks")
    assert shown(world) == shown(done)


def test_a_refused_week_of_many_is_reported_like_one_of_few(tmp_path, monkeypatch):
    said = []
    for name, many in (("few", 1_000), ("many", 1)):
        world = World(tmp_path / name / "warehouse")
        world.add("farside_btc", "btc.html", golden.FARSIDE_PAGE)
        broken = NEWER.replace(b"1000000.0,10.0,10000000.0", b"n/m,n/m,n/m")
        world.add("canary", "HBR.csv", broken, received="2026-02-07T12:00Z")
        monkeypatch.setattr(execution, "_MANY", many)
        said.append(world.run())
    few, many = said
    assert few.code == many.code == 1
    refused = r"week refused: .*?: 3 refused \(.*?\)"
    assert re.findall(refused, few.text) == re.findall(refused, many.text) != []


def test_processes_side_by_side_end_with_the_one_that_started_them(fresh, done, tmp_path):
    world = copied(fresh, tmp_path / "warehouse")
    begun = files("running/*.json", 1)
    code = killed_at(world, lambda root: begun(root) and FIRST["some weeks are written"](root),
                     SIDE_BY_SIDE)  # fmt: skip
    assert code == -signal.SIGKILL
    children = {
        json.loads(each.read_text(encoding="utf-8"))["process"]
        for each in world.root.glob("running/*")
    }
    deadline = time.monotonic() + PATIENCE
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline, "a process outlives the run"
        time.sleep(0.05)
    assert_healed(world, done)


def test_processes_side_by_side_end_when_a_person_interrupts_them(fresh, done, tmp_path):
    world = copied(fresh, tmp_path / "warehouse")
    process = started(world, SIDE_BY_SIDE)
    moment = FIRST["the first week is written"]
    while process.poll() is None and not moment(world.root):
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=PATIENCE) != 0
    assert_healed(world, done)


def test_a_process_that_is_killed_beside_others_is_told_and_made_up_for(
    fresh, done, tmp_path, monkeypatch
):
    world = copied(fresh, tmp_path / "warehouse")
    monkeypatch.setattr(execution, "_MANY", 1)

    def kill_a_child() -> None:
        while not files("outcomes/*/*.parquet", 1)(world.root):
            time.sleep(0.005)
        begun = next(world.root.glob("running/*.json"))
        os.kill(json.loads(begun.read_text(encoding="utf-8"))["process"], signal.SIGKILL)

    with ThreadPoolExecutor(1) as beside:
        killing = beside.submit(kill_a_child)
        said = world.run()
        killing.result(timeout=PATIENCE)
    assert said.code == 1
    assert "A process that read reports was killed" in said.text
    assert "Traceback" not in said.text
    assert not world.database.exists()
    monkeypatch.undo()
    assert_healed(world, done)
