"""Trouble stays where it is: a source whose new rows break a build is served as it was before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeVar

import duckdb
import polars as pl

from pipelines.database.connection import reading
from pipelines.database.errors import RowsError
from pipelines.database.loss import VINTAGE, vintages_of
from pipelines.ingest.plan import Plan

_SCHEMA = {"source": pl.String, "report_id": pl.String, "week_ending": pl.Date}
T = TypeVar("T")


def served_vintages(served: Path) -> pl.DataFrame:
    """Return the reports and weeks of which the served file is made; none if it does not open."""
    if not served.exists():
        return pl.DataFrame(schema=_SCHEMA)
    try:
        with reading(served) as connection:
            return vintages_of(connection)
    except duckdb.Error:
        return pl.DataFrame(schema=_SCHEMA)


def with_news(plans: Collection[Plan], served: pl.DataFrame) -> list[str]:
    """Return the sources with a report of a week that is not served."""
    known = [
        (plan.source.name, report_id, week)
        for plan in plans
        for week, mark in plan.written.items()
        for report_id, _ in (mark.vintages if mark else ())
    ]
    rows = pl.DataFrame(known, _SCHEMA, orient="row")
    fresh = rows.join(served, on=VINTAGE, how="anti")
    return sorted(fresh.get_column("source").unique())


def build_all_that_can_be(
    attempt: Callable[[Mapping[str, str]], T], candidates: Collection[str]
) -> T:
    """Build; if rows break it, hold back the sources whose new rows do that.

    Args:
        attempt: builds with some sources held back, each with the reason, as they are served.
        candidates: the sources that have something new.

    Raises:
        BuildError: it fails with all of them held back, too: the fault is not in their new rows.
    """
    try:
        return attempt({})
    except RowsError as error:
        if not candidates:
            raise
        first = error
    held = dict.fromkeys(candidates, str(first))
    try:
        built = attempt(held)
    except RowsError:
        raise first from None
    if len(held) == 1:
        return built
    for source in candidates:
        without = {name: why for name, why in held.items() if name != source}
        try:
            built, held = attempt(without), without
        except RowsError as error:
            held[source] = str(error)
    return attempt(held)
