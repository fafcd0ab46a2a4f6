"""Runs weeks and tables through Dagster: in this process, or with many reports in one per core.

The runs are recorded in the Dagster instance, so the UI shows them like any other. Apart from
progress, nothing is done here that the assets do not do.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
import os
import threading
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import dagster as dg
from click import ClickException
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipelines import weeks
from pipelines.cli import output
from pipelines.components.source import partitions_of
from pipelines.components.source_checks import report_key
from pipelines.components.workspace import Workspace
from pipelines.dagster_internals import compute_log, write_ahead_log
from pipelines.definitions import complete, defs_to_run
from pipelines.ingest.plan import Plan
from pipelines.ingest.results import WeekResult
from pipelines.ingest.sources import sources
from pipelines.layouts.source import Source
from pipelines.store import journal
from pipelines.store.files import one_at_a_time
from pipelines.store.journal import Unfinished
from pipelines.store.paths import Warehouse

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_MANY = 100
"""From so many new reports on, starting processes pays off."""
_AT_ONCE = 4
"""At most so many processes: as many as the queue in `dagster.yaml` runs at once."""
_KILLED = (
    "A process that read reports was killed, perhaps for want of memory. "
    "Nothing is lost: run again, and what it had started is done again."
)
Span = tuple[dt.date, dt.date]
Results = list[tuple[str, WeekResult]]
"""The results of weeks, each with the name of its source."""


@dataclass(frozen=True, slots=True)
class DueWeeks:
    """The due weeks of a source; `beyond` are those that are no partition of it yet."""

    source: Source
    weeks: list[dt.date]
    beyond: list[dt.date]


def due_weeks(plan: Plan, span: Span | None, left: list[Unfinished]) -> DueWeeks:
    """Return the weeks of a span that are due, or that a killed run left unfinished."""
    source = plan.source
    again = {week for each in left if each.what == source.name for week in each.weeks}
    wanted = [
        week for week in sorted(again.union(plan.due)) if span is None or span[0] <= week <= span[1]
    ]
    if not wanted:
        return DueWeeks(source, [], [])
    keys = set(partitions_of(source).get_partition_keys())
    inside = [week for week in wanted if weeks.key_of(week) in keys]
    return DueWeeks(source, inside, [week for week in wanted if weeks.key_of(week) not in keys])


def many(space: Workspace, declared: Iterable[Source], span: Span | None) -> Results:
    """With many new reports, materialize the due weeks of their sources in several processes.

    Else do nothing: starting a process takes a second.

    Raises:
        ClickException: one of the processes was killed, or a run failed unexpectedly.
    """
    unread = {source.name: len(space.plan(source).unread) for source in declared}
    # Not every system knows how many cores a process may use.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    named = sorted((name for name in unread if unread[name]), key=lambda name: -unread[name])
    at_once = min(cores or 1, len(named), _AT_ONCE)
    if sum(unread.values()) < _MANY or at_once <= 1:
        return []
    results = []
    # Spawned: a fork would copy locks that belong to threads which it does not have.
    with (
        ProcessPoolExecutor(
            at_once, multiprocessing.get_context("spawn"), initializer=_end_with_the_parent
        ) as pool,
        _progress() as progress,
    ):
        started = {pool.submit(_all_due_of, space.warehouse, name, span): name for name in named}
        ended = as_completed(started)
        try:
            for each in progress.track(ended, total=len(started), description="sources"):
                results += [(started[each], result) for result in each.result()]
        except (BrokenProcessPool, KeyboardInterrupt) as error:
            # The pool asks the others to end and waits, but Dagster does not obey.
            for child in multiprocessing.active_children():
                child.kill()
            if isinstance(error, KeyboardInterrupt):
                raise
            raise ClickException(_KILLED) from error
    for name in named:
        del space.plans[name]  # the other process has made it stale
    return results


def _end_with_the_parent() -> None:
    """End this process when the one that started it ends, even if that is killed."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _all_due_of(warehouse: Warehouse, name: str, span: Span | None) -> list[WeekResult]:
    """Materialize the due weeks of a source, in a process of its own."""
    results: list[WeekResult] = []
    space = Workspace(warehouse, on_week=results.append)
    plan = space.read_new(sources()[name])
    with _runs(space) as runs:
        runs.of_weeks(due_weeks(plan, span, []))
    return results


