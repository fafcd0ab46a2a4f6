"""The checks of a source, made from its plan and its week files."""

import datetime as dt
from collections.abc import Iterator

import dagster as dg

from pipelines import weeks
from pipelines.components import metadata
from pipelines.ingest import calendar
from pipelines.ingest.plan import Plan
from pipelines.ingest.status import week_statuses
from pipelines.store.paths import Warehouse

CHECKS = {
    "contract": "Every number keeps the contract of an observation; refused ones are in "
    "ops.quarantine with their cell.",
    "totals": "Printed totals equal the sum of their parts within rounding (F9).",
    "position": "AUM equals NAV x shares outstanding within rounding.",
    "readable": "Every archived report can be used; one that cannot says why.",
    "on_time": "The week that was expected last, by the release calendar, has a report.",
}
_SUMS = ("total", "same_total")


def report_key(source: str) -> dg.AssetKey:
    """Return the asset key of a source."""
    return dg.AssetKey(["reports", source])


def readable(known: Plan) -> dg.AssetCheckResult:
    """Check that every archived report can be used; name those that cannot, and why."""
    unusable = [
        f"{each.name}: {(each.error or '').partition(chr(10))[0]}" for each in known.unusable
    ]
    return dg.AssetCheckResult(
        asset_key=report_key(known.source.name),
        check_name="readable",
        passed=not unusable,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"reports": len(known.reports), **metadata.bullets("unusable", unusable[::-1])},
    )


def on_time(known: Plan, now: dt.datetime) -> dg.AssetCheckResult:
    """Check that no week is late; name those that are, and by when they were expected."""
    source = known.source
    covered = calendar.coverage(source, known.coverage, now)
    late = [
        f"the week to {each.week} was expected by {each.expected_by:%Y-%m-%d %H:%M} UTC"
        for each in calendar.overdue(covered)
    ]
    there = [each.week for each in covered if each.first_known_at]
    return dg.AssetCheckResult(
        asset_key=report_key(source.name),
        check_name="on_time",
        passed=not late,
        description=f"{len(late)} missing, first {late[0]}" if late else None,
        metadata={
            **({"last_week": weeks.key_of(there[-1])} if there else {}),
            "missing_weeks": sum(each.state == "missing" for each in covered),
            **metadata.bullets("late", late[::-1]),
            **({} if source.release else {"calendar": "none: no report is ever late"}),
        },
    )


def check_results(warehouse: Warehouse, known: Plan, now: dt.datetime) -> list[dg.AssetCheckResult]:
    """Return one evaluation per check over all weeks on disk, so that no run hides what is open.

    Only the newest report of a week counts. ops.check_result has them per week and report.
    """
    return [readable(known), on_time(known, now), *_of_weeks(warehouse, known)]


def _of_weeks(warehouse: Warehouse, known: Plan) -> Iterator[dg.AssetCheckResult]:
    key = report_key(known.source.name)
    statuses = week_statuses(warehouse, known)
    covered = {"weeks_with_reports": len(statuses)}
    refused = [
        f"{each.week}: {each.refused_rows} refused" for each in statuses if each.refused_rows
    ]
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name="contract",
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={**covered, **metadata.bullets("refused", refused[::-1])},
    )
    for name, rules in (("totals", _SUMS), ("position", ("position",))):
        lines = [line for each in statuses for line in each.unexplained if line.rule in rules]
        blocking = any(line.blocking for line in lines)
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name=name,
            passed=not lines,
            severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
            metadata={
                **covered,
                **metadata.bullets("unexplained", [line.text for line in lines[::-1]]),
            },
        )
