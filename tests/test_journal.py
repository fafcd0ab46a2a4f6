"""The journal: what a run that died had started is done again by the next run, once.

How a process comes to die is in test_kill.py and test_kill_random.py; here the entry that it leaves
is written by hand, held or not.
"""

from __future__ import annotations

import datetime as dt
import shutil
from contextlib import ExitStack

import dagster as dg
import golden
import pytest
from world import World, definitions

from pipelines.components.source_checks import report_key
from pipelines.store import journal

pytestmark = pytest.mark.slow

WEEK = dt.date(2026, 1, 16)


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> World:
    """A world in which nothing is due."""
    world = World(tmp_path_factory.mktemp("done") / "warehouse")
    world.add("canary", "HBR.csv", golden.NAV_HISTORY, received="2026-01-31T00:00Z")
    assert world.run().code == 0
    return world


@pytest.fixture
def world(done, tmp_path) -> World:
    copy = World(tmp_path / "warehouse")
    shutil.copytree(done.root, copy.root)
    return copy


class Died(BaseException):
    """The end of a run that could not say what came of it."""


def leave(world: World, run_id: str, what: str, *weeks: dt.date) -> None:
    """Leave what a run leaves that dies."""
    with pytest.raises(Died), journal.entry(world.warehouse, run_id, what, weeks):
        raise Died


def times_shown(world: World, week: dt.date) -> int:
    """Return how often Dagster was told of a week of the source."""
    partitions = dg.AssetRecordsFilter(report_key("canary"), asset_partitions=[week.isoformat()])
    with world.instance() as instance:
        return len(instance.fetch_materializations(partitions, limit=100).records)


def test_weeks_that_a_dead_run_had_started_are_done_once_more_and_only_once(world):
    leave(world, "dead", "canary", WEEK)
    assert times_shown(world, WEEK) == 1
    said = world.run()
    assert said.code == 0
    assert "1 run did not end: what was started is done again" in said.text
    assert "1 week read." in said.text
    assert times_shown(world, WEEK) == 2
    assert "Nothing is new" in world.run().text
    assert times_shown(world, WEEK) == 2


def test_tables_that_a_dead_run_had_started_are_built_and_shown_once_more(world):
    leave(world, "dead", journal.TABLES)
    key = dg.AssetKey(["mart", "flows"])
    with world.instance() as instance:
        before = len(instance.fetch_materializations(key, limit=9).records)
    assert "0 weeks read. Published" in world.run().text
    with world.instance() as instance:
        assert len(instance.fetch_materializations(key, limit=9).records) == before + 1
    assert "Nothing is new" in world.run().text


def test_a_run_that_is_at_work_is_left_alone(world):
    with ExitStack() as running:
        running.enter_context(journal.entry(world.warehouse, "alive", "canary", [WEEK]))
        assert "Nothing is new" in world.run().text
    assert "Nothing is new" in world.run().text
    assert list((world.root / "running").iterdir()) == []


def test_a_run_over_some_weeks_leaves_dead_runs_over_others(world):
    leave(world, "dead", "canary", WEEK, WEEK - dt.timedelta(weeks=1))
    assert "Nothing is new" in world.run("--weeks", WEEK.isoformat()).text
    assert "2 weeks read." in world.run().text


def test_a_dead_run_of_the_ui_is_closed(world):
    job = definitions().resolve_implicit_global_asset_job_def()
    with world.instance() as instance:
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    leave(world, run.run_id, journal.TABLES)
    assert world.run().code == 0
    with world.instance() as instance:
        assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE


def test_what_a_power_cut_took_is_no_error(world):
    leave(world, "dead", "canary", WEEK)
    world.warehouse.running("dead", "canary").write_text("", encoding="utf-8")
    assert "0 weeks read. Published" in world.run().text
    assert "Nothing is new" in world.run().text
