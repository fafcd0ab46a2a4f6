"""From the archive to the week files: read, check, and write the weeks of a plan.

A week is a pure function of all its reports, so reports may come in any order and be read by any
number of processes. `plan` decides what is due, `checking` what adds up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import polars as pl

from pipelines.checking.check import Checked, blocking, check
from pipelines.errors import FundflowsError
from pipelines.ingest.plan import Outdated, Plan
from pipelines.ingest.read import reading_of, unexpected
from pipelines.ingest.results import WeekResult
from pipelines.ingest.status import failed_outcomes, reason
from pipelines.ingest.vintages import by_week
from pipelines.reading.reader import Reading
from pipelines.store import archive, week_files
from pipelines.store.archive import Archived
from pipelines.store.files import one_at_a_time
from pipelines.store.paths import Warehouse
from pipelines.store.week_files import Frames, Mark, Vintage
from schemas.observation import Observation, Outcome, Refused, empty

_TOGETHER = 256
"""Reports that are checked at once, so that memory does not grow with the history."""
_NOTHING: Frames = {
    "weeks": empty(Observation),
    "quarantine": empty(Refused),
    "outcomes": empty(Outcome),
}


class Unusable(Exception):
    """Reports of a plan cannot be used after all; why, by id."""

    def __init__(self, errors: Mapping[str, FundflowsError]) -> None:
        super().__init__(errors)
        self.errors = errors


def ingest(
    warehouse: Warehouse,
    plan: Plan,
    weeks: Collection[dt.date],
    *,
    on_week: Callable[[WeekResult], None] = lambda _: None,
) -> tuple[list[WeekResult], Plan]:
    """Read, check and write the given weeks of a source from the archive.

    Weeks are written one by one, in order, and reported through `on_week` once they are on disk.
    A week that no report covers is a result with zero rows. Nothing of a refused vintage reaches
    the week; the vintages before it stay.

    Two processes may have planned the same weeks at different states of the archive: under the
    source's lock each looks once more before it writes, so that it writes all that is known.

    Returns:
        What came of each week, and the next plan.

    Raises:
        Outdated: reports have come since the plan was made. Nothing is written: plan again.
        Unusable: reports of the plan cannot be used after all. Nothing is written: go on without.
    """
    wanted = sorted(set(weeks))
    rows = _rows(warehouse, plan, wanted)
    with one_at_a_time(warehouse.weeks_of(plan.source.name)):
        if archive.ids(warehouse, plan.source.name) != plan.listed:
            raise Outdated(plan.source.name)
        return _write(warehouse, plan, wanted, rows, on_week)


def _rows(warehouse: Warehouse, plan: Plan, wanted: list[dt.date]) -> dict[dt.date, Frames]:
    """Return all that the reports say about the wanted weeks, oldest vintage first.

    Where all new reports are newer than those on disk, the rows of the older ones are taken from
    the week's files: one more vintage costs the same after ten and after a thousand. So are those
    of reports that can no longer be read.
    """
    vintages = {week: plan.vintages[week] for week in wanted if week in plan.vintages}
    kept = {week: _kept(warehouse, plan, week) for week in vintages}
    fresh = [
        (week, report_id)
        for week, of_week in vintages.items()
        for report_id, _ in of_week[len(kept[week][0]) :]
        if report_id not in plan.stale
    ]
    pairs = pl.DataFrame(fresh, {"week_ending": pl.Date, "report_id": pl.String}, orient="row")
    needed = {report_id for _, report_id in fresh}
    reports = [each.archived for each in plan.reports if each.report_id in needed]
    checked = [
        _only(_checked(plan, reports[start : start + _TOGETHER]), pairs)
        for start in range(0, len(reports), _TOGETHER)
    ]
    return by_week(vintages, Checked.joined([*(rows for _, rows in kept.values()), *checked]))


def _kept(warehouse: Warehouse, plan: Plan, week: dt.date) -> tuple[tuple[Vintage, ...], Checked]:
    """Return a week's vintages on disk to which newer ones can be added, and the rows to keep.

    A week that is wanted although nothing is new is made from the archive again, but for what is
    stale.
    """
    mark, wanted = plan.written.get(week), plan.vintages[week]
    if mark is None:
        return (), Checked.joined([])
    count = len(mark.vintages)
    grows = count < len(wanted) and (mark.rules, mark.vintages) == (plan.rules, wanted[:count])
    stays = plan.stale.intersection(report_id for report_id, _ in wanted)
    if grows or stays:
        frames = week_files.read(warehouse, plan.source.name, week, mark)
        if frames is not None and grows:
            return mark.vintages, Checked(*frames.values())
        if frames is not None:
            stale = pl.col("report_id").is_in(list(stays))
            return (), Checked(*(rows.filter(stale) for rows in frames.values()))
    return (), Checked.joined([])


def _checked(plan: Plan, reports: list[Archived]) -> Checked:
    """Read and check reports together.

    Raises:
        Unusable: the reports that cannot be read or checked.
    """
    readings: dict[str, Reading] = {}
    errors: dict[str, FundflowsError] = {}
    for each in reports:
        report_id = each.report.report_id
        try:
            readings[report_id] = plan.readings.get(report_id) or reading_of(plan.source, each)
        except FundflowsError as error:
            errors[report_id] = error
    if errors:
        raise Unusable(errors)
    try:
        return check(list(readings.values()), plan.accepted)
    except Exception as first:  # one odd report among many: which one?
        for each in reports:
            try:
                check([readings[each.report.report_id]], plan.accepted)
            except Exception as error:  # noqa: BLE001 (whatever it is, it is this report's)
                errors[each.report.report_id] = unexpected(plan.source, each, error)
        if not errors:
            raise
        raise Unusable(errors) from first


def _only(checked: Checked, pairs: pl.DataFrame) -> Checked:
    """Keep only the rows of these weeks and reports."""
    on = pairs.columns
    return Checked(
        checked.observations.join(pairs, on=on, how="semi"),
        checked.refused.join(pairs, on=on, how="semi"),
        checked.outcomes.join(pairs, on=on, how="semi"),
    )


def _write(
    warehouse: Warehouse,
    plan: Plan,
    wanted: list[dt.date],
    rows: Mapping[dt.date, Frames],
    on_week: Callable[[WeekResult], None],
) -> tuple[list[WeekResult], Plan]:
    names = {each.report_id: each.name for each in plan.reports}
    results, marks = [], {}
    for week in wanted:
        frames = rows.get(week, _NOTHING)
        marks[week] = _marked(plan, week, frames)
        week_files.write(warehouse, plan.source.name, week, frames, marks[week])
        results.append(_result(week, frames, marks[week], names))
        on_week(results[-1])
    return results, plan.with_written(marks)


def _marked(plan: Plan, week: dt.date, frames: Frames) -> Mark:
    mark = plan.mark_of(week)
    if not mark.vintages:
        return mark
    newest, _ = mark.vintages[-1]
    return replace(mark, is_clean=failed_outcomes(frames["outcomes"], newest).is_empty())


def _result(week: dt.date, rows: Frames, mark: Mark, names: Mapping[str, str]) -> WeekResult:
    admitted = rows["weeks"].get_column("report_id").unique(maintain_order=True)
    outcomes = rows["outcomes"]
    blocked: dict[str, list[str]] = {}
    for row in blocking(outcomes).iter_rows(named=True):
        blocked.setdefault(row["report_id"], []).append(reason(row))
    # Only the newest report makes a week fail: it answers the refusals of older ones.
    newest = mark.vintages[-1][0] if mark.vintages else ""
    return WeekResult(
        week=week,
        rows=rows["weeks"].height,
        vintages=admitted.len(),
        refused_rows=rows["quarantine"].height,
        verdicts=dict(outcomes.group_by("verdict").len().sort("verdict").iter_rows()),
        reports=tuple(names[report_id] for report_id, _ in mark.vintages),
        report_ids=tuple(report_id for report_id, _ in mark.vintages),
        refused_reports=tuple(names[report_id] for report_id in blocked),
        failures=tuple(f"{names[newest]}: {why}" for why in blocked.get(newest, [])),
        sample=rows["weeks"]
        .filter(pl.col("value").is_not_null())
        .unique(["label", "measure", "period"], keep="last", maintain_order=True)
        .head(6),
    )
