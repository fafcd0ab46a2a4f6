"""What the newest report of each week leaves open: refused rows, and lines that do not add up."""

from __future__ import annotations

import datetime as dt

import polars as pl

from pipelines.ingest.plan import Plan
from pipelines.ingest.results import OpenLine, WeekStatus
from pipelines.store import week_files
from pipelines.store.paths import Warehouse


def week_statuses(warehouse: Warehouse, plan: Plan) -> list[WeekStatus]:
    """Return every written week of a source that a report covers, with what is open in it."""
    found = []
    for week, mark in sorted(plan.written.items()):
        if mark is None or not mark.vintages:
            continue
        if mark.is_clean:
            found.append(WeekStatus(week, 0, ()))
            continue
        outcomes = week_files.read_outcomes(warehouse, plan.source.name, week)
        found.append(_status(week, failed_outcomes(outcomes, mark.vintages[-1][0])))
    return found


def _status(week: dt.date, failed: pl.DataFrame) -> WeekStatus:
    return WeekStatus(
        week,
        int(failed.filter(pl.col("verdict") == "refused").get_column("failed").sum()),
        tuple(
            OpenLine(row["rule"], f"{week}: {reason(row)}", row["blocking"])
            for row in failed.filter(pl.col("verdict") == "unexplained").iter_rows(named=True)
        ),
    )


def failed_outcomes(outcomes: pl.DataFrame, report_id: str) -> pl.DataFrame:
    """Return the outcomes of a report that are refused or unexplained."""
    return outcomes.filter(
        pl.col("report_id") == report_id, pl.col("verdict").is_in(["refused", "unexplained"])
    )


def reason(row: dict[str, object]) -> str:
    """Return a failed outcome as a sentence: what was expected, what was found, and where."""
    if row["residual"] is None:
        return f"{row['rule']}: {row['failed']} refused ({row['sample']})"
    return (
        f"{row['line']}: expected {row['expected']:,.2f}, found {row['found']:,.2f}, "
        f"residual {row['residual']:,.2f} beyond {row['hard_bound']:,.2f} ({row['sample']})"
        + (f"; {row['proposal']}?" if row["proposal"] else "")
    )
