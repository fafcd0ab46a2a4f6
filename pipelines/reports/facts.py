"""Weeks on disk: which reports speak about a week, and what each of them newly says.

A week of a source is three Parquet files: facts (admitted observations, every vintage),
quarantine (refused rows), and outcomes (what was checked), written in this order. The outcomes
file is written last and names the reports it stands for, so a crash in between leaves a week that
is simply due again. Reading and judging are elsewhere; nothing here knows a layout.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Collection
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.reports import archive, judge
from pipelines.reports.archive import Archived
from pipelines.reports.judge import Judgement
from pipelines.reports.layout import Source
from pipelines.reports.survey import Statement, contents, parse, statements
from pipelines.reports.warehouse import Warehouse, write_whole
from schemas import observation as contract
from schemas.observation import KEY, SAID, Observation, Outcome, Refused, empty

_STATE = "fundflows"
watcher: ContextVar[Callable[[WeekResult], None]] = ContextVar("watcher", default=lambda _: None)
"""Told of each week that any `ingest` of this context writes: how a progress bar listens in."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a week that does not add up."""

    rule: str
    text: str
    blocking: bool


@dataclass(frozen=True, slots=True)
class WeekResult:
    """How a week came out: what the run reports, and what the UI shows."""

    week: dt.date
    rows: int
    vintages: int
    refused_rows: int
    verdicts: dict[str, int]
    reports: tuple[str, ...] = ()
    refused_reports: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    unexplained: tuple[Line, ...] = ()
    sample: pl.DataFrame = field(default_factory=lambda: empty(Observation))

    @property
    def ok(self) -> bool:
        """Whether the newest report of the week was admitted (a week without one is)."""
        return not self.failures


# -- plan: which weeks are due -------------------------------------------------------------------


def due(warehouse: Warehouse, source: Source) -> list[dt.date]:
    """Return the weeks that are new or changed: a report, a layout or the contract.

    A week that no report covers any more, after a layout was mended, is due to be emptied.
    """
    wanted = statements(warehouse, source)
    files = warehouse.week_files("outcomes") + warehouse.week_files("facts")
    written = {
        dt.date.fromisoformat(file.stem) for file in files if file.parent.name == source.name
    }
    changed = {
        week for week, said in wanted.items() if not _is_written(warehouse, source, week, said)
    }
    return sorted(changed | (written - set(wanted)))


def _state_of(source: Source, said: list[Statement]) -> dict[str, object]:
    return {"rules": _rules(source), "reports": [list(each) for each in said]}


def _is_written(warehouse: Warehouse, source: Source, week: dt.date, said: list[Statement]) -> bool:
    """Tell whether a week's files stand for these statements, and are all there."""
    state = _written_state(warehouse, source, week)
    return state == _state_of(source, said)


def _written_state(warehouse: Warehouse, source: Source, week: dt.date) -> dict[str, Any] | None:
    """Return what a week's files stand for, if they are all there and can be read."""
    file = warehouse.week_file("outcomes", source.name, week)
    if not file.exists():
        return None
    try:
        state = json.loads(pl.read_parquet_metadata(file)[_STATE])
        there = {
            kind: warehouse.week_file(kind, source.name, week).exists() == said
            for kind, said in state.pop("files").items()
        }
        return (
            {"rules": state["rules"], "reports": state["reports"]} if all(there.values()) else None
        )
    except (pl.exceptions.ComputeError, AttributeError, KeyError, TypeError, ValueError, OSError):
        return None  # written by another version, or damaged


def _rules(source: Source) -> str:
    """Return a hash of all that decides what becomes of a reading: the contract, the totals."""
    reconciled = [
        (layout.name, table.name, table.totals, table.position)
        for layout in source.layouts
        for table in layout.tables
    ]
    return hashlib.sha256(f"{_contract()}{reconciled}".encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def _contract() -> str:
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in (contract, judge))
    return hashlib.sha256(code + Path(__file__).read_bytes()).hexdigest()[:16]


# -- write ---------------------------------------------------------------------------------------


