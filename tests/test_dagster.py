"""What Dagster shows and records: the asset graph, the weeks as partitions, runs and checks.

Runs are real: the job that the UI would run, in this process, on an instance in a folder of the
test. The shape of the graph is a committed file, so that a change of it is seen in review.
"""

from __future__ import annotations

import datetime as dt
import difflib
import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import golden
import pytest
import sqlglot
from world import World, anew, definitions

from pipelines.components.source import partitions_of
from pipelines.components.source_checks import report_key
from pipelines.database import models
from pipelines.definitions import defs
from pipelines.ingest.sources import sources

pytestmark = pytest.mark.slow

SNAPSHOT = Path(__file__).parent / "snapshots" / "asset_graph.txt"
REWRITE = "FUNDFLOWS_REWRITE_SNAPSHOTS"


@pytest.fixture(scope="module")
def loaded() -> dg.Definitions:
    return definitions()


# -- the graph -------------------------------------------------------------------------------------


def drawn(definitions: dg.Definitions) -> str:
    """Return the asset graph as text, an asset a paragraph."""
    graph = definitions.resolve_asset_graph()
    return "\n".join(
        "\n".join(_asset(graph.get(key)))
        for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.path)
    )


def _asset(node: Any) -> Iterator[str]:
    yield node.key.to_user_string()
    yield f"    group: {node.group_name}"
    yield f"    kinds: {', '.join(sorted(node.kinds))}"
    yield f"    owners: {', '.join(node.owners)}"
    if isinstance(node.partitions_def, dg.WeeklyPartitionsDefinition):
        weeks = node.partitions_def
        yield (
            f"    weeks: from {weeks.start:%Y-%m-%d %A}, cron {weeks.cron_schedule!r}, "
            f"end_offset {weeks.end_offset}, {weeks.timezone}"
        )
        yield f"    backfill: {node.backfill_policy.policy_type.value}"
    for word, keys in (("deps", node.parent_keys), ("checks", node.check_keys)):
        names = sorted(key.name if word == "checks" else key.to_user_string() for key in keys)
        yield f"    {word}: {', '.join(names)}".rstrip()


def test_the_asset_graph_is_the_one_that_was_reviewed(loaded):
    found = drawn(loaded) + "\n"
    if os.environ.get(REWRITE):
        SNAPSHOT.write_text(found, encoding="utf-8")
    kept = SNAPSHOT.read_text(encoding="utf-8")
    difference = "\n".join(
        difflib.unified_diff(
            kept.splitlines(), found.splitlines(), "reviewed", "now", lineterm="", n=2
        )
    )
    if difference:
        pytest.fail(
            f"the asset graph changed:\n{difference}\n\n"
            f"if that is meant, run with {REWRITE}=1 and commit {SNAPSHOT.name}",
            pytrace=False,
        )


def test_every_source_of_the_project_is_an_asset(loaded):
    keys = loaded.resolve_asset_graph().get_all_asset_keys()
    assert {report_key(name) for name in sources()} == {
        key for key in keys if key.path[0] == "reports"
    }


def test_definitions_can_be_loaded_as_dagster_does(loaded):
    assert loaded.resolve_implicit_global_asset_job_def().name == "__ASSET_JOB"
    dg.Definitions.validate_loadable(loaded)


def test_the_command_runs_the_job_that_the_ui_runs(loaded):
    jobs = [each.resolve_implicit_global_asset_job_def() for each in (loaded, defs())]
    assert jobs[0].get_job_snapshot_id() == jobs[1].get_job_snapshot_id()
    assert drawn(loaded) == drawn(defs())


def test_the_tables_that_a_file_reads_are_those_of_its_tree():
    audits = [models.Model(name, file) for name, file in models.audits().items()]
    for model in [*models.models().values(), *audits]:
        tables = sqlglot.parse_one(model.sql, read="duckdb").find_all(sqlglot.exp.Table)
        assert set(model.reads) == {f"{each.db}.{each.name}" for each in tables if each.db}


# -- weeks as partitions ---------------------------------------------------------------------------


def keys_at(source: str, moment: str) -> list[str]:
    now = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)
    return list(partitions_of(golden.source(source)).get_partition_keys(current_time=now))


@pytest.mark.parametrize("source", sorted(sources()))
def test_partition_keys_are_week_ending_dates_without_a_gap(source):
    of = golden.source(source)
    keys = [dt.date.fromisoformat(key) for key in keys_at(source, "2027-01-04T00:00")]
    assert keys[0] == of.week.first
    assert {f"{key:%A}".lower() for key in keys} == {of.week.ends}
    assert {later - earlier for earlier, later in itertools.pairwise(keys)} == {
        dt.timedelta(weeks=1)
    }


