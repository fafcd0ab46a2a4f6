"""From fund-days to the weekly bridge by asset, issuer and country, beside a mere scan and sum.

Makes a ledger of synthetic fund-days, runs the models of the bridge on it as the build does, and
prints seconds, peak memory and the ratio to DuckDB summing the same columns, in one run.

    python -m benchmarks.bridge [FUND_DAYS]
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from subprocess import run

import duckdb

from benchmarks.world import table
from pipelines.database import models
from pipelines.database.connection import opened
from pipelines.database.inputs import dimension_rows
from schemas import catalog
from schemas.observation import empty

DAYS = 2500
LEDGER, LAST = "core.fund_day", "mart.aum_change"
MEMBERSHIP = "core.membership"
FUND_DAYS = """
create table core.fund_day as
with funds as (
    select range as number, 'fund' || range || '-us' as fund from range({funds})
),
days as (
    select
        row_number() over (order by day) as number,
        cast(day as date) as trade_date
    from range(date '2016-01-04', date '2030-01-01', interval 1 day) as days (day)
    where isodow(day) <= 5
    qualify row_number() over (order by day) <= {days}
)
select
    'bench' as source,
    funds.fund as holder,
    'F' || funds.number as label,
    funds.fund,
    days.trade_date,
    days.trade_date + cast((5 - isodow(days.trade_date) + 7) % 7 as integer) as week_ending,
    'USD' as currency,
    cast(null as decimal(38, 10)) as printed_flow_local,
    cast(null as decimal(38, 10)) as printed_flow_half_unit_local,
    cast(null as decimal(38, 10)) as aum_half_unit_local,
    cast(
        (1000000 + ((funds.number * 7919 + days.number * 104729) % 1000) * 50000)
        * (20 + ((funds.number + days.number * 31) % 997) / 100.0) as decimal(38, 10)
    ) as aum_local,
    cast(20 + ((funds.number + days.number * 31) % 997) / 100.0 as decimal(38, 10)) as nav_local,
    cast(
        1000000 + ((funds.number * 7919 + days.number * 104729) % 1000) * 50000
        as decimal(38, 10)
    ) as shares_outstanding,
    cast(null as decimal(38, 10)) as coins_held,
    cast(null as decimal(38, 10)) as coins_earned,
    1 as split_new,
    1 as split_old,
    false as is_held,
    cast(1 as decimal(18, 10)) as usd_per_unit,
    'usd' as fx_basis,
    false as is_refused,
    'final' as status
from funds cross join days
"""
REFERENCE = """
create table reference.fund as
select
    'fund' || range || '-us' as fund, 'Fund ' || range as fund_name, 'A' || range % 40 as asset,
    'USD' as currency, 'C' || range % 20 as listing_country, 'US' as domicile,
    'spot_etf' as product_type, 1 as leverage, 1 as direction, false as is_hedged,
    'USD' as underlying_currency, null::date as inception_date, null::date as closed_date,
    date '1900-01-01' as valid_from, null::date as valid_to
from range({funds});
create table reference.fund_issuer as
select 'fund' || range || '-us' as fund, 'issuer' || range % 60 as issuer,
    date '1900-01-01' as valid_from, null::date as valid_to
from range({funds});
insert into core.source by name
select 'bench' as source, 'bench' as title, '' as publisher, '' as url, '' as universe,
    'listing' as country_basis, 'friday' as week_ends, 'all funds' as report_covers,
    false as is_split_adjusted, 'nav' as price_basis;
"""
SCAN = """
select
    fund, week_ending, sum(aum_local), sum(nav_local), sum(shares_outstanding),
    sum(usd_per_unit), count(*)
from core.fund_day
group by all
"""


def chain() -> list[str]:
    """Return the models that lead from the ledger to the last one, in the order of a build."""
    known, after, wanted = models.models(), {LEDGER}, {LAST}
    for name, model in known.items():
        if after.intersection(model.reads):
            after.add(name)
    for name in reversed(known):
        if name in wanted:
            wanted.update(known[name].reads)
    return [name for name in known if name in wanted & after - {LEDGER}]


def prepare(connection: duckdb.DuckDBPyConnection, fund_days: int) -> None:
    """Make the ledger: fund-days, the reference rows of their funds, and empty neighbours."""
    for schema in catalog.SCHEMAS:
        connection.execute(f"create schema if not exists {schema}")
    for macro in models.macros().values():
        connection.execute(macro)
    made = {LEDGER, MEMBERSHIP, "reference.fund", "reference.fund_issuer"}
    read_by = [models.models()[name] for name in (*chain(), MEMBERSHIP)]
    needed = {read for model in read_by for read in model.reads}
    for name in sorted((needed - made - set(chain())) | {"core.source"}):
        rows = dimension_rows() if name == "core.dimension" else empty(catalog.contract_of(name))
        connection.register("arriving", rows)
        connection.execute(f"create table {name} as from arriving")
        connection.unregister("arriving")
    funds = fund_days // DAYS
    connection.execute(FUND_DAYS.format(funds=funds, days=DAYS))
    for statement in REFERENCE.format(funds=funds).split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"create table {MEMBERSHIP} as {models.models()[MEMBERSHIP].sql}")


def timed(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    """Run a statement to its last row and return the seconds."""
    started = time.perf_counter()
    connection.execute(sql).fetchall()
    return time.perf_counter() - started


def main(fund_days: int = 5_000_000) -> None:
    """Print the table of one run, in a process of its own: its peak memory is a process's."""
    run([sys.executable, "-m", "benchmarks.bridge", str(fund_days)], check=True)


def measure(fund_days: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        connection = opened(Path(folder) / "bench.duckdb")
        prepare(connection, fund_days)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        scan = statistics.median(
            timed(connection, f"create or replace temp table scanned as {SCAN}") for _ in range(3)
        )
        took = {
            name: timed(connection, f"create {model.kind} {name} as {model.typed(model.sql)}")
            for name, model in ((name, models.models()[name]) for name in chain())
        }
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rows = connection.execute("select count(*) from mart.aum_change").fetchall()[0][0]
    total = sum(took.values())
    table(
        f"The bridge of {fund_days:,} fund-days, {rows:,} rows; "
        f"peak memory {peak / 2**20:.1f} GiB, of which {before / 2**20:.1f} to make the data",
        ("", "seconds", "ratio to scan and sum"),
        [
            *((name, f"{seconds:.2f}", "") for name, seconds in took.items()),
            ("together", f"{total:.2f}", f"{total / scan:.0f}"),
            ("scan and sum", f"{scan:.2f}", "1"),
        ],
    )


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
