"""`fundflows run`: sweeps the inbox, has what is due materialized, and says what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

import duckdb

from pipelines.build import database
from pipelines.command import materialize, show
from pipelines.command.materialize import Due, Span
from pipelines.command.sources import other_sources
from pipelines.reports import archive, begun, layout, survey
from pipelines.reports.begun import Begun
from pipelines.reports.layout import Source
from pipelines.reports.warehouse import Warehouse


def run_due(warehouse: Warehouse, span: Span | None) -> int:
    """Materialize what is new or changed, publish, and print the latest week.

    Returns:
        The exit code: 1 if a report or a week of this run was refused.
    """
    sources = layout.sources()
    arrived = _sweep(warehouse, sources.values())
    left = _left_behind(warehouse, span)
    results = materialize.many(warehouse, sources.values(), span)
    due = [materialize.due(warehouse, source, span, left) for source in sources.values()]
    unusable = _report_unusable(warehouse, sources.values(), arrived)
    _report_beyond(due)
    count = len(results) + sum(len(each.weeks) for each in due)
    stamp = database.fingerprint(warehouse, sources.values())
    if count == 0 and not left and database.published_fingerprint(warehouse) == stamp:
        show.note(f"Nothing is new: {warehouse.database} is up to date.")
        _remind_of_refusals(warehouse)
        return 1 if unusable else 0
    results += materialize.all_due(warehouse, due, left)
    for each in left:
        each.file.unlink(missing_ok=True)
    refused = [f"{source} {failure}" for source, result in results for failure in result.failures]
    for failure in refused:
        show.problem_text(f"week refused: {failure}\n")
    _show_latest(warehouse)
    show.note(f"{count} week{'s' * (count != 1)} read. Published {warehouse.database}")
    return 1 if unusable or refused else 0


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


def _report_beyond(due: list[Due]) -> None:
    for each in due:
        if each.beyond:
            show.warning(
                f"{each.source.name}: {show.span_of(each.beyond)} is outside the source's weeks "
                f"(first {each.source.week.first}, last the one that has ended): left for later"
            )


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
