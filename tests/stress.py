"""One of the processes that `test_stress` lets run against each other; not a test itself.

`python stress.py backfill FIRST LAST UNTIL` reads weeks of all sources again and again and builds
the tables, as a backfill from the UI does; `weekly REPORTS UNTIL` drops reports and runs the
command; `reader STOP` polls the served database until the file STOP is there. Each prints what it
did; however slow the machine is, a backfill has one round and a weekly run three.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.store.paths import Warehouse

if TYPE_CHECKING:
    import dagster as dg

LEAST = 3
QUESTION = """
select count(*), sum(net_flow_usd), (select count(*) from mart.aum_change),
    (select count(*) from ops.certificate), (select inputs from ops.build)
from mart.flows
"""


def backfill(first: str, last: str, until: float) -> dict[str, int]:
    """Run all sources over a range of weeks, then the tables, until it is time."""
    import dagster as dg  # here: a reader needs none of it, and begins in a tenth of the time
    from world import definitions

    from pipelines.cli.main import prepare_dagster
    from pipelines.components.source import partitions_of
    from pipelines.components.source_checks import report_key
    from pipelines.ingest.sources import sources

    warehouse = Warehouse.default()
    prepare_dagster(warehouse)
    job = definitions().resolve_implicit_global_asset_job_def()
    tables = [key for key in job.asset_layer.executable_asset_keys if key.path[0] != "reports"]
    runs = failed = 0
    with dg.DagsterInstance.get() as instance:
        while not runs or time.time() < until:
            for source in sources().values():
                keys = partitions_of(source).get_partition_keys()
                inside = [key for key in keys if first <= key <= last]
                if not inside or not any(warehouse.archive(source.name).glob("*")):
                    continue
                tags = {
                    "dagster/asset_partition_range_start": inside[0],
                    "dagster/asset_partition_range_end": inside[-1],
                }
                runs += 1
                failed += not _ran(job, instance, [report_key(source.name)], tags)
            runs += 1
            failed += not _ran(job, instance, tables, {})
    return {"runs": runs, "failed": failed}


def _ran(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    assets: list[dg.AssetKey],
    tags: dict[str, str],
) -> bool:
    result = job.execute_in_process(
        run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
        instance=instance,
        asset_selection=assets,
        tags=tags,
        raise_on_error=False,
    )
    return result.success


def weekly(reports: Path, until: float) -> dict[str, int]:
    """Drop one report after the other into its inbox, each followed by `fundflows run`."""
    from pipelines.cli.main import main

    warehouse = Warehouse.default()
    waiting = sorted(file for file in reports.rglob("*") if file.is_file())
    runs = failed = dropped = 0
    while runs < LEAST or time.time() < until:
        if waiting:
            file = waiting.pop(0)
            inbox = warehouse.inbox(file.parent.name)
            inbox.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, inbox / f"{file.name}.partial")
            (inbox / f"{file.name}.partial").rename(inbox / file.name)
            dropped += 1
        sys.argv = ["fundflows", "run"]
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        runs += 1
        failed += code != 0
    return {"runs": runs, "failed": failed, "dropped": dropped}


def reader(stop: Path) -> dict[str, int]:
    """Ask the served database again and again; half of the time in a shell that stays open."""
    file = str(Warehouse.default().database)
    asked = failed = 0
    builds = set()
    while not stop.exists():
        try:
            with closing(duckdb.connect(file, read_only=True)) as connection:
                for _ in range(5):
                    asked += 1
                    builds.add(connection.execute(QUESTION).fetchall()[0][-1])
                    time.sleep(0.5)
        except duckdb.Error as error:
            failed += 1
            print(dt.datetime.now(dt.UTC), error, file=sys.stderr)
    return {"asked": asked, "failed": failed, "builds": len(builds)}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["backfill", first, last, until]:
            said = backfill(first, last, float(until))
        case ["weekly", reports, until]:
            said = weekly(Path(reports), float(until))
        case ["reader", stop]:
            said = reader(Path(stop))
        case other:
            raise SystemExit(f"not a part of the stress test: {other}")
    print(json.dumps(said), file=sys.__stdout__)
