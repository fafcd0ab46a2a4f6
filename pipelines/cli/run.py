"""`fundflows run`: sweeps the inbox, materializes what is due, and prints the results."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path

from pipelines.cli import execution, output
from pipelines.cli.execution import DueWeeks, Span
from pipelines.components.workspace import Workspace
from pipelines.database.answers import latest_aum_change, refused_weeks, stale_sources
from pipelines.database.labels import unmapped_labels
from pipelines.database.publish import fingerprint, published_fingerprint
from pipelines.ingest.plan import Plan
from pipelines.ingest.sources import other_sources, sources
from pipelines.store import inbox, journal
from pipelines.store.files import write_whole
from pipelines.store.journal import Unfinished
from pipelines.store.paths import Warehouse
from schemas.dimensions import SUMMARIES


def run_due(space: Workspace, span: Span | None) -> int:
    """Materialize what is new or changed, publish, and print the latest week.

    Returns:
        The exit code: 1 if a report or a week of this run was refused.
    """
    warehouse, declared = space.warehouse, sources()
    arrived = _sweep(warehouse, declared)
    left = _left_behind(warehouse, span)
    results = execution.many(space, declared.values(), span)
    plans = [space.read_new(source) for source in declared.values()]
    due = [execution.due_weeks(plan, span, left) for plan in plans]
    unusable = _report_unusable(plans, arrived)
    _report_beyond(due)
    count = len(results) + sum(len(each.weeks) for each in due)
    stamp = fingerprint(warehouse, plans, space.now())
    if count == 0 and not left and published_fingerprint(warehouse) == stamp:
        output.note(f"Nothing is new: {warehouse.database} is up to date.")
        _remind_of_refusals(warehouse)
        stale = stale_sources(warehouse.database)
        for line in stale:
            output.problem_text(f"served as before: {line}")
        return 1 if unusable or stale else 0
    done, failed = execution.all_due(space, due, left)
    results += done
    for each in left:
        each.file.unlink(missing_ok=True)
    refused = [f"{source} {failure}" for source, result in results for failure in result.failures]
    for failure in refused:
        output.problem_text(f"week refused: {failure}\n")
    for check in failed:
        output.problem_text(f"check failed: {check.check_name}: {check.description or ''}\n")
    named = {(source, result.week) for source, result in results if result.failures}
    read = {(source, result.week) for source, result in results}
    reopened = _remind_of_refusals(warehouse, named) & read
    _print_latest(warehouse)
    output.note(f"{count} week{'s' * (count != 1)} read. Published {warehouse.database}")
    return 1 if unusable or refused or failed or reopened else 0


def _sweep(warehouse: Warehouse, known: Iterable[str]) -> set[str]:
    """Move the inboxes into the archive; return the ids of reports that are new."""
    known = set(known)
    arrived: set[str] = set()
    for name in sorted(known):
        swept = inbox.sweep(warehouse, name)
        arrived |= {each.report.report_id for each in swept if each.is_new}
        for each in swept:
            state = "archived" if each.is_new else "same bytes as before: nothing to do"
            output.note(f"inbox: {name}/{each.report.name} {state}")
    strangers = [
        folder.name
        for folder in sorted((warehouse.root / "inbox").glob("*"))
        if folder.name not in known and not folder.name.startswith(".")
    ]
    for inside in (each for name in sorted(known) for each in warehouse.inbox(name).glob("*")):
        if inside.is_dir():
            place = f"{inside.parent.name}/{inside.name}"
            output.warning(f"inbox: {place} is a folder: nothing in it is read")
    if strangers:
        output.warning(
            f"inbox: {', '.join(strangers)} is no source and stays where it is; "
            f"sources are {', '.join(sorted(known))}"
        )
    return arrived


def _left_behind(warehouse: Warehouse, span: Span | None) -> list[Unfinished]:
    """Return what runs that were killed have left unfinished, which is to be done again.

    With a span, only what is wholly in it: the rest waits for a run over all weeks.
    """
    left = [
        each
        for each in journal.unfinished(warehouse)
        if span is None or all(span[0] <= week <= span[1] for week in each.weeks)
    ]
    runs = len({each.run_id for each in left})
    if runs:
        output.note(f"{runs} run{'s' * (runs != 1)} did not end: what was started is done again")
    return left


def _report_unusable(plans: Sequence[Plan], arrived: set[str]) -> int:
    """Print every report that cannot be used: in full when it is new or stale, else in one line.

    Returns:
        How many are new or stale.
    """
    fresh = 0
    for plan in plans:
        for each in plan.unusable:
            if each.is_stale or each.report_id in plan.lost:
                fresh += 1
                output.problem_text(each.error or "")
                if each.is_stale:
                    output.warning(f"  {plan.source.name}: what was read of it before stays")
            elif each.report_id in arrived:
                fresh += 1
                output.problem_text(each.error or "")
                report = each.archived.report
                if not each.is_on_hold:
                    output.belongs_to(other_sources(plan.source, report, each.archived.content()))
            else:
                first = (each.error or "").partition("\n")[0]
                output.warning(f"unusable: {plan.source.name}/{each.name}: {first}")
    return fresh


def _report_beyond(due: list[DueWeeks]) -> None:
    for each in due:
        if each.beyond:
            output.warning(
                f"{each.source.name}: {output.span_of(each.beyond)} is outside the source's weeks "
                f"(first {each.source.week.first}, last the one that has ended): left for later"
            )


def _remind_of_refusals(
    warehouse: Warehouse, named: Collection[tuple[str, dt.date]] = ()
) -> set[tuple[str, dt.date]]:
    """Print one line per week whose newest report was refused, so that an older one counts.

    Returns:
        The sources and weeks, but for those that were named.
    """
    open_weeks = [each for each in refused_weeks(warehouse.database) if each[:2] not in named]
    for source, week, rules in open_weeks:
        output.warning(
            f"still refused: {source} week {week} ({rules}); see ops.check_result and "
            "docs/a-report-was-refused.md"
        )
    return {(source, week) for source, week, _ in open_weeks}


def _print_unmapped(warehouse: Warehouse) -> None:
    """Print labels that mean no member; of many, their number and where the rows to add are."""
    shutil.rmtree(warehouse.unmapped, ignore_errors=True)
    for (source, place), labels in output.by_file(unmapped_labels(warehouse.database)).items():
        if len(labels) <= output.FEW_LABELS:
            for each in labels:
                output.warning(f"unmapped label: {each}")
            continue
        file = warehouse.unmapped / f"{source}.{Path(place).name}"
        rows = "".join(f"{each.row}\n" for each in labels)
        write_whole(file, partial(Path.write_text, data=rows, encoding="utf-8"))
        such = ", ".join(repr(each.label) for each in labels[:3])
        output.warning(
            f"unmapped labels: {source}: {len(labels):,}, such as {such}; "
            f"the rows to add to {place} are in {file}"
        )


def _print_latest(warehouse: Warehouse) -> None:
    """Print the AUM change of each source's latest week by asset, issuer and country."""
    _print_unmapped(warehouse)
    for dimension in SUMMARIES:
        title = f"by {dimension}" if dimension != "total" else "in total"
        output.aum_change(
            f"AUM change of the latest week, US$m: {title}",
            latest_aum_change(warehouse.database, dimension),
        )