@pytest.mark.parametrize(
    ("moment", "ended", "in_progress"),
    [
        ("2026-01-22T23:59", "2026-01-16", "2026-01-23"),  # Thursday night
        ("2026-01-23T00:00", "2026-01-23", "2026-01-30"),  # Friday: the week is there on its day
        ("2026-01-23T23:59", "2026-01-23", "2026-01-30"),
        ("2026-01-24T00:00", "2026-01-23", "2026-01-30"),
        ("2026-01-28T12:00", "2026-01-23", "2026-01-30"),
        ("2026-01-01T12:00", "2025-12-26", "2026-01-02"),  # across New Year
        ("2026-03-29T01:30", "2026-03-27", "2026-04-03"),  # the night the clocks change in Europe
    ],
)
def test_the_newest_week_is_the_one_that_ended_or_that_is_in_progress(moment, ended, in_progress):
    assert not golden.source("coinshares").week.in_progress
    assert golden.source("farside_btc").week.in_progress
    assert keys_at("coinshares", moment)[-1] == ended
    assert keys_at("farside_btc", moment)[-1] == in_progress


# -- runs ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """A run of some assets as the UI launches it, and the instance that recorded it."""

    world: World
    result: dg.ExecuteInProcessResult
    weeks: dict[str, dict[str, Any]]

    def checks(self) -> dict[str, dg.AssetCheckEvaluation]:
        return {each.check_name: each for each in self.result.get_asset_check_evaluations()}


def materialize(
    world: World,
    definitions: dg.Definitions,
    assets: Sequence[dg.AssetKey],
    weeks: tuple[str, str] | None = None,
) -> Ran:
    """Run assets over a range of weeks, and return what the instance recorded for each."""
    job = definitions.resolve_implicit_global_asset_job_def()
    tags = {}
    if weeks:
        tags = {
            "dagster/asset_partition_range_start": weeks[0],
            "dagster/asset_partition_range_end": weeks[1],
        }
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with world.instance() as instance:
        result = job.execute_in_process(
            run_config=quiet,
            instance=instance,
            asset_selection=list(assets),
            tags=tags,
            raise_on_error=False,
        )
        recorded = instance.fetch_materializations(assets[0], limit=100).records
        run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.status == (
        dg.DagsterRunStatus.SUCCESS if result.success else dg.DagsterRunStatus.FAILURE
    )
    of_weeks = {
        str(record.partition_key): {
            name: value.value for name, value in record.asset_materialization.metadata.items()
        }
        for record in recorded
        if record.asset_materialization
    }
    return Ran(world, result, of_weeks)


HEADER = "Date,BSOL,GSOL,Total"
BEFORE = golden.history(HEADER, "09 Jan 2026,1.0,1.0,2.0", "13 Jan 2026,2.0,1.0,3.0")
AFTER = golden.history(
    HEADER, "13 Jan 2026,2.5,1.0,3.5", "15 Jan 2026,nil,1.0,1.0", "30 Jan 2026,9.0,1.0,10.0"
)
WEEKS = ("2026-01-09", "2026-01-16", "2026-01-23", "2026-01-30")


@pytest.fixture(scope="module")
def ranged(tmp_path_factory, loaded) -> Ran:
    """Four weeks: one report, two vintages, none, one."""
    world = World(tmp_path_factory.mktemp("ranged") / "warehouse")
    world.add("farside_sol", "one.csv", BEFORE, received="2026-01-14T00:00Z")
    world.add("farside_sol", "two.csv", AFTER, received="2026-01-31T00:00Z")
    return materialize(world, loaded, [report_key("farside_sol")], (WEEKS[0], WEEKS[-1]))


def test_a_run_over_several_weeks_records_each_of_them(ranged):
    assert ranged.result.success
    assert set(ranged.weeks) == set(WEEKS)
    assert ranged.world.week_file("weeks", "farside_sol", "2026-01-16").exists()


@pytest.mark.parametrize(
    ("week", "counts", "reports"),
    [
        ("2026-01-09", (3, 1, 0), "one.csv"),
        ("2026-01-16", (8, 2, 1), "one.csv, two.csv"),
        ("2026-01-30", (3, 1, 0), "two.csv"),
    ],
)
def test_a_week_says_how_many_rows_and_vintages_of_which_reports(ranged, week, counts, reports):
    said = ranged.weeks[week]
    names = ("dagster/partition_row_count", "vintages", "refused_rows")
    assert tuple(said[name] for name in names) == counts
    assert ranged.world.observations("farside_sol", week).height == counts[0]
    assert said["reports"] == reports
    assert "pass" in said["verdicts"]
    assert "BSOL | net_flow |" in said["sample"]


