"""What runs by itself: files that arrive, weeks that end, weeks that are late, runs that fail.

Sensors and schedules are evaluated as the daemon does it, on an instance in a folder of the test,
and the runs that they ask for are executed. The daemon itself runs in test_daemon.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import json
import os
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import golden
import pytest
import steps
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from world import PATIENCE, World, anew, definitions

from pipelines.cli.main import PROJECT, prepare_dagster
from pipelines.components import alerts, workspace
from pipelines.components.automation import SOURCE
from pipelines.components.models import POOL
from pipelines.components.source_checks import report_key
from pipelines.components.workspace import Workspace
from pipelines.database import models
from pipelines.database.publish import publish
from pipelines.definitions import defs
from pipelines.ingest import calendar
from pipelines.ingest.ingest import ingest
from pipelines.ingest.plan import Outdated
from pipelines.ingest.sources import sources
from pipelines.layouts.source import Release, parse_source_file
from pipelines.store import archive, inbox
from pipelines.store.files import one_at_a_time

pytestmark = pytest.mark.slow

HEADER = "Date,BSOL,GSOL,Total"


def page(day: str, flow: float) -> bytes:
    """Return a history of one day."""
    return golden.history(HEADER, f"{day},{flow},1.0,{flow + 1.0}")


def fridays(count: int) -> list[dt.date]:
    """Return the first Fridays of 2026."""
    return [dt.date(2026, 1, 2) + dt.timedelta(weeks=number) for number in range(count)]


def clock_at(moment: str) -> SimpleNamespace:
    """Return the module `datetime` with its clock stopped."""
    now = dt.datetime.fromisoformat(moment)
    stopped = type("Stopped", (dt.datetime,), {"now": classmethod(lambda *_: now)})
    return SimpleNamespace(UTC=dt.UTC, datetime=stopped)


def printed(day: dt.date) -> str:
    return f"{day:%d %b %Y}"


@dataclass
class Automated:
    """A world whose sensors are ticked by hand, with what they remember."""

    world: World
    instance: dg.DagsterInstance
    loaded: dg.Definitions
    cursors: dict[str, str | None] = field(default_factory=dict)

    @property
    def repository(self) -> dg.RepositoryDefinition:
        return self.loaded.get_repository_def()

    def tick(self, name: str = "inbox") -> Any:
        """Evaluate a sensor as the daemon does, and record its events."""
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursors.get(name),
            repository_def=self.repository,
            resources={workspace.KEY: Workspace(self.world.warehouse)},
        )
        result = self.repository.get_sensor_def(name).evaluate_tick(context)
        self.cursors[name] = result.cursor
        for event in result.asset_events:
            self.instance.report_runless_asset_event(event)
        return result

    def week(self, moment: str) -> list[dg.RunRequest]:
        """Evaluate the weekly schedule as of a moment."""
        context = dg.build_schedule_context(
            instance=self.instance,
            repository_def=self.repository,
            resources={workspace.KEY: Workspace(self.world.warehouse)},
            scheduled_execution_time=dt.datetime.fromisoformat(moment),
        )
        schedule = self.repository.get_schedule_def("weekly_friday")
        return list(schedule.evaluate_tick(context).run_requests or [])

    def execute(self, request: dg.RunRequest | None = None) -> dg.ExecuteInProcessResult:
        """Execute what was requested, or else all tables."""
        job = self.loaded.resolve_implicit_global_asset_job_def()
        keys = request.asset_selection if request else tables_of(self.loaded)
        return job.execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=self.instance,
            asset_selection=list(keys or []),
            tags=dict(request.tags) if request else {},
            raise_on_error=False,
        )

    def check(self, source: str, name: str) -> dg.AssetCheckEvaluation:
        """Return the newest evaluation of a check."""
        key = dg.AssetCheckKey(report_key(source), name)
        storage = self.instance.event_log_storage
        (newest,) = storage.get_asset_check_execution_history(key, limit=1)
        evaluation = newest.event.dagster_event.asset_check_evaluation_data
        assert evaluation is not None
        return evaluation


def tables_of(loaded: dg.Definitions) -> list[dg.AssetKey]:
    keys = loaded.resolve_asset_graph().get_all_asset_keys()
    return [key for key in keys if key.path[0] != "reports"]


@pytest.fixture
def automated(tmp_path, monkeypatch) -> Iterator[Automated]:
    monkeypatch.setattr(inbox, "QUIET", 0.0)
    monkeypatch.delenv(alerts.CHANNEL, raising=False)
    world = World(tmp_path / "warehouse")
    with world.instance() as instance:
        yield Automated(world, instance, definitions())


def span(request: dg.RunRequest) -> tuple[str, str, str]:
    tags = request.tags
    ends = [tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end")]
    return (tags[SOURCE], *ends)


# -- the inbox -------------------------------------------------------------------------------------


def test_a_file_that_changed_just_now_is_left_until_it_is_quiet(tmp_path):
    world = World(tmp_path / "warehouse")
    file = world.drop("farside_sol", "sol.csv", golden.FARSIDE_HISTORY)
    os.utime(file, (0, 0))  # as a copy that keeps the old time of modification
    assert inbox.sweep(world.warehouse, "farside_sol", quiet=0.5) == []
    assert inbox.waiting(world.warehouse, "farside_sol") == [file]
    time.sleep(0.6)
    (swept,) = inbox.sweep(world.warehouse, "farside_sol", quiet=0.5)
    assert swept.content() == golden.FARSIDE_HISTORY
    assert not file.exists()


def test_a_file_that_is_written_bit_by_bit_is_archived_once_and_whole(tmp_path):
    world = World(tmp_path / "warehouse")
    whole = b"".join(b"%d,0123456789\n" % line for line in range(20))
    file = world.drop("farside_sol", "sol.csv", b"")

    def write() -> None:
        with file.open("ab", buffering=0) as out:
            for line in whole.splitlines(keepends=True):
                out.write(line)
                time.sleep(0.05)

    swept: list[archive.Archived] = []
    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write)
        deadline = time.monotonic() + PATIENCE
        while not (writing.done() and swept) and time.monotonic() < deadline:
            swept += inbox.sweep(world.warehouse, "farside_sol", quiet=2)
    assert [each.content() for each in swept] == [whole]


def test_sweeps_at_the_same_time_take_every_file_and_none_fails(tmp_path):
    world = World(tmp_path / "warehouse")
    contents = {b"report %d" % number for number in range(200)}
    for number, content in enumerate(sorted(contents)):
        world.drop("farside_sol", f"{number}.csv", content)
    with ThreadPoolExecutor(4) as pool:
        sweeps = [pool.submit(inbox.sweep, world.warehouse, "farside_sol") for _ in range(4)]
        for each in sweeps:
            each.result()
    kept = archive.listing(world.warehouse, "farside_sol").reports
    assert {each.content() for each in kept} == contents
    assert inbox.waiting(world.warehouse, "farside_sol") == []


def test_a_burst_of_500_files_is_one_run_a_source(automated):
    weeks = fridays(25)
    for number in range(240):
        day = printed(weeks[number % 25])
        automated.world.drop("farside_sol", f"{number}.csv", page(day, number))
        eth = golden.history("Date,ETHA,FETH,Total", f"{day},{number}.0,1.0,{number + 1}.0")
        automated.world.drop("farside_eth", f"{number}.csv", eth)
    for number in range(20):
        automated.world.drop("coinshares", f"{number}.xlsx", b"not a workbook %d" % number)
    result = automated.tick()
    first, last = str(weeks[0]), str(weeks[-1])
    assert sorted(map(span, result.run_requests)) == [
        ("farside_eth", first, last),
        ("farside_sol", first, last),
    ]
    assert all(automated.execute(each).success for each in result.run_requests)
    assert not any(file.is_file() for file in (automated.world.root / "inbox").rglob("*"))
    assert automated.tick().run_requests == []
    for source in ("farside_sol", "farside_eth"):
        files = automated.world.root.glob(f"outcomes/{source}/*.parquet")
        assert {file.stem for file in files} == {str(week) for week in weeks}


def test_a_source_has_one_run_in_flight_and_what_came_meanwhile_is_read_after_it(automated):
    automated.world.drop("farside_sol", "one.csv", page("09 Jan 2026", 1))
    (asked,) = automated.tick().run_requests
    run = automated.instance.create_run_for_job(
        automated.loaded.resolve_implicit_global_asset_job_def(), tags=dict(asked.tags)
    )
    automated.world.drop("farside_sol", "two.csv", page("16 Jan 2026", 2))
    waiting = automated.tick()
    assert waiting.run_requests == []
    assert "2 weeks wait for the run before" in waiting.skip_message
    automated.instance.report_run_failed(run)
    (again,) = automated.tick().run_requests
    assert span(again) == ("farside_sol", "2026-01-09", "2026-01-16")
    assert automated.tick().run_requests == []


def test_an_unreadable_file_is_archived_told_once_and_keeps_no_other_out(
    automated, monkeypatch, tmp_path
):
    told = tmp_path / "told.txt"
    monkeypatch.setenv(alerts.CHANNEL, teller(told))
    bad = automated.world.drop("coinshares", "bad.xlsx", golden.CLEAN[:500])
    automated.world.drop("coinshares", "good.xlsx", golden.CLEAN)
    automated.world.drop("farside_sol", "sol.csv", page("09 Jan 2026", 1))
    result = automated.tick()
    assert {span(each)[0] for each in result.run_requests} == {"coinshares", "farside_sol"}
    assert not bad.exists()
    kept = archive.listing(automated.world.warehouse, "coinshares").reports
    assert {each.report.name for each in kept} == {"bad.xlsx", "good.xlsx"}
    words = "bad.xlsx is archived, but it cannot be used"
    assert told.read_text(encoding="utf-8").count(words) == 1
    check = automated.check("coinshares", "readable")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "bad.xlsx: The workbook is truncated" in check.metadata["unusable"].value
    for each in result.run_requests:
        assert automated.execute(each).success
    automated.world.drop("coinshares", "other.xlsx", golden.weekly({"By asset!B6": -37.6}))
    assert len(automated.tick().run_requests) == 1
    # Its name and the place in one message.
    assert told.read_text(encoding="utf-8").count("bad.xlsx") == 2


def test_a_source_that_cannot_be_looked_at_keeps_no_other_out(automated):
    damaged = automated.world.warehouse.archive("coinshares") / f"{'0' * 64}.report.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{", encoding="utf-8")
    automated.world.drop("farside_sol", "sol.csv", page("09 Jan 2026", 1))
    result = automated.tick()
    assert [span(each)[0] for each in result.run_requests] == ["farside_sol"]


def test_a_refused_week_is_not_asked_for_again(automated):
    off = golden.history(HEADER, "09 Jan 2026,1.0,1.0,7.0")
    automated.world.drop("farside_sol", "sol.csv", off)
    (asked,) = automated.tick().run_requests
    assert not automated.execute(asked).success
    assert automated.tick().run_requests == []


def test_a_layout_that_changed_asks_for_no_run(automated):
    automated.world.drop("farside_sol", "sol.csv", page("09 Jan 2026", 1))
    automated.execute(automated.tick().run_requests[0])
    shutil.rmtree(automated.world.root / "outcomes")  # as if nothing were written: all is due
    assert automated.tick().run_requests == []


def test_a_folder_that_is_no_source_is_named(automated):
    automated.world.drop("somebody_else", "report.csv", b"1")
    assert "inbox/somebody_else is no source" in automated.tick().skip_message


# -- the weekly schedule ---------------------------------------------------------------------------


def test_every_week_each_source_is_read_once_over_the_ended_week_and_what_is_due(automated):
    automated.world.add("farside_sol", "sol.csv", page("09 Jan 2026", 1))
    asked = [span(each) for each in automated.week("2026-01-31T06:00:00+00:00")]
    fridays = [each.name for each in sources().values() if each.week.ends == "friday"]
    assert sorted(source for source, *_ in asked) == sorted(fridays)
    assert ("farside_sol", "2026-01-09", "2026-01-30") in asked
    assert ("coinshares", "2026-01-30", "2026-01-30") in asked


def test_a_week_without_a_report_is_green_with_zero_rows_and_the_reason(automated):
    asked = automated.week("2026-01-31T06:00:00+00:00")
    (coinshares,) = [each for each in asked if span(each)[0] == "coinshares"]
    assert automated.execute(coinshares).success
    (record,) = automated.instance.fetch_materializations(report_key("coinshares"), limit=2).records
    said = record.asset_materialization.metadata
    assert record.partition_key == "2026-01-30"
    assert said["dagster/partition_row_count"].value == 0
    assert said["reports"].value == "no report covers this week"


# -- the tables follow their sources ---------------------------------------------------------------


@dataclass
class Watched:
    """The automation condition of the tables, evaluated tick by tick."""

    automated: Automated
    cursor: Any = None

    def asked(self) -> set[dg.AssetKey]:
        result = dg.evaluate_automation_conditions(
            defs=self.automated.loaded, instance=self.automated.instance, cursor=self.cursor
        )
        self.cursor = result.cursor
        keys = tables_of(self.automated.loaded)
        return {key for key in keys if result.get_num_requested(key)}


def test_tables_are_asked_for_once_after_a_run_over_many_weeks(automated):
    watched = Watched(automated)
    assert watched.asked() == set()
    for number, week in enumerate(fridays(12)):
        automated.world.drop("farside_sol", f"{number}.csv", page(printed(week), number))
    automated.execute(automated.tick().run_requests[0])
    assert watched.asked() == set(tables_of(automated.loaded))
    assert watched.asked() == set()
    assert automated.execute().success
    assert watched.asked() == set()


def test_tables_wait_while_a_source_is_being_read(automated):
    watched = Watched(automated)
    watched.asked()
    automated.world.drop("farside_sol", "sol.csv", page("09 Jan 2026", 1))
    automated.world.drop("coinshares", "week.xlsx", golden.CLEAN)
    asked = {span(each)[0]: each for each in automated.tick().run_requests}
    job = automated.loaded.resolve_implicit_global_asset_job_def()
    running = automated.instance.create_run_for_job(
        job.get_subset(asset_selection={report_key("coinshares")}),
        asset_selection=frozenset({report_key("coinshares")}),
        tags=dict(asked["coinshares"].tags),
    )
    automated.instance.report_dagster_event(
        dg.DagsterEvent(event_type_value="PIPELINE_START", job_name=job.name), running.run_id
    )
    automated.execute(asked["farside_sol"])
    assert watched.asked() == set()
    automated.instance.report_run_failed(running)
    assert watched.asked() == set(tables_of(automated.loaded))


def test_tables_that_were_built_by_hand_meanwhile_are_not_asked_for(automated):
    watched = Watched(automated)
    watched.asked()
    automated.world.drop("farside_sol", "sol.csv", page("09 Jan 2026", 1))
    automated.execute(automated.tick().run_requests[0])
    assert automated.execute().success
    assert watched.asked() == set()


# -- code versions ---------------------------------------------------------------------------------


def stale(automated: Automated, loaded: dg.Definitions) -> dict[str, str]:
    """Return what the UI marks as out of date, with the first reason."""
    graph = loaded.resolve_asset_graph()
    context = LoadingContextForTest(automated.instance)
    resolver = CachingStaleStatusResolver(automated.instance, graph, context)
    return {
        key.to_user_string(): resolver.get_stale_causes(key)[0].reason
        for key in tables_of(loaded)
        if resolver.get_status(key) == StaleStatus.STALE
    }


def test_a_changed_sql_file_marks_its_table_as_stale_and_starts_nothing(
    automated, monkeypatch, tmp_path
):
    watched = Watched(automated)
    watched.asked()
    assert automated.execute().success
    watched.asked()
    assert stale(automated, automated.loaded) == {}
    copy = tmp_path / "sql"
    shutil.copytree(models.SQL, copy)
    file = copy / "mart" / "flows_by_underlying.sql"
    file.write_text(file.read_text(encoding="utf-8") + "-- changed\n", encoding="utf-8")
    monkeypatch.setattr(models, "SQL", copy)
    monkeypatch.setattr("pipelines.components.metadata.PROJECT", tmp_path)
    with anew(models.models):
        changed = defs()
    assert stale(automated, changed) == {"mart/flows_by_underlying": "has a new code version"}
    automated.loaded = changed
    assert watched.asked() == set()


def test_a_changed_layout_marks_every_week_as_stale_also_of_a_run_that_failed(
    automated, monkeypatch
):
    lines = ("09 Jan 2026,1.0,1.0,2.0", "16 Jan 2026,2.0,1.0,9.0")
    automated.world.add("farside_sol", "sol.csv", golden.history(HEADER, *lines))
    automated.world.add("farside_eth", "eth.csv", golden.history("Date,ETHA,FETH,Total", lines[0]))
    succeeded = {
        span(each)[0]: automated.execute(each).success for each in automated.tick().run_requests
    }
    assert succeeded == {"farside_sol": False, "farside_eth": True}

    def is_stale(loaded: dg.Definitions, source: str) -> bool:
        context = LoadingContextForTest(automated.instance)
        graph = loaded.resolve_asset_graph()
        resolver = CachingStaleStatusResolver(automated.instance, graph, context)
        return resolver.get_status(report_key(source), "2026-01-09") == StaleStatus.STALE

    names = ("farside_sol", "farside_eth")
    assert [is_stale(automated.loaded, name) for name in names] == [False, False]
    monkeypatch.setattr("pipelines.layouts.source.READING", -1)
    parse_source_file.cache_clear()  # as a new process begins
    assert [is_stale(defs(), name) for name in names] == [True, True]
    parse_source_file.cache_clear()


# -- at the same time ------------------------------------------------------------------------------


def test_a_run_that_knows_an_older_archive_does_not_undo_what_a_later_one_wrote(tmp_path):
    """The later run comes and goes between the plan of the older one and its writing."""
    world = World(tmp_path / "warehouse")
    source = golden.source("farside_sol")
    weeks = [dt.date(2026, 1, 9), dt.date(2026, 1, 16)]
    days = [f"{printed(week)},1.0,1.0,2.0" for week in weeks]
    world.add("farside_sol", "one.csv", golden.history(HEADER, *days), received="2026-01-17T00:00Z")

    older = steps.plan(world.warehouse, source)
    newer = [day.replace("1.0,1.0,2.0", "5.0,1.0,6.0") for day in days]
    content = golden.history(HEADER, *newer)
    world.add("farside_sol", "two.csv", content, received="2026-01-18T00:00Z")
    steps.ingest(world.warehouse, source, weeks)
    with pytest.raises(Outdated):
        ingest(world.warehouse, older, weeks)
    space = Workspace(world.warehouse, plans={source.name: older})
    results, plan = space.ingest(source, weeks, lambda _: None)
    assert plan.due == []
    assert results[1].reports == ("one.csv", "two.csv")
    assert steps.due(world.warehouse, source) == []
    for week in weeks:
        assert world.observations("farside_sol", str(week)).get_column("report_id").n_unique() == 2


def test_a_build_whose_plan_is_older_than_the_weeks_has_the_newest_numbers(tmp_path):
    """Another run may write weeks while this one waits for its turn to build."""
    world = World(tmp_path / "warehouse")
    source = golden.source("farside_sol")
    day = f"{printed(dt.date(2026, 1, 9))},1.0,1.0,2.0"
    world.add("farside_sol", "one.csv", golden.history(HEADER, day), received="2026-01-17T00:00Z")
    steps.ingest(world.warehouse, source, steps.due(world.warehouse, source))
    older = steps.plan(world.warehouse, source)
    newer = golden.history(HEADER, day.replace("1.0,1.0,2.0", "5.0,1.0,6.0"))
    world.add("farside_sol", "two.csv", newer, received="2026-01-18T00:00Z")
    steps.ingest(world.warehouse, source, steps.due(world.warehouse, source))
    publish(world.warehouse, [older], now=dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
    assert world.query("select count(*) from core.report") == [(2,)]
    total = "select net_flow_usd from mart.flows where dimension = 'total'"
    assert world.query(total) == [(Decimal(6_000_000),)]


def test_a_build_follows_the_one_before_and_says_that_it_waits(tmp_path):
    world = World(tmp_path / "warehouse")
    waits = threading.Event()
    declared = sources().values()
    with ThreadPoolExecutor() as pool:
        with one_at_a_time(world.database):
            build = pool.submit(steps.publish, world.warehouse, declared, on_wait=waits.set)
            assert waits.wait(PATIENCE)
            assert not world.database.exists()
        assert build.result()
    assert world.one("select count(*) from ops.build") == 1


# -- freshness -------------------------------------------------------------------------------------


def test_the_calendar_says_from_when_a_week_is_late():
    rule = Release(weekday="monday", grace_days=1, holidays=(dt.date(2026, 5, 4),))
    utc = dt.UTC
    assert calendar.expected_by(rule, dt.date(2026, 1, 23)) == dt.datetime(2026, 1, 28, tzinfo=utc)
    assert calendar.expected_by(rule, dt.date(2026, 5, 1)) == dt.datetime(2026, 5, 7, tzinfo=utc)
    same_day = Release(weekday="friday")
    assert calendar.expected_by(same_day, dt.date(2026, 1, 23)) == dt.datetime(
        2026, 1, 31, tzinfo=utc
    )


def test_coverage_says_of_every_expected_week_whether_it_came_in_time(tmp_path, monkeypatch):
    """On Wednesday 4 March 2026, of a source that is expected on Mondays."""
    known = sources()
    told = known["farside_sol"].model_copy(
        update={"release": Release(weekday="monday", no_report=(dt.date(2026, 2, 13),))}
    )
    for module in ("cli.main", "cli.run", "components.workspace"):
        monkeypatch.setattr(f"pipelines.{module}.sources", lambda: {**known, "farside_sol": told})
    world = World(tmp_path / "warehouse")
    reports = {
        "history.csv": ("2026-01-19T08:00Z", "02 Jan 2026", "16 Jan 2026"),
        "wednesday.csv": ("2026-01-28T08:00Z", "27 Jan 2026"),
        "monday.csv": ("2026-02-02T08:00Z", "27 Jan 2026", "30 Jan 2026"),
        "late.csv": ("2026-02-11T08:00Z", "06 Feb 2026"),
    }
    for number, (name, (received, *days)) in enumerate(reports.items()):
        lines = [f"{day},{number}.0,1.0,{number + 1}.0" for day in days]
        world.add("farside_sol", name, golden.history(HEADER, *lines), received=received)
    assert world.run().code == 0
    assert world.call("as-of", "2026-03-04T12:00").code == 0
    as_of = World(world.root)
    file = world.root / "fundflows@2026-03-04T120000Z.duckdb"
    shutil.copy(file, as_of.database)
    rows = as_of.query(
        "select strftime(week_ending, '%m-%d'), strftime(expected_by, '%m-%d'),"
        " strftime(first_known_at, '%m-%d'), state from ops.coverage order by week_ending"
    )
    assert rows == [
        ("01-02", "01-06", "01-19", "history"),
        ("01-09", "01-13", None, "missing"),
        ("01-16", "01-20", "01-19", "on time"),
        ("01-23", "01-27", None, "missing"),
        ("01-30", "02-03", "02-02", "on time"),  # Wednesday's page was not yet its report
        ("02-06", "02-10", "02-11", "late"),
        ("02-13", "02-17", None, "holiday"),
        ("02-20", "02-24", None, "missing"),
        ("02-27", "03-03", None, "missing"),
    ]


def test_a_source_without_a_calendar_or_a_report_is_never_late(automated):
    content = golden.history("Date,ARKB", "2026-01-02,1.0")
    automated.world.add("ark_bloomberg", "old.csv", content)
    automated.tick("freshness")
    for source in sources():
        assert automated.check(source, "on_time").passed


def test_a_late_week_fails_the_check_that_names_it_and_is_told_once(
    automated, monkeypatch, tmp_path
):
    told = tmp_path / "told.txt"
    monkeypatch.setenv(alerts.CHANNEL, teller(told))
    monkeypatch.setattr(workspace, "dt", clock_at("2026-02-10T12:00Z"))
    weeks = fridays(6)
    lines = [f"{printed(week)},1.0,1.0,2.0" for week in weeks[:3]]
    content = golden.history(HEADER, *lines)
    automated.world.add("farside_sol", "sol.csv", content, received="2026-01-17T00:00Z")
    automated.execute(automated.tick().run_requests[0])
    automated.tick("freshness")
    check = automated.check("farside_sol", "on_time")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    since = weeks[3] + dt.timedelta(days=4)
    first = f"the week to {weeks[3]} was expected by {since} 00:00 UTC"
    assert first in (check.description or "")
    assert check.metadata["last_week"].value == str(weeks[2])
    assert first in told.read_text(encoding="utf-8")
    before = told.read_text(encoding="utf-8")
    assert automated.tick("freshness").asset_events == []
    assert told.read_text(encoding="utf-8") == before


def test_a_run_does_not_make_a_late_week_fresh_but_its_report_does(automated, monkeypatch):
    monkeypatch.setattr(workspace, "dt", clock_at("2026-02-09T12:00Z"))
    weeks = fridays(6)
    old = page(printed(weeks[0]), 1.0)
    automated.world.add("farside_sol", "old.csv", old, received="2026-01-03T00:00Z")
    (asked,) = automated.tick().run_requests
    automated.execute(asked)
    automated.execute(asked)
    assert not automated.check("farside_sol", "on_time").passed
    lines = [f"{printed(week)},1.0,1.0,2.0" for week in weeks]
    new = golden.history(HEADER, *lines)
    automated.world.add("farside_sol", "new.csv", new, received="2026-02-07T00:00Z")
    automated.execute(automated.tick().run_requests[0])
    assert automated.check("farside_sol", "on_time").passed
    automated.tick("freshness")
    assert automated.check("farside_sol", "on_time").passed


# -- checks remember weeks -------------------------------------------------------------------------


def test_a_run_over_one_good_week_does_not_turn_a_check_green_that_another_week_made_red(automated):
    content = golden.history(
        HEADER, "09 Jan 2026,1.0,1.0,2.0", "16 Jan 2026,2.0,1.0,9.0", "23 Jan 2026,x,1.0,1.0"
    )
    automated.world.add("farside_sol", "sol.csv", content, received="2026-02-01T00:00Z")
    (asked,) = automated.tick().run_requests
    assert not automated.execute(asked).success
    of_week = dict(asked.tags) | {"dagster/asset_partition_range_end": "2026-01-09"}
    good = dg.RunRequest(asset_selection=asked.asset_selection, tags=of_week)
    assert automated.execute(good).success
    totals = automated.check("farside_sol", "totals")
    assert (totals.passed, totals.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "2026-01-16: daily: total net_flow" in totals.metadata["unexplained"].value
    assert totals.metadata["weeks_with_reports"].value == 3
    contract = automated.check("farside_sol", "contract")
    assert contract.metadata["refused"].value == "- 2026-01-23: 1 refused"

    mended = content.replace(b"2.0,1.0,9.0", b"2.0,1.0,3.0")
    automated.world.add("farside_sol", "mended.csv", mended, received="2026-02-02T00:00Z")
    (again,) = automated.tick().run_requests
    assert span(again) == ("farside_sol", "2026-01-16", "2026-01-16")
    assert automated.execute(again).success
    assert automated.check("farside_sol", "totals").passed
    assert not automated.check("farside_sol", "contract").passed


# -- what a run tells ------------------------------------------------------------------------------


def test_a_week_tells_the_hash_of_its_reports(automated):
    automated.world.drop("farside_sol", "one.csv", page("09 Jan 2026", 1))
    automated.execute(automated.tick().run_requests[0])
    (kept,) = archive.listing(automated.world.warehouse, "farside_sol").reports
    (record,) = automated.instance.fetch_materializations(
        report_key("farside_sol"), limit=1
    ).records
    said = record.asset_materialization.metadata
    assert said["report_hashes"].value == f"- one.csv: sha256 {kept.report.report_id}"


def test_every_table_links_to_its_file_and_its_columns_lead_to_the_printed_number(automated):
    graph = automated.loaded.resolve_asset_graph()
    for key in tables_of(automated.loaded):
        links = graph.get(key).metadata["dagster/code_references"].code_references
        links = [each for each in links if each.label]  # Dagster adds the component's own file
        assert all(Path(each.file_path).is_file() for each in links)
        labels = [each.label for each in links]
        first, *others = [Path(label).parts[0] for label in labels] or ["sql"]
        assert first == "sql"
        # What belongs to a source lies with it; none has a correction: the ledger has no file.
        assert set(others) <= {"pipelines"}, labels
        assert labels or key == dg.AssetKey(["reference", "correction"])
        columns = graph.get(key).metadata["dagster/column_schema"].columns
        assert all(column.description for column in columns)
    result = automated.execute()
    made_of = {
        event.asset_key: event.materialization.metadata["dagster/column_lineage"].value
        for event in result.get_asset_materialization_events()
        if "dagster/column_lineage" in event.materialization.metadata
    }
    seen, leaves = set(), {(dg.AssetKey(["mart", "flows"]), "net_flow_usd")}
    while leaves - seen:
        key, column = (leaves - seen).pop()
        seen.add((key, column))
        if key in made_of:
            deps = made_of[key].deps_by_column.get(column, [])
            leaves |= {(dep.asset_key, dep.column_name) for dep in deps}
    for source in sources():
        assert (report_key(source), "value") in seen


# -- alerts ----------------------------------------------------------------------------------------


def teller(told: Path) -> str:
    """Return a command that appends what it is told to a file."""
    program = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read() + b'\\n')"
    return shlex.join([sys.executable, "-c", program, str(told)])


def failed(automated: Automated) -> Any:
    """Return the context of the alert about a run with a refused week."""
    off = golden.history(HEADER, "09 Jan 2026,1.0,1.0,7.0")
    automated.world.add("farside_sol", "sol.csv", off, received="2026-02-01T00:00Z")
    (asked,) = automated.tick().run_requests
    result = automated.execute(asked)
    run = automated.instance.get_run_by_id(result.run_id)
    (event,) = [each for each in result.all_events if each.event_type_value == "PIPELINE_FAILURE"]
    assert run is not None
    return dg.build_run_status_sensor_context(
        sensor_name="alerts",
        dagster_instance=automated.instance,
        dagster_run=run,
        dagster_event=event,
    ).for_run_failure()


EXPECTED = (
    "of reports/farside_sol failed, weeks 2026-01-09..2026-01-09",
    "1 of 1 weeks of farside_sol were refused",
    "2026-01-09: sol.csv: daily: total net_flow",
)


def test_a_failed_run_is_told_to_a_command(automated, monkeypatch, tmp_path):
    told = tmp_path / "told.txt"
    context = failed(automated)
    monkeypatch.setenv(alerts.CHANNEL, teller(told))
    alerts.failure_sensor()(context)
    for words in EXPECTED:
        assert words in told.read_text(encoding="utf-8")


@contextlib.contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Serve a webhook on this machine, and what was posted to it."""
    posted: list[dict[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", posted
        server.shutdown()
        thread.join()


def test_a_failed_run_is_told_to_a_webhook(automated, monkeypatch):
    context = failed(automated)
    with webhook() as (address, posted):
        monkeypatch.setenv(alerts.CHANNEL, address)
        alerts.failure_sensor()(context)
    (message,) = posted
    assert set(message) == {"text"}
    for words in EXPECTED:
        assert words in message["text"]


def test_without_a_channel_nobody_is_told_and_nothing_fails(automated):
    skipped = alerts.failure_sensor()(failed(automated))
    assert isinstance(skipped, dg.SkipReason)
    assert "FUNDFLOWS_ALERT is not set" in (skipped.skip_message or "")


@pytest.mark.parametrize("channel", ["/no/such/command", "http://127.0.0.1:9/closed"])
def test_a_channel_that_is_down_does_not_stop_the_inbox(automated, monkeypatch, channel):
    monkeypatch.setenv(alerts.CHANNEL, channel)
    automated.world.drop("coinshares", "bad.xlsx", golden.CLEAN[:500])
    automated.world.drop("farside_sol", "sol.csv", page("09 Jan 2026", 1))
    assert [span(each)[0] for each in automated.tick().run_requests] == ["farside_sol"]


# -- settings --------------------------------------------------------------------------------------


def test_settings_of_an_upgrade_replace_those_of_the_version_before(tmp_path):
    world = World(tmp_path / "warehouse")
    with world.entered():
        home = prepare_dagster(world.warehouse)
    settings = home / "dagster.yaml"
    settings.write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    with world.entered():
        assert prepare_dagster(world.warehouse) == home
    assert settings.read_bytes() == (PROJECT / "dagster.yaml").read_bytes()


def test_settings_let_one_build_run_at_a_time(automated):
    settings = automated.instance.get_concurrency_config()
    assert settings.pool_config.default_pool_limit == 1
    assert settings.pool_config.pool_granularity.value == "run"
    assert automated.instance.run_monitoring_enabled
    graph = automated.loaded.resolve_asset_graph()
    assert {pool for key in tables_of(automated.loaded) for pool in graph.get(key).pools} == {POOL}


@pytest.mark.parametrize(("value", "status"), [("", "STOPPED"), ("0", "STOPPED"), ("1", "RUNNING")])
def test_nothing_runs_by_itself_until_it_is_turned_on(monkeypatch, value, status):
    monkeypatch.setenv("FUNDFLOWS_AUTOMATE", value)
    repository = defs().get_repository_def()
    statuses = {each.name: each.default_status.value for each in repository.sensor_defs}
    assert statuses.pop("alerts") == "RUNNING"  # it only tells
    assert statuses == dict.fromkeys(("inbox", "freshness", "tables"), status)
    assert {each.default_status.value for each in repository.schedule_defs} == {status}
