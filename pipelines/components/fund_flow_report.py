"""A source: one weekly-partitioned asset whose key is the week-ending date.

Everything that the asset does is done by `reports`; here is only how Dagster calls it and what it
is told. No source is known by name.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pydantic

from pipelines.components import metadata
from pipelines.reports import begun, facts, release, survey, weeks
from pipelines.reports.facts import WeekResult
from pipelines.reports.layout import Source, SourceFile, parse_source
from pipelines.reports.warehouse import Warehouse
from schemas.observation import Observation

CHECKS = {
    "contract": "Every number keeps the contract of an observation; refused ones are in "
    "ops.quarantine with their cell.",
    "totals": "Printed totals equal the sum of their parts within rounding (F9).",
    "position": "AUM equals NAV x shares outstanding within rounding.",
    "readable": "Every archived report can be used; one that cannot says why.",
    "on_time": "The week that was expected last, by the release calendar, has a report.",
}
_SUMS = ("total", "same_total")


class FundFlowReport(dg.Component):
    """A publisher's series of reports, described by the `defs.yaml` of its folder."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @classmethod
    def get_model_cls(cls) -> type[pydantic.BaseModel]:
        """Return the model of the attributes, for `dg` and editors."""
        return SourceFile

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> "FundFlowReport":
        """Make the component of a folder; the folder's name is the source's name."""
        declared = attributes.model_dump(exclude_unset=True) if attributes else {}
        name = context.path.name
        return cls(parse_source(name, declared, str(context.path / "defs.yaml")))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """Return the source's asset with its checks."""
        return dg.Definitions(assets=[asset_of(self.source)])


def key_of(source: str) -> dg.AssetKey:
    """Return the asset key of a source: path is identity, as in `warehouse/facts/<source>`."""
    return dg.AssetKey(["facts", source])


def partitions_of(source: Source) -> dg.WeeklyPartitionsDefinition:
    """Return the weeks of a source, by week-ending date.

    The newest key is there from the day on which its week ends; a source that prints single days
    has the current week's key too.
    """
    return dg.WeeklyPartitionsDefinition(
        start_date=weeks.key_of(source.week.first),
        day_offset=weeks.cron_day_offset(source.week.ends),
        end_offset=2 if source.week.in_progress else 1,
    )


def asset_of(source: Source) -> dg.AssetsDefinition:
    """Return the asset of a source."""

    @dg.asset(
        key=key_of(source.name),
        partitions_def=partitions_of(source),
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="reports",
        kinds={"polars", "parquet"},
        owners=[source.owner],
        code_version=source.fingerprint,
        description=f"{source.title}.\n\n{source.universe}. {source.notes}\n\n{source.url}",
        tags={"publisher": _tag(source.publisher)},
        metadata={
            "dagster/column_schema": metadata.column_schema(Observation),
            "dagster/storage_kind": "parquet",
            "dagster/table_name": f"facts.{source.name}",
            "layouts": ", ".join(layout.name for layout in source.layouts),
            "week_ends": source.week.ends,
        },
        check_specs=[
            dg.AssetCheckSpec(name, asset=key_of(source.name), description=description)
            for name, description in CHECKS.items()
        ],
    )
    def weeks_of_source(context: dg.AssetExecutionContext) -> Iterator[Any]:
        warehouse, wanted = Warehouse.default(), map(weeks.week_of, context.partition_keys)
        with begun.begin(
            warehouse, context.run.run_id, source.name, [*wanted], settled=(dg.Failure,)
        ):
            yield from _materialize(context, source)

    return weeks_of_source


def _tag(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text.lower()).strip("-")[:63]


def _materialize(context: dg.AssetExecutionContext, source: Source) -> Iterator[Any]:
    """Write the selected weeks; a refused week fails alone, and the run names it at its end."""
    wanted = [weeks.week_of(key) for key in context.partition_keys]
    results = facts.ingest(
        Warehouse.default(), source, wanted, on_week=lambda result: _log(context, result)
    )
    failed = [result for result in results if not result.ok]
    context.log.info(
        "%s weeks, %s rows, %s vintages, %s refused rows, %s weeks refused",
        len(results),
        sum(result.rows for result in results),
        sum(result.vintages for result in results),
        sum(result.refused_rows for result in results),
        len(failed),
    )
    if failed:
        # Dagster would drop all weeks of a failed step: record those that are on disk ourselves.
        for result in results:
            if result.ok:
                context.log_event(_materialization(source, result))
        yield from _checks(source)
        raise dg.Failure(
            description=f"{len(failed)} of {len(results)} weeks of {source.name} were refused",
            metadata={weeks.key_of(each.week): "\n".join(each.failures) for each in failed},
            allow_retries=False,
        )
    for result in results:
        context.add_asset_metadata(
            metadata.of_week(result),
            asset_key=key_of(source.name),
            partition_key=weeks.key_of(result.week),
        )
    yield dg.MaterializeResult(asset_key=key_of(source.name), check_results=list(_checks(source)))


def _materialization(source: Source, result: WeekResult) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key=key_of(source.name),
        partition=weeks.key_of(result.week),
        metadata=metadata.of_week(result),
        # A step that succeeds adds it itself; without it a new layout makes no week stale.
        tags={"dagster/code_version": source.fingerprint},
    )


def _log(context: dg.AssetExecutionContext, result: WeekResult) -> None:
    for failure in result.failures:
        context.log.error("%s refused: %s", result.week, failure)


def readable(source: Source) -> dg.AssetCheckResult:
    """Tell which archived reports cannot be used, and why."""
    known = survey.contents(Warehouse.default(), source)
    unusable = [
        f"{each.archived.report.name}: {each.error.partition(chr(10))[0]}"
        for each in known
        if each.error
    ]
    return dg.AssetCheckResult(
        asset_key=key_of(source.name),
        check_name="readable",
        passed=not unusable,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"reports": len(known), **metadata.bullets("unusable", unusable[::-1])},
    )


def on_time(source: Source) -> dg.AssetCheckResult:
    """Tell which week is late, and since when: about the content, not about the last run."""
    now = dt.datetime.now(dt.UTC)
    covered = release.coverage(source, survey.spoken(Warehouse.default(), source), now)
    late = [
        f"the week to {each.week} was expected by {each.expected_by:%Y-%m-%d %H:%M} UTC"
        for each in release.overdue(covered)
    ]
    there = [each.week for each in covered if each.first_known_at]
    return dg.AssetCheckResult(
        asset_key=key_of(source.name),
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


def _checks(source: Source) -> Iterator[dg.AssetCheckResult]:
    """One evaluation a check over all weeks on disk, so that no run hides what others left open.

    A week counts by its newest report. Per week and report they are in ops.check_result.
    """
    yield readable(source)
    yield on_time(source)
    key = key_of(source.name)
    standing = facts.standing(Warehouse.default(), source)
    covered = {"weeks_with_reports": len(standing)}
    refused = [
        f"{each.week}: {each.refused_rows} refused" for each in standing if each.refused_rows
    ]
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name="contract",
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={**covered, **metadata.bullets("refused", refused[::-1])},
    )
    for name, rules in (("totals", _SUMS), ("position", ("position",))):
        lines = [line for each in standing for line in each.unexplained if line.rule in rules]
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
