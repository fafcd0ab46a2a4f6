"""Weeks on disk: which reports speak about a week, and what each of them newly says.

A week of a source is three Parquet files: facts (admitted observations, every vintage),
quarantine (refused rows), and outcomes (what was checked), written in this order. The outcomes
file is written last and names the reports it stands for, so a crash in between leaves a week that
is simply due again. Reading and judging are elsewhere; nothing here knows a layout.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import json
from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.reports import archive, intervals, judge
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
_TOGETHER = 256
"""Reports that are judged at once, so that memory does not grow with the history."""


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
    report_ids: tuple[str, ...] = ()
    refused_reports: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    sample: pl.DataFrame = field(default_factory=lambda: empty(Observation))

    @property
    def ok(self) -> bool:
        """Whether the newest report of the week was admitted (a week without one is)."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Standing:
    """What the newest report of a week leaves open, whichever run wrote it."""

    week: dt.date
    refused_rows: int
    unexplained: tuple[Line, ...]


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


def _stamp_of(state: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]


def _mark_of(file: Path | io.BytesIO) -> dict[str, Any]:
    """Return what a week's file says of itself; nothing, if it is not there or is damaged."""
    try:
        said = json.loads(pl.read_parquet_metadata(file)[_STATE])
    except (pl.exceptions.PolarsError, KeyError, ValueError, OSError):
        return {}
    return said if isinstance(said, dict) else {}


def _is_written(warehouse: Warehouse, source: Source, week: dt.date, said: list[Statement]) -> bool:
    """Tell whether a week's files stand for these statements, all of them, and are all there."""
    mark = _mark_of(warehouse.week_file("outcomes", source.name, week))
    files = mark.get("files")
    state = _state_of(source, said)
    if not isinstance(files, dict) or mark.get("state") != state:
        return False
    wanted = {"stamp": _stamp_of(state)}
    return all(
        _mark_of(file) == wanted if there else not file.exists()
        for file, there in (
            (warehouse.week_file(kind, source.name, week), there) for kind, there in files.items()
        )
    )


