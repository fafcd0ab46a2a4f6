"""The SQL models as one multi-asset: a node per table, all built and published in one step.

`database` builds, audits and publishes; here is only how Dagster sees it.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pydantic

from pipelines.components import metadata, workspace
from pipelines.components.source_checks import report_key
from pipelines.components.workspace import Workspace
from pipelines.dagster_internals.look_ups import look_up_together
from pipelines.database import as_known, models, reference_files
from pipelines.database.answers import stale_sources
from pipelines.database.errors import BuildError
from pipelines.database.labels import unmapped_labels
from pipelines.database.publish import publish
from pipelines.ingest.sources import sources
from pipelines.store import journal
from pipelines.store.paths import Warehouse
from schemas import catalog

_LABELS = "labels_mapped"
_CURRENT = "is_current"
_OBSERVATION = "core.observation"
_STALE = "ops.stale"
_OF_WEEKS = set(catalog.INPUTS) - {"input.source", "input.dimension"}
"""The inputs that are made of the week files and the archive."""
GROUPS = catalog.SCHEMAS
REBUILD = (
    dg.AutomationCondition.any_deps_updated().since_last_handled()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
).with_label("a source has changed and none is being read")
"""The condition of the tables that read sources; all others are built in the same run."""
POOL = "database"
"""The pool by which the run queue starts one build at a time (dagster.yaml)."""


class SqlModels(dg.Component, dg.Model, dg.Resolvable):
    """All files of `sql/`, as assets."""

    owner: str = "team:data"

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """Return the multi-asset of all models."""
        return dg.Definitions(assets=[models_asset(self.owner)])


class AsOf(dg.Config):
    """What to build: the served database, or a second one as known on a past day."""

    as_of: str | None = pydantic.Field(
        default=None,
        description="A day such as 2026-01-27 (known to its end) or a moment such as "
        "2026-02-03T18:30Z: build fundflows@<it>.duckdb beside the served database, which stays. "
        "Empty: build the served one, with all that is known.",
    )

    def moment(self) -> dt.datetime | None:
        """Return the moment; None for the served database.

        Raises:
            dagster.Failure: the text is no moment.
        """
        if not self.as_of:
            return None
        try:
            return as_known.moment_of(self.as_of)
        except ValueError as error:
            message = f"as_of: {self.as_of!r} is not a day such as 2026-01-27"
            raise dg.Failure(description=message, allow_retries=False) from error


def table_key(table: str) -> dg.AssetKey:
    """Return the asset key of a table: `core.fund_week` is core/fund_week."""
    return dg.AssetKey(table.split("."))


def models_asset(owner: str) -> dg.AssetsDefinition:
    """Return the multi-asset that builds and publishes the database."""

    @dg.multi_asset(
        name="build_and_publish",
        specs=[*_reference_specs(owner), *_model_specs(owner)],
        check_specs=list(_check_specs()),
        # Split by layer, a backfill would build the first tables before the sources have finished.
        can_subset=False,
        pool=POOL,
        required_resource_keys={workspace.KEY},
    )
    def build_and_publish(context: dg.AssetExecutionContext, config: AsOf) -> Iterator[Any]:
        space: Workspace = context.resources.workspace
        with journal.entry(
            space.warehouse, context.run.run_id, journal.TABLES, settled=(dg.Failure,)
        ):
            yield from _publish(context, space, config.moment())

    return build_and_publish


def _reference_specs(owner: str) -> Iterator[dg.AssetSpec]:
    for table, files in reference_files.files().items():
        contract = catalog.contract_of(table)
        yield dg.AssetSpec(
            table_key(table),
            group_name="reference",
            kinds={"duckdb", "csv"},
            owners=[owner],
            code_version=hash_of("".join(file.read_text(encoding="utf-8") for file in files)),
            description=catalog.description(contract),
            metadata={
                "dagster/table_name": table,
                "dagster/column_schema": metadata.column_schema(contract),
                "dagster/code_references": metadata.code(*files),
                "file": reference_files.places_of(table),
            },
        )


def _model_specs(owner: str) -> Iterator[dg.AssetSpec]:
    weeks = {report_key(source) for source in sources()}
    for model in models.models().values():
        contract = catalog.contract_of(model.name)
        schema = model.name.partition(".")[0]
        yield dg.AssetSpec(
            table_key(model.name),
            deps=sorted(_deps(model.reads, weeks)),
            automation_condition=REBUILD if _OF_WEEKS & set(model.reads) else None,
            group_name=schema,
            kinds={"duckdb", model.kind},
            owners=[owner],
            code_version=hash_of(model.code),
            description=f"{catalog.description(contract)}\n\n```sql\n{model.query}```",
            metadata={
                "dagster/table_name": model.name,
                "dagster/uri": str(Warehouse.default().database),
                "dagster/column_schema": metadata.column_schema(contract),
                "dagster/code_references": metadata.code(model.path),
                "file": model.file,
            },
        )


def hash_of(text: str) -> str:
    """Return a short hash, for code versions."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _deps(reads: tuple[str, ...], weeks: set[dg.AssetKey]) -> set[dg.AssetKey]:
    """Return the assets that a model depends on; for the inputs, those of the sources."""
    tables = {table_key(table) for table in reads if not table.startswith("input.")}
    return tables | weeks if _OF_WEEKS & set(reads) else tables