def all_due(
    space: Workspace, wanted: list[DueWeeks], left: list[Unfinished]
) -> tuple[Results, list[dg.AssetCheckEvaluation]]:
    """Run the due weeks source by source, then the models, with a progress bar.

    Returns:
        The results of the weeks, and the checks of the tables that failed.

    Raises:
        ClickException: the build failed, and why.
    """
    results: Results = []
    with _runs(space) as runs, _progress() as progress:
        _close(runs.instance, left)
        count = (
            sum(len(each.weeks) for each in wanted) or 1
        )  # without weeks, the tables are one step
        task = progress.add_task("weeks", total=count)
        for each in wanted:
            progress.update(task, description=each.source.name)

            def done(result: WeekResult, name: str = each.source.name) -> None:
                results.append((name, result))
                progress.advance(task)

            space.on_week = done
            runs.of_weeks(each)
        progress.update(task, description="models")
        failed = runs.of_tables()
        progress.update(task, completed=count)
    return results, failed


@dataclass(frozen=True, slots=True)
class _Runs:
    """Executes the project's job, a run at a time."""

    space: Workspace
    job: dg.JobDefinition
    instance: dg.DagsterInstance

    def of_weeks(self, due: DueWeeks) -> None:
        """Run the due weeks of a source; each is reported to the workspace once it is written."""
        for span in weeks.runs_of_weeks(due.weeks):
            tags = {
                "dagster/asset_partition_range_start": weeks.key_of(span[0]),
                "dagster/asset_partition_range_end": weeks.key_of(span[1]),
            }
            # Weeks that were refused are reported by name.
            self._execute(
                due.source.name, [report_key(due.source.name)], tags, weeks.between(*span)
            )

    def of_tables(self) -> list[dg.AssetCheckEvaluation]:
        """Run all models as one; return the checks that failed.

        Raises:
            ClickException: the build failed, and why.
        """
        keys = self.job.asset_layer.executable_asset_keys
        done = self._execute(journal.TABLES, [key for key in keys if key.path[0] != "reports"])
        if isinstance(done, str):
            raise ClickException(done)
        return [
            each
            for each in done.get_asset_check_evaluations()
            if not each.passed and each.severity == dg.AssetCheckSeverity.ERROR
        ]

    def _execute(
        self,
        what: str,
        assets: list[dg.AssetKey],
        tags: dict[str, str] | None = None,
        covered: Iterable[dt.date] = (),
    ) -> dg.ExecuteInProcessResult | str:
        """Execute a Dagster run; return why it failed, if an asset reports that it has.

        A run that fails unexpectedly stays in the journal: the next one records what it wrote.
        """
        run_id = str(uuid.uuid4())
        with journal.entry(self.space.warehouse, run_id, what, list(covered)):
            result = self.job.execute_in_process(
                run_config=_QUIET,
                instance=self.instance,
                run_id=run_id,
                asset_selection=assets,
                tags=tags,
                raise_on_error=False,
            )
            if result.success:
                return result
            failure = next(iter(result.get_step_failure_events()), None)
            data = failure.step_failure_data if failure else None
            if data is not None and data.user_failure_data is not None:
                return data.user_failure_data.description or "the run failed"
            raise ClickException(data.error.to_string() if data and data.error else "run failed")


@contextmanager
def _runs(space: Workspace) -> Iterator[_Runs]:
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    write_ahead_log.trust()
    with open_instance(space.warehouse) as instance:
        compute_log.leave_in_terminal(instance)
        yield _Runs(space, _job(space), instance)


def _job(space: Workspace) -> dg.JobDefinition:
    given = dg.ResourceDefinition.hardcoded_resource(space)
    return complete(_loaded(), given).resolve_implicit_global_asset_job_def()


@cache
def _loaded() -> dg.Definitions:
    return defs_to_run()


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
        console=output.err,
    )


def _close(instance: dg.DagsterInstance, left: list[Unfinished]) -> None:
    """Mark runs whose process has died as failed, so that none seems to run for ever."""
    for run_id in {each.run_id for each in left}:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, "The process was killed; the next run has taken over.")
