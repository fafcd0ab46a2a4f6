"""Never less than yesterday without a word: a build is held against the file that is served.

A number that the served file has and the build lacks needs a cause on record: a vintage of its
week, a row of the reference tables, other versions of the code. Without one nothing is published.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from pipelines.database import errors
from pipelines.database.connection import attached, tables
from pipelines.store import marker
from schemas import catalog

VINTAGE = ("source", "report_id", "week_ending")
"""What `ops.check_result` has one row or more of: a report that was read for a week."""
_MEASURED = ("value", "net_flow_usd", "aum_usd", "aum_close_usd")
_MEMBERS = ("label", "member", "asset")
"""What a number is of, as printed where a table has that: a label that is mapped anew stays."""
_OF_THE_REST = {"unmapped", "other-derived"}
"""Members of what no other member has: any reference row may take from them."""
_FINER = ("dimension", "printed_table", "measure", "period", "period_end", "trade_date")
_OPENS = dt.timedelta(days=28)
"""So long after it a vintage may take a number away: a step opens at the position before."""
_HEAD = 3


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Numbers by source, week and member: a measured column of a table."""

    table: str
    column: str
    key: tuple[str, ...]

    def missing(self, served: str) -> str:
        """Return the query of the keys with a number in the served file and none in the build."""
        key = ", ".join(self.key)
        known = f"where {self.column} is not null"
        return (
            f"select {key} from {served}.{self.table} {known} "  # noqa: S608
            f"except select {key} from {self.table} {known}"
        )


def refuse_loss(
    connection: duckdb.DuckDBPyConnection, served: Path, allowed: Collection[str]
) -> None:
    """Refuse a build in which numbers of the served file have vanished without a cause.

    Args:
        connection: with the build.
        served: the published database.
        allowed: sources that may lose numbers.

    Raises:
        BuildError: what would vanish, by source and table.
    """
    with attached(connection, served) as name:
        if name is None or _versions(connection, name) != marker.versions():
            return
        changed = _changed(connection, name)
        touched = _touched_members(connection, name)
        vanished = [
            found
            for numbers in _numbers(connection, name)
            if not (found := _vanished(connection, numbers, name, changed, touched)).is_empty()
        ]
    lost = pl.concat(vanished) if vanished else pl.DataFrame(schema={"source": pl.String})
    lost = lost.filter(~pl.col("source").is_in(list(allowed)))
    if not lost.is_empty():
        raise errors.would_vanish(_listed(lost), sorted(lost.get_column("source").unique()))


def vintages_of(connection: duckdb.DuckDBPyConnection, database: str = "") -> pl.DataFrame:
    """Return the reports and weeks of which a database is made."""
    place = f"{database}." if database else ""
    return connection.sql(
        f"select distinct {', '.join(VINTAGE)} from {place}ops.check_result"  # noqa: S608
    ).pl()


def _versions(connection: duckdb.DuckDBPyConnection, served: str) -> str | None:
    try:
        rows = connection.execute(f"select versions from {served}.ops.build").fetchall()  # noqa: S608
    except duckdb.Error:  # of a time when a build did not say so
        return None
    return str(rows[0][0]) if rows else None


def _numbers(connection: duckdb.DuckDBPyConnection, served: str) -> list[_Numbers]:
    """Return what is held against the served file: columns that both have."""
    known = connection.execute(
        "select schema_name || '.' || table_name, list(column_name) from duckdb_columns() "
        "where database_name = $served group by all",
        {"served": served},
    ).fetchall()
    before = {table: set(columns) for table, columns in known}
    found = []
    for table in tables(connection):
        now = {column.name for column in catalog.columns(catalog.contract_of(table))}
        both = now & before.get(table, set())
        member = next((each for each in _MEMBERS if each in both), None)
        if (
            member
            and {"source", "week_ending"} <= both
            and "other_source" not in both  # a loss of one stands with that one
            and not table.startswith("ops.")
        ):
            key = ["source", "week_ending", *(each for each in _FINER if each in both), member]
            found += [_Numbers(table, each, tuple(key)) for each in _MEASURED if each in both]
    return found


def _changed(connection: duckdb.DuckDBPyConnection, served: str) -> pl.DataFrame:
    """Return the weeks of which a report was read that the served file does not know."""
    return (
        vintages_of(connection)
        .join(vintages_of(connection, served), on=VINTAGE, how="anti")
        .select("source", changed="week_ending")
        .unique()
        .sort("changed")
    )


def _touched_members(connection: duckdb.DuckDBPyConnection, served: str) -> set[str]:
    """Return every text of the reference rows in which the two differ: members and labels."""
    touched: set[str] = set()
    for table in tables(connection):
        if table.startswith("reference."):
            ours, theirs = f"from {table}", f"from {served}.{table}"
            try:
                rows = connection.execute(
                    f"({ours} except {theirs}) union all ({theirs} except {ours})"
                ).fetchall()
            except duckdb.Error:  # other columns: all of it is new
                rows = connection.execute(ours).fetchall()
            touched |= {each.lower() for row in rows for each in row if isinstance(each, str)}
    return touched | (_OF_THE_REST if touched else set())


def _vanished(
    connection: duckdb.DuckDBPyConnection,
    numbers: _Numbers,
    served: str,
    changed: pl.DataFrame,
    touched: set[str],
) -> pl.DataFrame:
    """Return the keys that are gone without a cause: table, source, week and member."""
    gone = connection.sql(numbers.missing(served)).pl()
    member = pl.col(numbers.key[-1])
    gone = gone.filter(~member.str.to_lowercase().is_in(list(touched))).sort("week_ending")
    since = gone.join_asof(
        changed, left_on="week_ending", right_on="changed", by="source", check_sortedness=False
    )
    gone = since.filter(
        pl.col("changed").is_null() | (pl.col("week_ending") - pl.col("changed") > _OPENS)
    )
    return gone.select(
        "source",
        "week_ending",
        table=pl.lit(f"{numbers.table}.{numbers.column}"),
        member=member,
    )


def _listed(lost: pl.DataFrame) -> str:
    """Return what would vanish, a line for each source and column."""
    counted = lost.group_by("source", "table").agg(
        pl.len(),
        first=pl.col("week_ending").min(),
        last=pl.col("week_ending").max(),
        members=pl.col("member").unique().sort(),
    )
    lines = []
    for row in counted.sort("source", "table").iter_rows(named=True):
        members = [str(each) for each in row["members"]]
        more = f" and {len(members) - _HEAD} more" if len(members) > _HEAD else ""
        lines.append(
            f"{row['source']}: {row['len']} of {row['table']}, weeks {row['first']}..{row['last']} "
            f"({', '.join(members[:_HEAD])}{more})"
        )
    return "\n".join(lines)