def _check_specs() -> Iterator[dg.AssetCheckSpec]:
    for name in models.models():
        yield dg.AssetCheckSpec(
            "contract",
            asset=table_key(name),
            description="The table keeps its contract: columns, types, grain and rules.",
        )
    for name, table in _audited().items():
        sentence = (
            models.audits()[name].read_text(encoding="utf-8").partition("\n")[0].removeprefix("-- ")
        )
        yield dg.AssetCheckSpec(name, asset=table_key(table), description=sentence)
    yield dg.AssetCheckSpec(
        _CURRENT,
        asset=table_key(_STALE),
        description="Every source is served with all that is known of it: no report was lost, and "
        "no new row broke a contract.",
    )
    yield dg.AssetCheckSpec(
        _LABELS,
        asset=table_key(_OBSERVATION),
        description="Every printed label with a number means a member of the reference tables.",
    )


def _audited() -> dict[str, str]:
    """Return the table to which each audit belongs as a check: the last one that it reads."""
    order = [*reference_files.files(), *models.models()]
    return {
        name: next(table for table in reversed(order) if table in models.Model(name, file).reads)
        for name, file in models.audits().items()
    }


def _publish(
    context: dg.AssetExecutionContext, space: Workspace, as_of: dt.datetime | None
) -> Iterator[Any]:
    """Build all tables, audit them, publish, and record the results."""
    warehouse = space.warehouse
    file = warehouse.database_as_of(as_of) if as_of else warehouse.database
    try:
        lineages = models.column_lineages(warehouse.dagster_home / "lineage.json")
        built = publish(
            warehouse,
            space.plan_all(),
            now=space.now(),
            as_of=as_of,
            target=file,
            allow_loss=space.allow_loss,
            on_table=lambda table: context.log.info("%s: %s rows", table.name, table.rows),
            on_wait=lambda: context.log.info("another build is running: this one follows it"),
        )
    except BuildError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    context.log.info("published %s", file)
    named = list(sources())
    recorded: list[str] = []
    for table in built:
        made_of = lineages.get(table.name)
        if not set(_reads(table.name)).isdisjoint(recorded):
            look_up_together(context, [table_key(name) for name in recorded])
            recorded.clear()
        recorded.append(table.name)
        yield dg.MaterializeResult(
            asset_key=table_key(table.name),
            metadata={
                "dagster/row_count": table.rows,
                "database": dg.MetadataValue.path(file),
                **({"dagster/column_lineage": metadata.lineage(made_of, named)} if made_of else {}),
            },
        )
    yield from _check_results(context, file)


def _reads(table: str) -> tuple[str, ...]:
    model = models.models().get(table)
    return model.reads if model else ()


def _check_results(context: dg.AssetExecutionContext, file: Path) -> Iterator[dg.AssetCheckResult]:
    """Yield the checks: contracts and audits held, else nothing was published; labels may warn."""
    for check in sorted(context.selected_asset_check_keys, key=str):
        if check.name == _CURRENT:
            stale = stale_sources(file)
            yield dg.AssetCheckResult(
                asset_key=check.asset_key,
                check_name=check.name,
                passed=not stale,
                description="; ".join(sorted({each.partition(":")[0] for each in stale})) or None,
                metadata=metadata.bullets("stale", stale),
            )
            continue
        if check.name != _LABELS:
            yield dg.AssetCheckResult(asset_key=check.asset_key, check_name=check.name, passed=True)
            continue
        unmapped = unmapped_labels(file)
        yield dg.AssetCheckResult(
            asset_key=check.asset_key,
            check_name=check.name,
            passed=not unmapped,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "labels": len(unmapped),
                **metadata.bullets("lines_to_add", list(map(str, unmapped))),
            },
        )
