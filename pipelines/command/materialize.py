"""Weeks and tables as Dagster runs in this process; with many new reports, in one for each core.

The runs are recorded in the Dagster instance, so the UI shows them like any other. Apart from
progress nothing is done here that the assets do not do.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import dagster as dg
from click import ClickException
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import event
from sqlalchemy.engine import Engine

from pipelines.command import show, step_output
from pipelines.components.fund_flow_report import key_of, partitions_of
from pipelines.definitions import defs_to_run
from pipelines.reports import begun, facts, layout, survey, weeks
from pipelines.reports.begun import Begun
from pipelines.reports.facts import WeekResult
from pipelines.reports.layout import Source
from pipelines.reports.warehouse import Warehouse, one_at_a_time

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_MANY = 100
"""New reports from which on it pays to start processes."""
_AT_ONCE = 4
"""Processes at most; as many as the queue in `dagster.yaml` lets run at once."""
_KILLED = (
    "A process that read reports was killed, perhaps for want of memory. "
    "Nothing is lost: run again, and what it had begun is done once more."
)
Span = tuple[dt.date, dt.date]
Results = list[tuple[str, WeekResult]]
"""What came of weeks, with the names of their sources."""


@dataclass(frozen=True, slots=True)
class Due:
    """What there is to do for a source; `beyond` are weeks that are no partitions of it yet."""

    source: Source
    weeks: list[dt.date]
    beyond: list[dt.date]


@event.listens_for(Engine, "connect")
def _trust_the_write_ahead_log(connection: sqlite3.Connection, _: object) -> None:
    """Let Dagster's event log commit without waiting for the disk.

    Its SQLite files have a write-ahead log, so a crash leaves them whole; a power cut may cost the
    last events, which only say what the weeks' own files say. Halves the time of a run.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = normal")


def due(warehouse: Warehouse, source: Source, span: Span | None, left: list[Begun]) -> Due:
    """Return the due weeks, apart from those that are no partition of the source yet."""
    again = {week for each in left if each.what == source.name for week in each.weeks}
    wanted = [
        week
        for week in sorted(again.union(facts.due(warehouse, source)))
        if span is None or span[0] <= week <= span[1]
    ]
    if not wanted:
        return Due(source, [], [])
    keys = set(partitions_of(source).get_partition_keys())
    inside = [week for week in wanted if weeks.key_of(week) in keys]
    return Due(source, inside, [week for week in wanted if weeks.key_of(week) not in keys])


def many(warehouse: Warehouse, sources: Iterable[Source], span: Span | None) -> Results:
    """If sources have many new reports, materialize what is due of them, a process for each core.

    Else nothing is done: to start a process takes a second.

    Raises:
        ClickException: one of the processes was killed, or a run failed unforeseen.
    """
    unread = {source.name: survey.unread(warehouse, source) for source in sources}
    # Not on every system is it told how many cores a process may use.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    named = sorted((name for name in unread if unread[name]), key=lambda name: -unread[name])
    at_once = min(cores or 1, len(named), _AT_ONCE)
    if sum(unread.values()) < _MANY or at_once <= 1:
        return []
    results = []
    # Spawned: a fork would take over the locks of threads that it does not have.
    with (
        ProcessPoolExecutor(
            at_once, multiprocessing.get_context("spawn"), initializer=_end_with_the_parent
        ) as pool,
        _progress() as progress,
    ):
        started = {pool.submit(_all_due_of, warehouse, name, span): name for name in named}
        ended = as_completed(started)
        try:
            for each in progress.track(ended, total=len(started), description="sources"):
                results += [(started[each], result) for result in each.result()]
        except (BrokenProcessPool, KeyboardInterrupt) as error:
            # The pool asks the others to end and waits, but Dagster takes that for a wish.
            for child in multiprocessing.active_children():
                child.kill()
            if isinstance(error, KeyboardInterrupt):
                raise
            raise ClickException(_KILLED) from error
    return results