def ingest(
    warehouse: Warehouse,
    source: Source,
    weeks: Collection[dt.date],
    *,
    on_week: Callable[[WeekResult], None] = lambda _: None,
) -> list[WeekResult]:
    """Read, judge and write the given weeks of a source from the archive.

    Every week is written by itself, in order, and reported through `on_week` once it is on disk.
    A week that no report covers is a result with zero rows. Nothing of a refused vintage reaches
    the facts; the vintages before it stay.
    """
    archive.sweep(warehouse, source.name)
    said = statements(warehouse, source)
    wanted = {week: said[week] for week in weeks if week in said}
    archived = {
        each.archived.report.report_id: each.archived for each in contents(warehouse, source)
    }
    names = {report_id: each.report.name for report_id, each in archived.items()}
    folded = _fold(wanted, _rows_of(warehouse, source, wanted, archived), names)
    results = []
    for week in sorted(weeks):
        result = _write_week(warehouse, source, week, wanted.get(week, []), folded)
        on_week(result)
        watcher.get()(result)
        results.append(result)
    return results


def _rows_of(
    warehouse: Warehouse,
    source: Source,
    wanted: dict[dt.date, list[Statement]],
    archived: dict[str, Archived],
) -> Judgement:
    """Return all that the reports of the wanted weeks say in these, oldest vintage first.

    Where only newer reports have come, what the older ones said is taken from the week's files,
    so that one vintage more costs the same after ten and after a thousand.
    """
    kept = {week: _kept(warehouse, source, week, said) for week, said in wanted.items()}
    fresh = [
        (week, report_id)
        for week, said in wanted.items()
        for report_id, _ in said[len(kept[week].said) :]
    ]
    pairs = pl.DataFrame(fresh, {"week_ending": pl.Date, "report_id": pl.String}, orient="row")
    needed = {report_id for _, report_id in fresh}
    judged = [
        _only(judge.judge(parse(source, each)), pairs)
        for report_id, each in archived.items()
        if report_id in needed
    ]
    return Judgement.joined([*(each.rows for each in kept.values()), *judged])


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is on disk of a week, as far as it can be added to."""

    said: list[Statement]
    rows: Judgement


def _kept(warehouse: Warehouse, source: Source, week: dt.date, said: list[Statement]) -> _Kept:
    """Return a week's rows if its reports are the older ones of `said`; else nothing."""
    nothing = _Kept([], Judgement.joined([]))
    state = _written_state(warehouse, source, week)
    if state is None or state["rules"] != _rules(source):
        return nothing
    known = [(report_id, digest) for report_id, digest in state["reports"]]
    # A week that is asked for again, though nothing is new, is made from the archive.
    if len(known) >= len(said) or known != said[: len(known)]:
        return nothing
    frames = []
    for kind, model in (("facts", Observation), ("quarantine", Refused), ("outcomes", Outcome)):
        file = warehouse.week_file(kind, source.name, week)
        try:
            frames.append(pl.read_parquet(file) if file.exists() else empty(model))
        except pl.exceptions.PolarsError:
            return nothing  # damaged
    return _Kept(known, Judgement(*frames))


def _only(judged: Judgement, pairs: pl.DataFrame) -> Judgement:
    """Leave the rows of these weeks and reports."""
    on = pairs.columns
    return Judgement(
        judged.observations.join(pairs, on=on, how="semi"),
        judged.refused.join(pairs, on=on, how="semi"),
        judged.outcomes.join(pairs, on=on, how="semi"),
    )


@dataclass(frozen=True, slots=True)
class _Folded:
    """All vintages of the wanted weeks, by week."""

    facts: dict[dt.date, pl.DataFrame]
    refused: dict[dt.date, pl.DataFrame]
    outcomes: dict[dt.date, pl.DataFrame]
    names: dict[str, str]


