"""The batching event log says what Dagster's own would say, to everyone who asks.

Runs are real Dagster runs in a home of their own. What is stored is read by another instance that
has Dagster's own storage, as after taking `storage` out of dagster.yaml.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
import yaml
from world import PATIENCE

from pipelines.dagster_internals.event_log import MOST, BatchingEventLog
from pipelines.store.paths import PROJECT

pytestmark = pytest.mark.slow

WEEKS = dg.StaticPartitionsDefinition([f"2026-{number:03}" for number in range(40)])
KIND = dg.DagsterEventType


def home(folder: Path, *, batching: bool) -> Path:
    """Make a Dagster home with the project's settings, or with these but without its storage."""
    settings = yaml.safe_load((PROJECT / "dagster.yaml").read_text(encoding="utf-8"))
    assert settings["storage"]["custom"]["class"] == "BatchingStorage"
    if not batching:
        del settings["storage"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def opened(folder: Path, *, batching: bool) -> dg.DagsterInstance:
    os.environ["DAGSTER_HOME"] = str(folder)
    return dg.DagsterInstance.from_config(str(home(folder, batching=batching)))


def run(instance: dg.DagsterInstance, *definitions: dg.AssetsDefinition) -> str:
    first, *_, last = WEEKS.get_partition_keys()
    result = dg.materialize(
        definitions,
        instance=instance,
        raise_on_error=False,
        tags={
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        },
    )
    return result.run_id


def said(instance: dg.DagsterInstance, run_id: str) -> list[tuple[object, ...]]:
    """Return what a run said, without its times, ids and places."""
    said = []
    for entry in instance.all_logs(run_id):
        event = entry.dagster_event
        if event is None:
            said.append((entry.user_message,))
        elif event.event_type is not KIND.ENGINE_EVENT:
            said.append((event.event_type, event.step_key, event.asset_key, event.partition))
    return said


@dg.asset(
    partitions_def=WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("rule", asset="weeks")],
)
def weeks(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    context.log.info("forty weeks")
    for key in context.partition_keys:
        context.add_asset_metadata({"rows": int(key[-3:])}, partition_key=key)
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, metadata={"n": 4})])


@dg.asset
def failing(context: dg.AssetExecutionContext) -> None:
    context.log_event(dg.AssetMaterialization("aside", metadata={"rows": 3}))
    raise dg.Failure("refused")


def test_a_run_says_the_same_as_with_dagsters_own_log(folder):
    told = {}
    for batching in (True, False):
        with opened(folder / str(batching), batching=batching) as instance:
            assert isinstance(instance.event_log_storage, BatchingEventLog) is batching
            run_id = run(instance, weeks)
        with opened(folder / str(batching), batching=False) as instance:
            told[batching] = said(instance, run_id)
            key = dg.AssetKey("weeks")
            assert instance.get_materialized_partitions(key) == set(WEEKS.get_partition_keys())
            records = instance.fetch_materializations(key, limit=100).records
            made = [each.asset_materialization for each in records]
            rows = {each.partition: each.metadata["rows"].value for each in made}
            assert rows == {week: int(week[-3:]) for week in WEEKS.get_partition_keys()}
            (check,) = instance.event_log_storage.get_asset_check_execution_history(
                dg.AssetCheckKey(key, "rule"), limit=5
            )
            assert check.status.value == "SUCCEEDED"
    kinds = {batching: [event[0] for event in events] for batching, events in told.items()}
    assert kinds[True] == kinds[False]
    assert len(kinds[True]) > 80
    assert set(told[True]) == set(told[False])  # Dagster takes the weeks of a run in any order


def test_a_failed_run_keeps_what_it_said_before(folder):
    with opened(folder, batching=True) as instance:
        run_id = run(instance, failing)
        with opened(folder, batching=False) as other:  # before the instance is closed
            kinds = [event[0] for event in said(other, run_id)]
            assert kinds.index(KIND.ASSET_MATERIALIZATION) < kinds.index(KIND.STEP_FAILURE)
            assert kinds[-1] is KIND.RUN_FAILURE
            assert other.get_run_by_id(run_id).status is dg.DagsterRunStatus.FAILURE


def test_a_run_reads_what_it_has_just_said(folder):
    found = []

    @dg.asset
    def asks(context: dg.AssetExecutionContext) -> None:
        for rows in range(3):
            context.log_event(dg.AssetMaterialization("aside", metadata={"rows": rows}))
            event = context.instance.get_latest_materialization_event(dg.AssetKey("aside"))
            found.append(event.asset_materialization.metadata["rows"].value)

    with opened(folder, batching=True) as instance:
        run(instance, asks)
    assert found == [0, 1, 2]


def test_others_see_an_event_while_its_step_goes_on(folder):
    seen = []

    @dg.asset
    def slow(context: dg.AssetExecutionContext) -> None:
        context.log_event(dg.AssetMaterialization("aside"))
        with opened(folder, batching=False) as other:
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline and not seen:
                seen.extend(other.fetch_materializations(dg.AssetKey("aside"), limit=1).records)
                time.sleep(0.05)

    with opened(folder, batching=True) as instance:
        run(instance, slow)
    assert len(seen) == 1


ASIDE = """
import os, signal, sys
import dagster as dg

@dg.asset
def aside(context):
    context.log_event(dg.AssetMaterialization("first"))
    assert context.instance.get_latest_materialization_event(dg.AssetKey("first"))
    context.log_event(dg.AssetMaterialization("second"))
    if sys.argv[1] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.exit(3)

dg.materialize([aside], instance=dg.DagsterInstance.get())
"""


@pytest.mark.parametrize(("end", "code", "kept"), [("kill", -signal.SIGKILL, 1), ("exit", 3, 2)])
def test_a_process_that_ends_in_a_step_loses_nothing_unless_it_is_killed(folder, end, code, kept):
    home(folder, batching=True)
    command = [sys.executable, "-c", ASIDE, end]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    assert subprocess.run(command, env=environment, check=False).returncode == code
    with opened(folder, batching=True) as instance:
        (ended,) = instance.get_runs()
        found = [
            bool(instance.get_latest_materialization_event(dg.AssetKey(name)))
            for name in ("first", "second")
        ]
        assert found == [True, kept == 2]
        assert KIND.STEP_START in [event[0] for event in said(instance, ended.run_id)]
        assert run(instance, weeks)  # the files are whole: the next run is stored
        assert instance.get_materialized_partitions(dg.AssetKey("weeks"))


def entry(run_id: str, message: str) -> dg.EventLogEntry:
    return dg.EventLogEntry(
        error_info=None, level=20, user_message=message, run_id=run_id, timestamp=1.0
    )


def messages(folder: Path, run_id: str) -> list[str]:
    with opened(folder, batching=False) as instance:
        return [each.user_message for each in instance.all_logs(run_id)]


def test_an_event_that_cannot_be_stored_is_an_error_and_costs_no_other(folder):
    with opened(folder, batching=True) as instance:
        log = instance.event_log_storage
        log.store_event(entry("good", "before"))
        log.store_event(entry("no/folder", "nowhere"))
        log.store_event(entry("good", "after"))
        with pytest.raises(Exception, match="unable to open database file"):
            log.flush()
    assert messages(folder, "good") == ["before", "after"]


def test_many_events_do_not_wait(folder):
    with opened(folder, batching=True) as instance:
        for number in range(MOST):
            instance.event_log_storage.store_event(entry("many", str(number)))
        assert messages(folder, "many") == [str(number) for number in range(MOST)]
