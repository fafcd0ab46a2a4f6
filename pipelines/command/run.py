"""`fundflows run`: the weeks that are due, as Dagster runs in this process, then the models.

The runs are recorded in the Dagster instance, so the UI shows them like any other. Apart from
progress and messages nothing is done here that the assets do not do.
"""

from __future__ import annotations

import datetime as dt
import logging
import sqlite3
import uuid
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import dagster as dg
import duckdb
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import event
from sqlalchemy.engine import Engine

from pipelines.build import database
from pipelines.command import show, step_output
from pipelines.command.sources import other_sources
from pipelines.components.fund_flow_report import key_of, partitions_of
from pipelines.definitions import defs_to_run
from pipelines.reports import archive, begun, facts, layout, survey, weeks
from pipelines.reports.begun import Begun
from pipelines.reports.facts import WeekResult
from pipelines.reports.layout import Source
from pipelines.reports.warehouse import Warehouse

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
Span = tuple[dt.date, dt.date]


@dataclass(frozen=True, slots=True)
class _Due:
    """What there is to do for a source."""

    source: Source
    weeks: list[dt.date]
    beyond: list[dt.date]


def run_due(warehouse: Warehouse, span: Span | None) -> int:
    """Materialize what is new or changed, publish, and print the latest week.

    Returns:
        The exit code: 1 if a report or a week of this run was refused.
    """
    sources = layout.sources()
    arrived = _sweep(warehouse, sources.values())
    left = _left_behind(warehouse, span)
    due = [_due(warehouse, source, span, left) for source in sources.values()]
    unusable = _report_unusable(warehouse, sources.values(), arrived)
    _report_beyond(due)
    count = sum(len(each.weeks) for each in due)
    stamp = database.fingerprint(warehouse, sources.values())
    if count == 0 and not left and database.published_fingerprint(warehouse) == stamp:
        show.note(f"Nothing is new: {warehouse.database} is up to date.")
        _remind_of_refusals(warehouse)
        return 1 if unusable else 0
    results = _materialize(warehouse, due, left)
    for each in left:
        each.file.unlink(missing_ok=True)
    refused = [f"{source} {failure}" for source, result in results for failure in result.failures]
    for failure in refused:
        show.problem_text(f"week refused: {failure}\n")
    _show_latest(warehouse)
    show.note(f"{count} week{'s' * (count != 1)} read. Published {warehouse.database}")
    return 1 if unusable or refused else 0