def _fold(
    wanted: dict[dt.date, list[Statement]], rows: Judgement, names: dict[str, str]
) -> _Folded:
    """Put the vintages of all weeks in order, and keep a row only where it says something new."""
    spoken = pl.DataFrame(
        [
            (week, report_id, order)
            for week, said in wanted.items()
            for order, (report_id, _) in enumerate(said)
        ],
        schema={"week_ending": pl.Date, "report_id": pl.String, "order": pl.Int64},
        orient="row",
    )
    on = ["week_ending", "report_id"]
    admitted = spoken.join(judge.blocking(rows.outcomes), on=on, how="anti")
    facts = rows.observations.join(admitted, on=on).unique([*KEY, "report_id"], keep="first")
    facts = facts.sort(*KEY, "order", nulls_last=True)
    new = ~pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(name).shift(1).over(KEY)) for name in SAID
    )
    first = pl.int_range(pl.len()).over(KEY) == 0
    facts = facts.filter(first | new).sort("week_ending", *KEY[1:], "order").drop("order")
    return _Folded(_by_week(facts), _by_week(rows.refused), _by_week(rows.outcomes), names)


def _by_week(rows: pl.DataFrame) -> dict[dt.date, pl.DataFrame]:
    parts = rows.partition_by("week_ending", as_dict=True, maintain_order=True)
    return {key[0]: part for key, part in parts.items() if isinstance(key[0], dt.date)}


def _write_week(
    warehouse: Warehouse,
    source: Source,
    week: dt.date,
    said: list[Statement],
    folded: _Folded,
) -> WeekResult:
    names = folded.names
    facts = folded.facts.get(week, empty(Observation))
    refused = folded.refused.get(week, empty(Refused))
    outcomes = folded.outcomes.get(week, empty(Outcome))
    _write(warehouse, "facts", source, week, facts)
    _write(warehouse, "quarantine", source, week, refused)
    state = {
        **_state_of(source, said),
        "files": {"facts": facts.height > 0, "quarantine": refused.height > 0},
    }
    _write(warehouse, "outcomes", source, week, outcomes, state=state if said else None)
    blocked = _blocked(outcomes)
    admitted = facts.get_column("report_id").unique(maintain_order=True)
    return WeekResult(
        week=week,
        rows=facts.height,
        vintages=admitted.len(),
        refused_rows=refused.height,
        verdicts=dict(outcomes.group_by("verdict").len().sort("verdict").iter_rows()),
        reports=tuple(names[report_id] for report_id, _ in said),
        refused_reports=tuple(names[report_id] for report_id in blocked),
        failures=tuple(_failures(blocked, said, names)),
        unexplained=tuple(
            Line(row["rule"], f"{week}: {_why(row)}", row["blocking"])
            for row in outcomes.filter(pl.col("verdict") == "unexplained").iter_rows(named=True)
        ),
        sample=facts.filter(pl.col("value").is_not_null())
        .unique(["label", "measure", "period"], keep="last", maintain_order=True)
        .head(6),
    )


def _blocked(outcomes: pl.DataFrame) -> dict[str, list[str]]:
    """Return the lines for which each refused report of a week was refused."""
    blocked: dict[str, list[str]] = {}
    for row in judge.blocking(outcomes).iter_rows(named=True):
        blocked.setdefault(row["report_id"], []).append(_why(row))
    return blocked


def _why(row: dict[str, object]) -> str:
    if row["residual"] is None:
        return f"{row['rule']}: {row['failed']} refused ({row['sample']})"
    return (
        f"{row['line']}: expected {row['expected']:,.2f}, found {row['found']:,.2f}, "
        f"residual {row['residual']:,.2f} beyond {row['hard_bound']:,.2f} ({row['sample']})"
    )


def _failures(
    blocked: dict[str, list[str]],
    said: list[Statement],
    names: dict[str, str],
) -> list[str]:
    """Say why the newest report of a week was refused; an older refusal has been answered."""
    newest = said[-1][0] if said else None
    return [f"{names[newest]}: {why}" for why in blocked.get(newest, [])] if newest else []


def _write(
    warehouse: Warehouse,
    kind: str,
    source: Source,
    week: dt.date,
    rows: pl.DataFrame,
    *,
    state: dict[str, object] | None = None,
) -> None:
    """Write a week's file; one without rows and without a state is not there at all."""
    file = warehouse.week_file(kind, source.name, week)
    if rows.is_empty() and state is None:
        file.unlink(missing_ok=True)
        return
    metadata = {_STATE: json.dumps(state)} if state else None
    write_whole(file, lambda temporary: rows.write_parquet(temporary, metadata=metadata))
