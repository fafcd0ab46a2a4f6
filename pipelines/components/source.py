"""A source: one weekly-partitioned asset whose keys are week-ending dates.

`ingest` does the work; here is only how Dagster calls it and what it records. No source is known
by name.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import pydantic

from pipelines import weeks
from pipelines.components import metadata, workspace
from pipelines.components.source_checks import CHECKS, check_results, report_key
from pipelines.components.workspace import Workspace
from pipelines.ingest.results import WeekResult
from pipelines.layouts.source import Source, SourceFile, parse_source
from pipelines.store import inbox, journal
from schemas.observation import Observation


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


def partitions_of(source: Source) -> dg.WeeklyPartitionsDefinition:
    """Return the weeks of a source, by week-ending date.

    A key appears on the day on which its week ends; a source that prints single days has the key
    of the current week too.
    """
    return dg.WeeklyPartitionsDefinition(
        start_date=weeks.key_of(source.week.first),
        day_offset=weeks.cron_day_offset(source.week.ends),
        end_offset=2 if source.week.in_progress else 1,
    )


def asset_of(source: Source) -> dg.AssetsDefinition:
    """Return the asset of a source."""

    @dg.asset(
        key=report_key(source.name),
        required_resource_keys={workspace.KEY},
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
            "dagster/table_name": f"reports.{source.name}",
            "layouts": ", ".join(layout.name for layout in source.layouts),
            "week_ends": source.week.ends,
        },
        check_specs=[
            dg.AssetCheckSpec(name, asset=report_key(source.name), description=description)
            for name, description in CHECKS.items()
        ],
    )
    def weeks_of_source(context: dg.AssetExecutionContext) -> Iterator[Any]:
        space: Workspace = context.resources.workspace
        wanted = [weeks.week_of(key) for key in context.partition_keys]
        with journal.entry(
            space.warehouse, context.run.run_id, source.name, wanted, settled=(dg.Failure,)
        ):
            yield from _materialize(context, space, source, wanted)

    return weeks_of_source


def _tag(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text.lower()).strip("-")[:63]


def _materialize(
    context: dg.AssetExecutionContext, space: Workspace, source: Source, wanted: list[dt.date]
) -> Iterator[Any]:
    """Write the selected weeks; a refused week fails alone, and the run names it at its end."""

    def record(result: WeekResult) -> None:
        for failure in result.failures:
            context.log.error("%s refused: %s", result.week, failure)
        space.on_week(result)

    if source.name not in space.plans:  # else the inbox was swept when the plan was made
        inbox.sweep(space.warehouse, source.name, quiet=inbox.QUIET)
    results, known = space.ingest(source, wanted, record)
    checks = check_results(space.warehouse, known, space.now())
    failed = [result for result in results if not result.ok]
    context.log.info(_summary(results))
    if failed:
        # Dagster records no week of a failed step: record those on disk ourselves.
        for result in results:
            if result.ok:
                context.log_event(_materialization(source, result))
        yield from checks
        raise dg.Failure(
            description=f"{len(failed)} of {len(results)} weeks of {source.name} were refused",
            metadata={weeks.key_of(each.week): "\n".join(each.failures) for each in failed},
            allow_retries=False,
        )
    for result in results:
        context.add_asset_metadata(
            metadata.of_week(result),
            asset_key=report_key(source.name),
            partition_key=weeks.key_of(result.week),
        )
    yield dg.MaterializeResult(asset_key=report_key(source.name), check_results=checks)


def _summary(results: Sequence[WeekResult]) -> str:
    refused = sum(not result.ok for result in results)
    return (
        f"{len(results)} weeks, {sum(result.rows for result in results)} rows, "
        f"{sum(result.vintages for result in results)} vintages, "
        f"{sum(result.refused_rows for result in results)} refused rows, {refused} weeks refused"
    )


def _materialization(source: Source, result: WeekResult) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key=report_key(source.name),
        partition=weeks.key_of(result.week),
        metadata=metadata.of_week(result),
        # A step that succeeds adds it by itself; without it no week is stale after a new layout.
        tags={"dagster/code_version": source.fingerprint},
    )
