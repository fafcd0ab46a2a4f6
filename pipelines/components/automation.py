"""What runs by itself when a report arrives, a week ends, or a week is late.

The inbox sensor and the weekly schedules start sources; an automation condition (`models.REBUILD`)
starts the tables. Nothing has two starters: docs/decisions/0014-automation.md. All of it is off
until a team turns it on in the UI, or sets `FUNDFLOWS_AUTOMATE=1`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import dagster as dg

from pipelines import weeks
from pipelines.components import alerts, models, workspace
from pipelines.components.source import partitions_of
from pipelines.components.source_checks import on_time, readable, report_key
from pipelines.components.workspace import Workspace
from pipelines.ingest import calendar
from pipelines.ingest.plan import Plan
from pipelines.ingest.sources import sources
from pipelines.layouts.source import Source
from pipelines.store import archive, inbox
from pipelines.weeks import WEEKDAYS, Weekday

SOURCE = "fundflows/source"
"""The tag of runs of a source that a sensor or a schedule started."""
_BUDGET = 25.0
"""Seconds for which a tick reads new reports; Dagster allows 60. The next tick goes on."""
_OPEN = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_REPORTS = dg.AssetSelection.groups("reports")


class Automation(dg.Component, dg.Model, dg.Resolvable):
    """The sensors and schedules of all sources and tables."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """Return the sensors and schedules."""
        declared = sources()
        rules = sorted({source.week.ends for source in declared.values()}, key=WEEKDAYS.index)
        return dg.Definitions(
            sensors=[
                inbox_sensor(declared),
                freshness_sensor(declared),
                tables_sensor(),
                alerts.failure_sensor(),
            ],
            schedules=[weekly_schedule(declared, ends) for ends in rules],
        )


def _automate() -> bool:
    return os.environ.get("FUNDFLOWS_AUTOMATE", "") not in ("", "0")


def _sensor_status() -> dg.DefaultSensorStatus:
    return dg.DefaultSensorStatus.RUNNING if _automate() else dg.DefaultSensorStatus.STOPPED


# -- reports that arrive -------------------------------------------------------------------------


@dataclass
class _Tick:
    """What a tick of the inbox sensor has found."""

    asked: dict[str, str]
    requests: list[dg.RunRequest] = field(default_factory=list)
    checks: list[dg.AssetCheckEvaluation] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def inbox_sensor(declared: Mapping[str, Source]) -> dg.SensorDefinition:
    """Return the sensor that archives what is dropped and reads the weeks that it changes."""

    @dg.sensor(
        name="inbox",
        description="Archives the files of warehouse/inbox/<source>/ once they are whole, and "
        "starts one run per source over the weeks that are new or changed. Its cursor holds the "
        "state of the archive for which a run was requested; the tables follow by their own "
        "condition.",
        minimum_interval_seconds=30,
        default_status=_sensor_status(),
        asset_selection=_REPORTS,
        required_resource_keys={workspace.KEY},
    )
    def inbox(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        space: Workspace = context.resources.workspace
        tick = _Tick(json.loads(context.cursor) if context.cursor else {})
        deadline = time.monotonic() + _BUDGET
        for source in declared.values():
            try:
                _check_inbox(context.instance, space, source, deadline, tick)
            except Exception as error:  # one source must not keep the others out
                tick.notes.append(f"{source.name}: {error}")
                context.log.exception(f"inbox of {source.name}")
        folders = {folder.name for folder in (space.warehouse.root / "inbox").glob("[!.]*")}
        tick.notes.extend(f"inbox/{name} is no source" for name in sorted(folders - set(declared)))
        alerts.notify(context, tick.problems)
        return dg.SensorResult(
            run_requests=tick.requests,
            skip_reason=None if tick.requests else "; ".join(tick.notes) or "nothing new",
            cursor=json.dumps(tick.asked),
            asset_events=tick.checks,
        )

    return inbox


def _check_inbox(
    instance: dg.DagsterInstance, space: Workspace, source: Source, deadline: float, tick: _Tick
) -> None:
    """Archive a source's inbox, and request a run if weeks are due."""
    swept = inbox.sweep(space.warehouse, source.name, quiet=inbox.QUIET)
    arrived = {each.report.report_id for each in swept if each.is_new}
    if left := inbox.waiting(space.warehouse, source.name):
        tick.notes.append(f"{source.name}: {len(left)} files are still being written")
    state = _state(archive.ids(space.warehouse, source.name))
    if tick.asked.get(source.name) == state and not arrived:
        return
    known = space.read_new(source, lambda: time.monotonic() < deadline)
    if known.unread:
        tick.notes.append(f"{source.name}: more reports to read")
        return
    _report_unusable(known, tick)
    due = _due(known)
    if not due:
        tick.asked[source.name] = state
    elif in_flight(instance, source):
        tick.notes.append(f"{source.name}: {len(due)} weeks wait for the run before")
    else:
        tick.asked[source.name] = state
        tick.requests.append(request(source, due[0], due[-1]))


def _state(report_ids: Collection[str]) -> str:
    """Return a hash of the archived reports, short enough for a cursor."""
    return hashlib.sha256("".join(sorted(report_ids)).encode()).hexdigest()[:16]