@event.listens_for(Engine, "connect")
def _trust_the_write_ahead_log(connection: sqlite3.Connection, _: object) -> None:
    """Let Dagster's event log commit without waiting for the disk.

    Its SQLite files have a write-ahead log, so a crash leaves them whole; a power cut may cost the
    last events, which only say what the weeks' own files say. Halves the time of a run.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = normal")


def _sweep(warehouse: Warehouse, sources: Iterable[Source]) -> set[str]:
    """Empty the inboxes into the archive; return the ids of reports that are new."""
    known = {source.name for source in sources}
    arrived: set[str] = set()
    for name in sorted(known):
        swept = archive.sweep(warehouse, name)
        arrived |= {each.report.report_id for each in swept if each.is_new}
        for each in swept:
            state = "archived" if each.is_new else "same bytes as before: nothing to do"
            show.note(f"inbox: {name}/{each.report.name} {state}")
    strangers = [
        folder.name
        for folder in sorted((warehouse.root / "inbox").glob("*"))
        if folder.name not in known and not folder.name.startswith(".")
    ]
    for inside in (each for name in sorted(known) for each in warehouse.inbox(name).glob("*")):
        if inside.is_dir():
            place = f"{inside.parent.name}/{inside.name}"
            show.warning(f"inbox: {place} is a folder: nothing in it is read")
    if strangers:
        show.warning(
            f"inbox: {', '.join(strangers)} is no source and stays where it is; "
            f"sources are {', '.join(sorted(known))}"
        )
    return arrived


def _left_behind(warehouse: Warehouse, span: Span | None) -> list[Begun]:
    """Return what runs that were killed had begun, and what is to be done once more.

    With a span, only those that lie in it: the others are for a run that may do all of it.
    """
    left = [
        each
        for each in begun.abandoned(warehouse)
        if span is None or all(span[0] <= week <= span[1] for week in each.weeks)
    ]
    runs = len({each.run_id for each in left})
    if runs:
        show.note(f"{runs} run{'s' * (runs != 1)} did not end: what was begun is done once more")
    return left


def _due(warehouse: Warehouse, source: Source, span: Span | None, left: list[Begun]) -> _Due:
    """Return the due weeks, apart from those that are no partition of the source yet."""
    again = {week for each in left if each.what == source.name for week in each.weeks}
    wanted = [
        week
        for week in sorted(again.union(facts.due(warehouse, source)))
        if span is None or span[0] <= week <= span[1]
    ]
    if not wanted:
        return _Due(source, [], [])
    keys = set(partitions_of(source).get_partition_keys())
    inside = [week for week in wanted if weeks.key_of(week) in keys]
    return _Due(source, inside, [week for week in wanted if weeks.key_of(week) not in keys])


def _report_unusable(warehouse: Warehouse, sources: Iterable[Source], arrived: set[str]) -> int:
    """Print every report that cannot be used: in full when it is new, in a line afterwards."""
    fresh = 0
    for source in sources:
        for each in survey.contents(warehouse, source):
            if each.error is None:
                continue
            if each.archived.report.report_id in arrived:
                fresh += 1
                show.problem_text(each.error)
                content = each.archived.content()
                show.belongs_to(other_sources(source, each.archived.report, content))
            else:
                first = each.error.partition("\n")[0]
                show.warning(f"unusable: {source.name}/{each.archived.report.name}: {first}")
    return fresh


def _report_beyond(due: list[_Due]) -> None:
    for each in due:
        if each.beyond:
            show.warning(
                f"{each.source.name}: {show.span_of(each.beyond)} is outside the source's weeks "
                f"(first {each.source.week.first}, last the one that has ended): left for later"
            )


def _materialize(
    warehouse: Warehouse, due: list[_Due], left: list[Begun]
) -> list[tuple[str, WeekResult]]:
    """Run the due weeks source by source, then the models, with a progress bar."""
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    job = defs_to_run().resolve_implicit_global_asset_job_def()
    results: list[tuple[str, WeekResult]] = []
    with (
        dg.DagsterInstance.get() as instance,
        Progress(
            TextColumn("{task.description:<14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=show.err,
        ) as progress,
    ):
        step_output.leave_in_terminal(instance)
        _close(instance, left)
        task = progress.add_task("weeks", total=sum(len(each.weeks) for each in due))
        for each in due:
            progress.update(task, description=each.source.name)

            def done(result: WeekResult, name: str = each.source.name) -> None:
                results.append((name, result))
                progress.advance(task)

            token = facts.watcher.set(done)
            for span in weeks.runs_of_weeks(each.weeks):
                _execute(warehouse, job, instance, each.source.name, span)
            facts.watcher.reset(token)
        progress.update(task, description="models")
        _execute(warehouse, job, instance, begun.TABLES, None)
    return results


def _execute(
    warehouse: Warehouse,
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    what: str,
    span: Span | None,
) -> None:
    """Run the weeks of a source, or the models, as one Dagster run.

    A run that fails unforeseen stays named as begun: what it has written is told by the next.
    """
    run_id, tags, covered = str(uuid.uuid4()), {}, []
    assets = [key for key in job.asset_layer.executable_asset_keys if key.path[0] != "facts"]
    if span is not None:
        assets, covered = [key_of(what)], weeks.between(*span)
        tags["dagster/asset_partition_range_start"] = weeks.key_of(span[0])
        tags["dagster/asset_partition_range_end"] = weeks.key_of(span[1])
    with begun.begin(warehouse, run_id, what, covered):
        result = job.execute_in_process(
            run_config=_QUIET,
            instance=instance,
            run_id=run_id,
            asset_selection=assets,
            tags=tags,
            raise_on_error=False,
        )
        failure = next(iter(result.get_step_failure_events()), None)
        data = failure.step_failure_data if failure else None
        told = data.user_failure_data if data else None
        if not result.success and told is None:
            raise click_error(data.error.to_string() if data and data.error else "run failed")
    if told is not None and span is None:  # weeks that were refused are reported by name
        raise click_error(told.description or "the build failed")


def click_error(message: str) -> Exception:
    """Return the exception that ends the command with a message."""
    import click

    return click.ClickException(message)


def _close(instance: dg.DagsterInstance, left: list[Begun]) -> None:
    """Mark runs whose process is gone as failed, so that none runs for ever."""
    for run_id in {each.run_id for each in left}:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, "The process was killed; the next run has taken over.")


def _remind_of_refusals(warehouse: Warehouse) -> None:
    """Say in a line each which weeks still stand as before a refused report."""
    with closing(duckdb.connect(str(warehouse.database), read_only=True)) as connection:
        for source, week, rules in connection.execute(_STILL_REFUSED).fetchall():
            show.warning(
                f"still refused: {source} week {week} ({rules}); see ops.check_result and "
                "docs/a-report-was-refused.md"
            )


_STILL_REFUSED = """
with newest as (
    select source, week_ending, rule, outcome
    from ops.check_result
    qualify rank() over (partition by source, week_ending order by known_at desc, report_id) = 1
)
select source, week_ending, string_agg(rule, ', ' order by rule)
from newest
where outcome = 'fail'
group by all
order by all
"""


def _show_latest(warehouse: Warehouse) -> None:
    """Print the AUM change of each source's latest week by asset, issuer and country."""
    with closing(duckdb.connect(str(warehouse.database), read_only=True)) as connection:
        for line in database.unmapped_labels(warehouse.database):
            show.warning(f"unmapped label: {line}")
        for dimension in ("total", "asset", "issuer", "country"):
            rows = connection.execute(_LATEST, [dimension])
            names = [column[0] for column in rows.description or []]
            show.aum_change(
                "AUM change of the latest week, US$m: "
                + (f"by {dimension}" if dimension != "total" else "in total"),
                [dict(zip(names, row, strict=True)) for row in rows.fetchall()],
            )


_LATEST = """
with latest as (
    select source, dimension, max(week_ending) as week_ending
    from mart.flows
    where net_flow_usd is not null and dimension = ?
    group by all
)
select
    flows.source,
    flows.week_ending,
    flows.member_name,
    aum_open_usd,
    flows.net_flow_usd,
    market_effect_usd,
    if(
        coalesce(fx_effect_usd, corporate_action_usd, universe_effect_usd) is null,
        null,
        coalesce(fx_effect_usd, 0) + coalesce(corporate_action_usd, 0)
        + coalesce(universe_effect_usd, 0)
    ) as other_usd,
    aum_close_usd,
    aum_change_pct,
    flows.status
from mart.flows
inner join latest using (source, dimension, week_ending)
left join mart.aum_change using (source, week_ending, dimension, member)
order by flows.source, abs(flows.net_flow_usd) desc nulls last
"""
