"""What a build reads as schema `input`: the week files, the archive, the sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from pipelines.database import errors
from pipelines.database.connection import MEMORY, memory
from pipelines.ingest import calendar
from pipelines.ingest.plan import Plan
from pipelines.layouts.filled import filled
from pipelines.layouts.source import Source
from pipelines.store.paths import Kind, Warehouse
from schemas import catalog, ops
from schemas.dimensions import DIMENSIONS
from schemas.observation import empty, frame

_SERVED = """(
    not list_contains($held, source)
    or (source, report_id, week_ending) in (
        select (source, report_id, week_ending) from served_vintage
    )
)"""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The frames and files that the SQL reads under schema `input`, and what each source fills.

    Of the sources `held` back only what is in `served` is read: source, report and week.
    """

    files: dict[str, list[Path]]
    frames: dict[str, pl.DataFrame]
    filled: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    held: Collection[str] = ()
    served: pl.DataFrame | None = None


def inputs(
    warehouse: Warehouse,
    plans: Sequence[Plan],
    until: dt.datetime,
    *,
    held: Mapping[str, str] = {},
    served: pl.DataFrame | None = None,
) -> Inputs:
    """Return what a build reads of a warehouse: the weeks' files, the archive, the sources.

    Args:
        warehouse: where the week files lie.
        plans: the state of every source.
        until: the moment by which reports are expected.
        held: why a source is served as it was before, by its name.
        served: the sources, reports and weeks that are served.
    """
    names = [plan.source.name for plan in plans]

    def files(kind: Kind) -> list[Path]:
        return [file for name in names for file in warehouse.week_files(kind, name)]

    return Inputs(
        files={
            "input.observation": files("weeks"),
            "input.quarantine": files("quarantine"),
            "input.outcome": files("outcomes"),
        },
        frames={
            "input.report": _reports(plans),
            "input.source": source_rows([plan.source for plan in plans]),
            "input.dimension": dimension_rows(),
            "input.coverage": _coverage(plans, until),
            "input.unread_week": _unread(plans),
            "input.stale": _stale(plans, held),
        },
        filled={plan.source.name: filled(plan.source) for plan in plans},
        held=held,
        served=served,
    )


def source_rows(sources: Sequence[Source]) -> pl.DataFrame:
    """Return the declared sources as rows of `core.source`."""
    rows: list[dict[str, object]] = [
        {
            "source": source.name,
            "title": source.title,
            "publisher": source.publisher,
            "url": source.url,
            "universe": source.universe,
            "country_basis": source.country_basis,
            "week_ends": source.week.ends,
            "report_covers": source.report_covers,
            "is_split_adjusted": source.is_split_adjusted,
            "price_basis": source.price_basis,
            "calendar": source.calendar,
        }
        for source in sources
    ]
    return frame(catalog.contract_of("input.source"), rows)


def dimension_rows() -> pl.DataFrame:
    """Return the list of dimensions as rows of `core.dimension`."""
    contract = catalog.contract_of("input.dimension")
    columns = empty(contract).columns[1:]
    rows: list[dict[str, object]] = [
        {"dimension": each.name, **{column: getattr(each, column) for column in columns}}
        for each in DIMENSIONS
    ]
    return frame(contract, rows)


def _reports(plans: Sequence[Plan]) -> pl.DataFrame:
    """List the archive with what the index knows of each report."""
    rows: list[dict[str, object]] = [
        {
            "report_id": each.report_id,
            "source": plan.source.name,
            "name": each.name,
            "layout": each.layout,
            "received_at": each.archived.report.received_at,
            "published_at": each.published_at,
            "known_at": each.known_at,
            "first_week": each.first_week,
            "last_week": each.last_week,
            "weeks": each.weeks,
            "error": each.error,
        }
        for plan in plans
        for each in plan.reports
    ]
    return frame(catalog.contract_of("input.report"), rows)


def _coverage(plans: Sequence[Plan], until: dt.datetime) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "source": each.source,
            "week_ending": each.week,
            "expected_by": each.expected_by,
            "first_known_at": each.first_known_at,
            "state": each.state,
        }
        for plan in plans
        for each in calendar.coverage(plan.source, plan.coverage, until)
    ]
    return frame(catalog.contract_of("input.coverage"), rows)


def _unread(plans: Sequence[Plan]) -> pl.DataFrame:
    """List the weeks that archived reports cover and that have not been read."""
    rows: list[dict[str, object]] = [
        {"source": plan.source.name, "week_ending": week, "known_at": known_at}
        for plan in plans
        for week, known_at in plan.unread_weeks.items()
    ]
    return frame(catalog.contract_of("input.unread_week"), rows)


def _stale(plans: Sequence[Plan], held: Mapping[str, str]) -> pl.DataFrame:
    """List what is served as it was before: lost or unusable reports, and whole sources."""
    rows: list[dict[str, object]] = [
        {
            "source": plan.source.name,
            "report_id": each.report_id,
            "name": each.name,
            "reason": each.error,
        }
        for plan in plans
        for each in plan.reports
        if each.is_stale
    ]
    rows += [
        {"source": source, "report_id": None, "name": None, "reason": why}
        for source, why in held.items()
    ]
    return frame(catalog.contract_of("input.stale"), rows)


def open_inputs(
    connection: duckdb.DuckDBPyConnection, read: Inputs, as_of: dt.datetime | None
) -> None:
    """Load the inputs as tables of schema `input`, as known by `as_of`."""
    # Keeping thousands of small files in order takes three times as long, and all memory.
    connection.execute("set preserve_insertion_order = false")
    connection.register(
        "served_vintage", empty(ops.CheckResult) if read.served is None else read.served
    )
    for name in (*read.files, *read.frames):
        files = [str(file) for file in read.files.get(name, [])]
        rows = read.frames.get(name, empty(catalog.contract_of(name)))
        admitted = []
        parameters: dict[str, object] = {"files": files} if files else {}
        if as_of and "known_at" in rows.columns:
            admitted.append("known_at <= $as_of")
            parameters["as_of"] = as_of
        if read.held and files:
            admitted.append(_SERVED)
            parameters["held"] = list(read.held)
        known = f" where {' and '.join(admitted)}" if admitted else ""
        connection.register("arriving", rows)
        origin = "read_parquet($files)" if files else "arriving"
        try:
            connection.execute(f"create table {name} as from {origin}{known}", parameters)
        except duckdb.OutOfMemoryException as error:
            raise errors.out_of_memory(name, MEMORY, memory(), str(error)) from error
        except duckdb.Error as error:
            raise errors.damaged_week(name, str(error)) from error
        connection.unregister("arriving")
    connection.unregister("served_vintage")
    connection.execute("reset preserve_insertion_order")