def _report_unusable(known: Plan, tick: _Tick) -> None:
    """Report each report that cannot be used: once, when it has first been read."""
    source = known.source
    reported = f"{source.name} unusable"
    before = set(tick.asked.get(reported, "").split())
    tick.problems.extend(
        f"{source.name}: {each.name} is archived, but it cannot be used.\n{each.error}"
        for each in known.unusable
        if each.report_id[:12] not in before
    )
    now = " ".join(each.report_id[:12] for each in known.unusable)
    if now != tick.asked.get(reported, ""):
        tick.asked[reported] = now
        tick.checks.append(_evaluation(readable(known)))


def _due(known: Plan) -> list[dt.date]:
    """Return the due weeks that are partitions of the source."""
    keys = set(partitions_of(known.source).get_partition_keys())
    return [week for week in known.due if weeks.key_of(week) in keys]


def in_flight(instance: dg.DagsterInstance, source: Source) -> bool:
    """Return whether a run of the source that a sensor or schedule started is still going on."""
    return bool(instance.get_runs_count(dg.RunsFilter(statuses=_OPEN, tags={SOURCE: source.name})))


def request(
    source: Source, first: dt.date, last: dt.date, run_key: str | None = None
) -> dg.RunRequest:
    """Return the request for one run of a source over a range of weeks."""
    return dg.RunRequest(
        run_key=run_key,
        asset_selection=[report_key(source.name)],
        tags={
            SOURCE: source.name,
            "dagster/asset_partition_range_start": weeks.key_of(first),
            "dagster/asset_partition_range_end": weeks.key_of(last),
        },
    )


# -- weeks that end ------------------------------------------------------------------------------


def weekly_schedule(declared: Mapping[str, Source], ends: Weekday) -> dg.ScheduleDefinition:
    """Return the schedule of the sources whose weeks end on a day."""
    of_day = [source for source in declared.values() if source.week.ends == ends]

    @dg.schedule(
        name=f"weekly_{ends}",
        description=f"On the morning after a week has ended on {ends.title()}: one run per source "
        "over that week and all that are due, so that a week without a report is seen too, and "
        "what a killed run left undone is done.",
        cron_schedule=f"0 6 * * {(weeks.cron_day_offset(ends) + 1) % 7}",
        execution_timezone="UTC",
        job_name="__ASSET_JOB",  # all sources: a job of their own would need one calendar of weeks
        default_status=(
            dg.DefaultScheduleStatus.RUNNING if _automate() else dg.DefaultScheduleStatus.STOPPED
        ),
        required_resource_keys={workspace.KEY},
    )
    def weekly(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
        space: Workspace = context.resources.workspace
        deadline = time.monotonic() + _BUDGET
        wanted = []
        for source in of_day:
            ended = calendar.last_ended(source, context.scheduled_execution_time)
            span = [ended]
            if not in_flight(context.instance, source):
                known = space.read_new(source, lambda: time.monotonic() < deadline)
                span += [] if known.unread else _due(known)
            run_key = f"{source.name} {ended}"
            wanted.append(request(source, min(span), max(span), run_key))
        return wanted

    return weekly


# -- weeks that are late -------------------------------------------------------------------------


def freshness_sensor(declared: Mapping[str, Source]) -> dg.SensorDefinition:
    """Return the sensor that reports late weeks, without a run."""

    @dg.sensor(
        name="freshness",
        description="Checks every hour whether the week expected last has a report, by the release "
        "calendar of each source; a change is an evaluation of its check `on_time`.",
        minimum_interval_seconds=3600,
        default_status=_sensor_status(),
        asset_selection=_REPORTS,
        required_resource_keys={workspace.KEY},
    )
    def freshness(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        space: Workspace = context.resources.workspace
        before = json.loads(context.cursor) if context.cursor else {}
        results = {
            source.name: on_time(space.plan(source), space.now()) for source in declared.values()
        }
        changed = {
            name: result
            for name, result in results.items()
            if before.get(name) != (result.description or "")
        }
        late = [f"{name}: {each.description}" for name, each in changed.items() if not each.passed]
        alerts.notify(context, late)
        return dg.SensorResult(
            skip_reason=f"{sum(not each.passed for each in results.values())} sources are late",
            cursor=json.dumps({name: each.description or "" for name, each in results.items()}),
            asset_events=[_evaluation(result) for result in changed.values()],
        )

    return freshness


def _evaluation(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """Return a result as an event that needs no run."""
    assert result.asset_key is not None  # noqa: S101 (made in source_checks)
    assert result.check_name is not None  # noqa: S101
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
    )


# -- tables --------------------------------------------------------------------------------------


def tables_sensor() -> dg.AutomationConditionSensorDefinition:
    """Return the sensor that rebuilds the tables once their sources have changed."""
    return dg.AutomationConditionSensorDefinition(
        "tables",
        target=dg.AssetSelection.groups(*models.GROUPS),
        description="Builds and publishes all tables once after sources have changed and none of "
        "them is being read.",
        default_status=_sensor_status(),
        minimum_interval_seconds=30,
    )
