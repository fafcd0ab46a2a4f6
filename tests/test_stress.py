"""Everything at once: two backfills, a weekly run and two readers that poll.

Five processes work on one warehouse and one Dagster instance. No run and no query may fail, and
in the end the tables are those of a run that had the same reports and nobody beside it.
Each makes as many rounds as it must; with `FUNDFLOWS_STRESS_SECONDS` as many as fit into that.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
from stress import LEAST
from world import PATIENCE, SAMPLES, World, tables

from pipelines.store import archive

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SECONDS = float(os.environ.get("FUNDFLOWS_STRESS_SECONDS", "0"))
READERS = 2
OLDER = (SAMPLES / "canary" / "HBR.csv", SAMPLES / "farside_btc" / "btc.html")
DAY = b"2026-02-%02d,%d.0,10.0,%d0.0\n"


def newer_reports(folder: Path) -> None:
    """Write thirty later vintages of one history, each with a day more or a figure restated."""
    history = (SAMPLES / "canary" / "HBR.csv").read_bytes()
    for number in range(30):
        shares = 1_000_000 + number
        history += DAY % (number % 20 + 2, shares, shares) if number < 20 else b""
        content = (
            history if number < 20 else history.replace(b"1000007.0,10.0", b"%d.0,10.0" % shares)
        )
        file = folder / f"{number:02}" / "canary" / "HBR.csv"
        file.parent.mkdir(parents=True)
        file.write_bytes(content)


def started(world: World, log: Path, *arguments: object) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    environment |= {"FUNDFLOWS_WAREHOUSE": str(world.root), "PYTHONPATH": str(HERE.parent)}
    with log.open("wb") as err:
        return subprocess.Popen(
            [sys.executable, str(HERE / "stress.py"), *map(str, arguments)],
            cwd=HERE,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=err,
        )


def test_backfills_a_weekly_run_and_readers_do_not_disturb_each_other(tmp_path):
    world = World(tmp_path / "warehouse")
    for file in OLDER:
        world.add(file.parent.name, file.name, file.read_bytes(), received="2026-02-01T12:00Z")
    assert world.run().code == 0
    newer_reports(tmp_path / "newer")

    until = time.time() + SECONDS
    parts: dict[str, tuple[object, ...]] = {
        "all weeks": ("backfill", "2025-10-01", "2026-12-31", until),
        "last weeks": ("backfill", "2026-01-01", "2026-12-31", until),
        "weekly": ("weekly", tmp_path / "newer", until),
        **{f"reader {number}": ("reader", tmp_path / "stop") for number in range(READERS)},
    }
    logs = {name: tmp_path / f"{name}.log" for name in parts}
    processes = {name: started(world, logs[name], *part) for name, part in parts.items()}
    said: dict[str, dict[str, int]] = {}
    for name, process in processes.items():
        if name.startswith("reader"):
            (tmp_path / "stop").touch()  # the others, before it, have ended
        try:
            out, _ = process.communicate(timeout=SECONDS + PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(f"{name} did not end: {logs[name].read_text(encoding='utf-8')[-2000:]}")
        lines = out.decode().splitlines()
        assert process.returncode == 0, f"{name}: {logs[name].read_text(encoding='utf-8')[-4000:]}"
        said[name] = json.loads(lines[-1])
    print(json.dumps(said, indent=1))
    failed = {
        name: logs[name].read_text(encoding="utf-8")[-4000:]
        for name, each in said.items()
        if each["failed"]
    }
    assert failed == {}
    assert said["weekly"]["dropped"] >= LEAST
    assert all(said[f"reader {number}"]["builds"] > 1 for number in range(READERS))
    with world.instance() as instance:
        assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}

    assert world.run().code == 0  # what the last runs left, if anything
    serial = World(tmp_path / "serial")
    shutil.copytree(world.root / "archive", serial.root / "archive")
    assert serial.run().code == 0
    assert len(archive.listing(world.warehouse, "canary").reports) > LEAST
    assert tables(world.database) == tables(serial.database)