def _rules(source: Source) -> str:
    """Return a hash of all that decides what becomes of a reading: the contract, the totals."""
    reconciled = [
        (layout.name, table.name, table.totals, table.position, [rule.of for rule in table.rows])
        for layout in source.layouts
        for table in layout.tables
    ]
    return hashlib.sha256(f"{_contract()}{reconciled}".encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def _contract() -> str:
    modules = (contract, intervals, judge)
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in modules)
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

    Two processes may write the same weeks at once, of which one knows an older archive: each looks
    again at what it wrote, so that the last one to look leaves all that is known.
    """
    archive.sweep(warehouse, source.name, quiet=archive.QUIET)
    results: dict[dt.date, WeekResult] = {}
    left = sorted(set(weeks))
    while left:
        for result in _ingest_once(warehouse, source, left, on_week):
            results[result.week] = result
        left = [week for week in due(warehouse, source) if week in results]
    return [results[week] for week in sorted(results)]


def _ingest_once(
    warehouse: Warehouse,
    source: Source,
    weeks: list[dt.date],
    on_week: Callable[[WeekResult], None],
) -> list[WeekResult]:
    said = statements(warehouse, source)
    wanted = {week: said[week] for week in weeks if week in said}
    archived = {
        each.archived.report.report_id: each.archived for each in contents(warehouse, source)
    }
    names = {report_id: each.report.name for report_id, each in archived.items()}
    folded = _fold(wanted, _rows_of(warehouse, source, wanted, archived), names)
    results = []
    for week in weeks:
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
    reports = [each for report_id, each in archived.items() if report_id in needed]
    judged = [
        _only(
            judge.judge([parse(source, each) for each in reports[start : start + _TOGETHER]]), pairs
        )
        for start in range(0, len(reports), _TOGETHER)
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
    files = {
        kind: _bytes_of(warehouse.week_file(kind, source.name, week))
        for kind in ("outcomes", "facts", "quarantine")
    }
    mark = _mark_of(io.BytesIO(files["outcomes"]))
    state = mark.get("state")
    if not isinstance(state, dict) or state.get("rules") != _rules(source):
        return nothing
    known = [(report_id, digest) for report_id, digest in state["reports"]]
    # A week that is asked for again, though nothing is new, is made from the archive.
    if len(known) >= len(said) or known != said[: len(known)]:
        return nothing
    stamp = {"stamp": _stamp_of(state)}
    frames = {}
    for kind, model in (("facts", Observation), ("quarantine", Refused), ("outcomes", Outcome)):
        content = io.BytesIO(files[kind])
        if kind != "outcomes" and _mark_of(content) != (stamp if mark["files"][kind] else {}):
            return nothing  # damaged, or another run is writing
        frames[kind] = pl.read_parquet(content) if files[kind] else empty(model)
    return _Kept(known, Judgement(frames["facts"], frames["quarantine"], frames["outcomes"]))


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


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
    refused = rows.refused.join(spoken, on=on, maintain_order="left")
    outcomes = rows.outcomes.join(spoken, on=on).sort("order", "rule", "line")
    return _Folded(
        _by_week(facts),
        _by_week(refused.sort("order", maintain_order=True).drop("order")),
        _by_week(outcomes.drop("order")),
        names,
    )


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
    state = _state_of(source, said)
    stamp = {"stamp": _stamp_of(state)}
    _write(warehouse, "facts", source, week, facts, said=stamp if facts.height else None)
    _write(warehouse, "quarantine", source, week, refused, said=stamp if refused.height else None)
    mark = {
        "state": state,
        "files": {"facts": facts.height > 0, "quarantine": refused.height > 0},
        "is_clean": not said or _failed(outcomes, said[-1][0]).is_empty(),
    }
    _write(warehouse, "outcomes", source, week, outcomes, said=mark if said else None)
    blocked = _blocked(outcomes)
    admitted = facts.get_column("report_id").unique(maintain_order=True)
    return WeekResult(
        week=week,
        rows=facts.height,
        vintages=admitted.len(),
        refused_rows=refused.height,
        verdicts=dict(outcomes.group_by("verdict").len().sort("verdict").iter_rows()),
        reports=tuple(names[report_id] for report_id, _ in said),
        report_ids=tuple(report_id for report_id, _ in said),
        refused_reports=tuple(names[report_id] for report_id in blocked),
        failures=tuple(_failures(blocked, said, names)),
        sample=facts.filter(pl.col("value").is_not_null())
        .unique(["label", "measure", "period"], keep="last", maintain_order=True)
        .head(6),
    )


def standing(warehouse: Warehouse, source: Source) -> list[Standing]:
    """Return every written week of a source that a report covers, with what is open in it."""
    found = []
    for file in warehouse.week_files("outcomes"):
        if file.parent.name == source.name:
            with contextlib.suppress(FileNotFoundError):  # another run has just emptied the week
                found.append(_standing(dt.date.fromisoformat(file.stem), file.read_bytes()))
    return found


def _standing(week: dt.date, content: bytes) -> Standing:
    """Read a week's outcomes only if they say that something is open."""
    kept = _mark_of(io.BytesIO(content))
    state = kept.get("state")
    said = state.get("reports") if isinstance(state, dict) else None
    if kept.get("is_clean") or not said:
        return Standing(week, 0, ())
    failed = _failed(pl.read_parquet(io.BytesIO(content)), said[-1][0])
    return Standing(
        week,
        int(failed.filter(pl.col("verdict") == "refused").get_column("failed").sum()),
        tuple(
            Line(row["rule"], f"{week}: {_why(row)}", row["blocking"])
            for row in failed.filter(pl.col("verdict") == "unexplained").iter_rows(named=True)
        ),
    )


def _failed(outcomes: pl.DataFrame, report_id: str) -> pl.DataFrame:
    """Return the outcomes of a report that did not come out well."""
    return outcomes.filter(
        pl.col("report_id") == report_id, pl.col("verdict").is_in(["refused", "unexplained"])
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
        + (f"; {row['proposal']}?" if row["proposal"] else "")
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
    said: Mapping[str, object] | None,
) -> None:
    """Write a week's file with what it says of itself; one that says nothing is not there."""
    file = warehouse.week_file(kind, source.name, week)
    if said is None:
        file.unlink(missing_ok=True)
        return
    metadata = {_STATE: json.dumps(said)}
    write_whole(file, lambda temporary: rows.write_parquet(temporary, metadata=metadata))