def _end_with_the_parent() -> None:
    """Let this process not outlive the one that started it, even if that is killed."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _all_due_of(warehouse: Warehouse, name: str, span: Span | None) -> list[WeekResult]:
    """Materialize what is due of a source, in a process that does nothing else."""
    results: list[WeekResult] = []
    with _runs(warehouse) as runs:
        runs.of_weeks(due(warehouse, layout.sources()[name], span, []), results.append)
    return results


def all_due(warehouse: Warehouse, wanted: list[Due], left: list[Begun]) -> Results:
    """Run the due weeks source by source, then the models, with a progress bar."""
    results: Results = []
    with _runs(warehouse) as runs, _progress() as progress:
        _close(runs.instance, left)
        count = sum(len(each.weeks) for each in wanted) or 1  # no week: the tables are one step
        task = progress.add_task("weeks", total=count)
        for each in wanted:
            progress.update(task, description=each.source.name)

            def done(result: WeekResult, name: str = each.source.name) -> None:
                results.append((name, result))
                progress.advance(task)

            runs.of_weeks(each, done)
        progress.update(task, description="models")
        runs.of_tables()
        progress.update(task, completed=count)
    return results


@dataclass(frozen=True, slots=True)
class _Runs:
    """Executes the project's job, a run at a time."""

    warehouse: Warehouse
    job: dg.JobDefinition
    instance: dg.DagsterInstance

    def of_weeks(self, due: Due, done: Callable[[WeekResult], None]) -> None:
        """Run the due weeks of a source, and tell of each when it is written."""
        token = facts.watcher.set(done)
        for span in weeks.runs_of_weeks(due.weeks):
            tags = {
                "dagster/asset_partition_range_start": weeks.key_of(span[0]),
                "dagster/asset_partition_range_end": weeks.key_of(span[1]),
            }
            # Weeks that were refused are reported by name.
            self._execute(due.source.name, [key_of(due.source.name)], tags, weeks.between(*span))
        facts.watcher.reset(token)
        survey.forget(due.source)

    def of_tables(self) -> None:
        """Run all models as one.

        Raises:
            ClickException: the build failed, and why.
        """
        keys = self.job.asset_layer.executable_asset_keys
        why = self._execute(begun.TABLES, [key for key in keys if key.path[0] != "facts"])
        if why is not None:
            raise ClickException(why)

    def _execute(
        self,
        what: str,
        assets: list[dg.AssetKey],
        tags: dict[str, str] | None = None,
        covered: Iterable[dt.date] = (),
    ) -> str | None:
        """Execute a Dagster run, and return why it failed if it says so itself.

        A run that fails unforeseen stays named as begun: what it has written is told by the next.
        """
        run_id = str(uuid.uuid4())
        with begun.begin(self.warehouse, run_id, what, list(covered)):
            result = self.job.execute_in_process(
                run_config=_QUIET,
                instance=self.instance,
                run_id=run_id,
                asset_selection=assets,
                tags=tags,
                raise_on_error=False,
            )
            if result.success:
                return None
            failure = next(iter(result.get_step_failure_events()), None)
            data = failure.step_failure_data if failure else None
            if data is not None and data.user_failure_data is not None:
                return data.user_failure_data.description or "the run failed"
            raise ClickException(data.error.to_string() if data and data.error else "run failed")


@contextmanager
def _runs(warehouse: Warehouse) -> Iterator[_Runs]:
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    with open_instance(warehouse) as instance:
        step_output.leave_in_terminal(instance)
        yield _Runs(warehouse, _job(), instance)


@cache
def _job() -> dg.JobDefinition:
    return defs_to_run().resolve_implicit_global_asset_job_def()


def open_instance(warehouse: Warehouse) -> dg.DagsterInstance:
    """Open Dagster's instance; one process at a time, since the first one creates its tables."""
    with one_at_a_time(warehouse.dagster_home):
        return dg.DagsterInstance.get()


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=show.err,
    )


def _close(instance: dg.DagsterInstance, left: list[Begun]) -> None:
    """Mark runs whose process is gone as failed, so that none runs for ever."""
    for run_id in {each.run_id for each in left}:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, "The process was killed; the next run has taken over.")
