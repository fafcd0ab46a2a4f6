"""A small honest Dagster project of the common kind, to be measured beside ours.

Weekly partitions, a run per week, the default multiprocess executor; each asset reads its sheet
with openpyxl, makes a Polars frame and replaces the week's rows in one DuckDB file. The resource
waits for the file's lock, as every such project learns to do. No contract, no archive, no vintages.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
import openpyxl
import polars as pl

WEEKS = dg.WeeklyPartitionsDefinition(start_date="2016-01-08", day_offset=5, end_offset=1)
SHEETS = {
    "by_asset": "By asset",
    "by_provider": "By provider",
    "by_country": "By exchange country",
}


class Database(dg.ConfigurableResource):
    """One DuckDB file, which one process at a time may write."""

    path: str
    patience: float = 300

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the file, trying again while another process has it."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                connection = duckdb.connect(self.path)
            except duckdb.IOException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(0.05, 0.3))
            else:
                break
        try:
            yield connection
        finally:
            connection.close()


def rows_of(week: str, sheet: str) -> pl.DataFrame:
    """Read one table of a week's workbook."""
    file = Path(os.environ["COMMON_PATTERN_REPORTS"]) / f"report_{week}.xlsx"
    _, *rows = openpyxl.load_workbook(file, data_only=True)[sheet].iter_rows(
        min_row=5, values_only=True
    )
    columns = ["member", "week_flow", "mtd_flow", "ytd_flow", "aum"]
    return pl.DataFrame(rows, schema=columns, orient="row").insert_column(
        0, pl.lit(week).str.to_date().alias("week_ending")
    )


def replace(connection: duckdb.DuckDBPyConnection, table: str, week: str, query: str) -> int:
    """Replace the rows of a week; the table is made when it is not there yet."""
    connection.execute(f"create table if not exists {table} as {query} limit 0")
    connection.execute("begin")
    connection.execute(f"delete from {table} where week_ending = ?", [week])
    connection.execute(f"insert into {table} {query}")
    connection.execute("commit")
    counted = connection.execute(f"select count(*) from {table} where week_ending = ?", [week])
    return counted.fetchall()[0][0]


def sheet_asset(name: str, sheet: str) -> dg.AssetsDefinition:
    """Return the asset of one sheet."""

    @dg.asset(name=name, partitions_def=WEEKS)
    def table(context: dg.AssetExecutionContext, database: Database) -> dg.MaterializeResult:
        rows = rows_of(context.partition_key, sheet)
        with database.connect() as connection:
            connection.register("arriving", rows)
            count = replace(connection, name, context.partition_key, "from arriving")
        return dg.MaterializeResult(metadata={"rows": count})

    return table


TOTALS = "select * from by_asset where member = 'Total' and week_ending = '{week}'"
CHANGES = """
select
    week_ending, week_flow,
    aum - (
        select aum from weekly_totals as before
        where before.week_ending = weekly_totals.week_ending - interval 7 day
    ) as aum_change
from weekly_totals where week_ending = '{week}'
"""


def query_asset(name: str, query: str, deps: list[str]) -> dg.AssetsDefinition:
    """Return an asset that a query makes of the tables before it."""

    @dg.asset(name=name, partitions_def=WEEKS, deps=deps)
    def table(context: dg.AssetExecutionContext, database: Database) -> dg.MaterializeResult:
        week = context.partition_key
        with database.connect() as connection:
            count = replace(connection, name, week, query.format(week=week))
        return dg.MaterializeResult(metadata={"rows": count})

    return table


defs = dg.Definitions(
    assets=[
        *(sheet_asset(name, sheet) for name, sheet in SHEETS.items()),
        query_asset("weekly_totals", TOTALS, list(SHEETS)),
        query_asset("aum_change", CHANGES, ["weekly_totals"]),
    ],
    resources={"database": Database(path=dg.EnvVar("COMMON_PATTERN_DATABASE"))},
)