def test_a_week_without_a_report_is_there_with_zero_rows_and_the_reason(ranged):
    said = ranged.weeks["2026-01-23"]
    assert said["dagster/partition_row_count"] == 0
    assert said["reports"] == "no report covers this week"
    assert not ranged.world.week_file("weeks", "farside_sol", "2026-01-23").exists()


def test_refused_rows_make_the_contract_check_warn(ranged):
    checks = ranged.checks()
    assert set(checks) == {"contract", "totals", "position", "readable", "on_time"}
    contract = checks["contract"]
    assert (contract.passed, contract.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert contract.metadata["refused"].value == "- 2026-01-16: 1 refused"
    assert checks["totals"].passed
    assert checks["totals"].metadata["weeks_with_reports"].value == 3


def test_a_second_run_over_the_same_weeks_gives_the_same_files(ranged, loaded, tmp_path):
    world = World(tmp_path / "warehouse")
    shutil.copytree(ranged.world.root, world.root)
    before = {week: world.week_file("weeks", "farside_sol", week) for week in WEEKS}
    bytes_before = {week: file.read_bytes() for week, file in before.items() if file.exists()}
    again = materialize(world, loaded, [report_key("farside_sol")], (WEEKS[1], WEEKS[2]))
    assert again.result.success
    assert {week: file.read_bytes() for week, file in before.items() if file.exists()} == (
        bytes_before
    )


@pytest.fixture(scope="module")
def refused(tmp_path_factory, loaded) -> Ran:
    """Three weeks of which the second does not add up."""
    world = World(tmp_path_factory.mktemp("refused") / "warehouse")
    world.add(
        "farside_sol",
        "sol.csv",
        golden.history(
            HEADER, "09 Jan 2026,1.0,1.0,2.0", "13 Jan 2026,2.0,1.0,9.0", "23 Jan 2026,1.0,1.0,2.0"
        ),
        received="2026-01-31T00:00Z",
    )
    return materialize(world, loaded, [report_key("farside_sol")], ("2026-01-09", "2026-01-23"))


def test_of_a_run_with_a_refused_week_the_good_ones_are_recorded(refused):
    assert not refused.result.success
    assert set(refused.weeks) == {"2026-01-09", "2026-01-23"}
    assert refused.weeks["2026-01-23"]["dagster/partition_row_count"] == 3


def test_the_failed_run_names_the_refused_week_and_why(refused):
    (event,) = refused.result.get_step_failure_events()
    data = event.step_failure_data.user_failure_data
    assert data.description == "1 of 3 weeks of farside_sol were refused"
    assert set(data.metadata) == {"2026-01-16"}
    assert "sol.csv: daily: total net_flow" in data.metadata["2026-01-16"].value
    assert "residual 6,000,000.00" in data.metadata["2026-01-16"].value


def test_a_total_that_does_not_add_up_is_a_check_that_fails(refused):
    totals = refused.checks()["totals"]
    assert (totals.passed, totals.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "2026-01-16: daily: total net_flow" in totals.metadata["unexplained"].value


def test_the_checks_of_a_failed_run_are_kept_by_the_instance(refused):
    key = dg.AssetCheckKey(report_key("farside_sol"), "totals")
    with refused.world.instance() as instance:
        newest, *_ = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert newest.event.asset_check_evaluation.passed is False


def test_a_position_that_does_not_multiply_warns_and_lets_the_week_in(tmp_path, loaded):
    world = World(tmp_path / "warehouse")
    off = golden.NAV_HISTORY.replace(b"1275000.0", b"1277000.0")
    world.add("canary", "HBR.csv", off, received="2026-01-31T00:00Z")
    ran = materialize(world, loaded, [report_key("canary")], ("2026-01-16", "2026-01-16"))
    assert ran.result.success
    position = ran.checks()["position"]
    assert (position.passed, position.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "worst day 2026-01-16" in position.metadata["unexplained"].value
    assert ran.weeks["2026-01-16"]["dagster/partition_row_count"] == 6


# -- models ----------------------------------------------------------------------------------------


def models_of(definitions: dg.Definitions) -> list[dg.AssetKey]:
    graph = definitions.resolve_asset_graph()
    return sorted(
        (key for key in graph.get_all_asset_keys() if key.path[0] != "reports"),
        key=lambda key: key.path,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory, loaded) -> Ran:
    """The models of a warehouse with an unmapped label, published."""
    world = World(tmp_path_factory.mktemp("built") / "warehouse")
    world.add("coinshares", "week.xlsx", golden.UNKNOWN_LABEL, received="2023-05-16T00:00Z")
    materialize(world, loaded, [report_key("coinshares")], ("2023-05-12", "2023-05-12"))
    return materialize(world, loaded, models_of(loaded))


def test_all_models_are_built_and_published_in_one_step(built, loaded):
    assert built.result.success
    done = {event.asset_key for event in built.result.get_asset_materialization_events()}
    assert done == set(models_of(loaded))
    assert built.world.one("select count(*) from mart.flows") > 0
    assert len({event.step_key for event in built.result.get_step_success_events()}) == 1


def test_a_model_says_how_many_rows_it_has_and_what_its_columns_are_made_of(built):
    (event,) = [
        event
        for event in built.result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["mart", "flows"])
    ]
    said = event.materialization.metadata
    assert said["dagster/row_count"].value == built.world.one("select count(*) from mart.flows")
    made_of = said["dagster/column_lineage"].value.deps_by_column["net_flow_usd"]
    assert {dep.asset_key for dep in made_of} >= {dg.AssetKey(["core", "fund_week"])}


def test_every_table_points_to_the_rows_that_it_was_made_of(built, loaded):
    graph = loaded.resolve_asset_graph()
    made = {}
    with built.world.instance() as instance:
        for record in instance.get_asset_records():
            made[record.asset_entry.asset_key] = record.asset_entry.last_materialization_record
    pointers = 0
    for key in models_of(loaded):
        tags = made[key].event_log_entry.asset_materialization.tags
        for parent in graph.get(key).parent_keys & set(made):
            name = parent.to_user_string()
            assert tags[f"dagster/input_event_pointer/{name}"] == str(made[parent].storage_id)
            pointers += 1
    assert pointers > 100


def test_contracts_and_audits_are_checks_that_passed(built):
    evaluations = built.result.get_asset_check_evaluations()
    others = [each for each in evaluations if each.check_name != "labels_mapped"]
    assert {each.check_name for each in others} >= {"contract", "no_overlap", "dimensions_agree"}
    assert [each for each in others if not each.passed] == []


def test_an_unmapped_label_is_a_check_that_warns_with_the_line_to_add(built):
    check = built.checks()["labels_mapped"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.asset_key == dg.AssetKey(["core", "observation"])
    assert check.metadata["labels"].value == 1
    assert "coinshares/labels.csv: asset,Moonshot,<asset>" in check.metadata["lines_to_add"].value


@pytest.fixture
def copy(built, tmp_path) -> World:
    world = World(tmp_path / "warehouse")
    shutil.copytree(built.world.root, world.root)
    return world


def test_the_models_are_built_together_or_not_at_all(copy, loaded):
    """Part of them, chosen by a backfill before its sources are done, would not add up."""
    with pytest.raises(dg.DagsterInvalidSubsetError):
        materialize(copy, loaded, [dg.AssetKey(["mart", "flows"])])


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('where exists (from core."fx_day")', "does not name its tables clearly"),
        ("where (", "Model mart.flows does not run"),
    ],
)
def test_a_model_that_cannot_be_traced_is_not_built(
    copy, loaded, monkeypatch, tmp_path, *, added, said
):
    sql = tmp_path / "sql"
    shutil.copytree(models.SQL, sql)
    file = sql / "mart" / "flows.sql"
    file.write_text(f"{file.read_text(encoding='utf-8')}{added}\n", encoding="utf-8")
    monkeypatch.setattr(models, "SQL", sql)
    before = copy.database.read_bytes()
    with anew(models.models):
        ran = materialize(copy, loaded, models_of(loaded))
    (event,) = ran.result.get_step_failure_events()
    description = event.step_failure_data.user_failure_data.description
    assert said in description
    assert "sql/mart/flows.sql" in description
    assert copy.database.read_bytes() == before


def test_a_build_that_fails_is_a_failed_run_with_the_reason(copy, loaded, monkeypatch, tmp_path):
    file = tmp_path / "nothing.sql"
    file.write_text("-- Never.\nselect * from mart.flows\n", encoding="utf-8")
    monkeypatch.setattr(models, "audits", lambda: {"nothing": file})
    before = copy.database.read_bytes()
    ran = materialize(copy, loaded, models_of(loaded))
    assert not ran.result.success
    (event,) = ran.result.get_step_failure_events()
    description = event.step_failure_data.user_failure_data.description
    assert "Audit nothing failed; nothing was published." in description
    assert "net_flow_usd" in description  # a few of the rows
    assert copy.database.read_bytes() == before
