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
from collections.abc import Callable, Collection, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import polars as pl

from pipelines.reports import archive, intervals, judge
from pipelines.reports.archive import Archived
from pipelines.reports.errors import FundflowsError
from pipelines.reports.judge import Judgement
from pipelines.reports.layout import Source
from pipelines.reports.reader import Reading, read
from pipelines.reports.warehouse import Warehouse, write_whole
from schemas import observation as contract
from schemas.observation import KEY, SAID, Observation, Outcome, Refused, empty

_STATE = "fundflows"
watcher: ContextVar[Callable[[WeekResult], None]] = ContextVar("watcher", default=lambda _: None)
"""Told of each week that any `ingest` of this context writes: how a progress bar listens in."""
Statement = tuple[str, str]
"""A report and the digest of what it says about one week."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a report covers: a digest a week; or the error for which it cannot be used."""

    archived: Archived
    known_at: dt.datetime
    published_at: dt.datetime | None
    layout: str | None
    weeks: dict[dt.date, str]
    error: str | None = None

    @property
    def order(self) -> tuple[dt.datetime, dt.datetime, str]:
        """Vintages count by when they could be known, then by when they were received."""
        report = self.archived.report
        return self.known_at, report.received_at, report.report_id


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


# -- contents: which weeks a report covers -------------------------------------------------------


def contents(warehouse: Warehouse, source: Source) -> list[Contents]:
    """Return what every archived report of a source covers, by the time it could be known.

    A report is parsed once for each version of its layouts; the answer is kept beside the facts.
    """
    known = [
        contents_of(warehouse, source, each) for each in archive.reports(warehouse, source.name)
    ]
    return sorted(known, key=lambda each: each.order)


def contents_of(warehouse: Warehouse, source: Source, archived: Archived) -> Contents:
    """Return what one archived report covers, reading it only if its layouts have changed."""
    file = warehouse.contents(source.name, archived.report.report_id)
    said = _kept_survey(file)
    if said.get("fingerprint") == source.fingerprint:
        return _contents_from(archived, said)
    said = _survey(source, archived)
    write_whole(file, lambda temporary: temporary.write_text(json.dumps(said, indent=1) + "\n"))
    return _contents_from(archived, said)


def _kept_survey(file: Path) -> dict[str, object]:
    """Return what was kept of an earlier reading; nothing, if there is none or it is damaged."""
    try:
        said = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _survey(source: Source, archived: Archived) -> dict[str, object]:
    said: dict[str, object] = {"fingerprint": source.fingerprint}
    try:
        reading = parse(source, archived)
    except FundflowsError as error:
        return {**said, "error": str(error), "weeks": {}, "layout": None, "published_at": None}
    published = reading.published_at
    return {
        **said,
        "error": None,
        "layout": reading.layout.name,
        "published_at": published.isoformat() if published else None,
        "weeks": {week.isoformat(): digest for week, digest in digests(reading).items()},
    }


def _contents_from(archived: Archived, said: dict[str, object]) -> Contents:
    published = said["published_at"]
    clock = dt.datetime.fromisoformat(str(published)) if published else None
    clock = clock or archived.report.published_at
    weeks = said["weeks"]
    assert isinstance(weeks, dict)  # noqa: S101 (written above)
    return Contents(
        archived,
        min(archived.report.received_at, clock or archived.report.received_at),
        clock,
        str(said["layout"]) if said["layout"] else None,
        {dt.date.fromisoformat(week): digest for week, digest in weeks.items()},
        str(said["error"]) if said["error"] else None,
    )


@lru_cache(maxsize=64)
def _parsed(source: Source, archived: Archived) -> Reading:
    return read(source, archived.report, archived.content())


def parse(source: Source, archived: Archived) -> Reading:
    """Read an archived report; within a process the same report is read once.

    Raises:
        FundflowsError: the report cannot be used, and why.
    """
    return _parsed(source, archived)


def digests(reading: Reading) -> dict[dt.date, str]:
    """Return, for each week, a digest of all that the report says about it, refused rows too."""
    said = [*KEY, *SAID, "null_reason"]
    observed = reading.observations.select(
        "week_ending",
        line=pl.concat_str(pl.col(said).cast(pl.String), separator="|", ignore_nulls=True),
    )
    refused = reading.refused.select(
        "week_ending", line=pl.concat_str("rule", "sheet", "cell", "printed", separator="|")
    )
    lines = pl.concat([observed, refused]).sort("week_ending", "line")
    joined = lines.group_by("week_ending").agg(pl.col("line").str.join("\n"))
    completeness = str(reading.complete)
    return {
        week: hashlib.sha256(f"{completeness}\n{text}".encode()).hexdigest()[:24]
        for week, text in joined.iter_rows()
    }


# -- plan: which weeks are due -------------------------------------------------------------------


def statements(covered: Iterable[Contents]) -> dict[dt.date, list[Statement]]:
    """Return the reports that newly say something about each week, oldest first.

    A report that repeats its predecessor adds nothing and is left out.
    """
    by_week: dict[dt.date, list[Statement]] = {}
    for each in covered:
        for week, digest in each.weeks.items():
            said = by_week.setdefault(week, [])
            if not said or said[-1][1] != digest:
                said.append((each.archived.report.report_id, digest))
    return by_week


def due(warehouse: Warehouse, source: Source) -> list[dt.date]:
    """Return the weeks that are new or changed: a report, a layout or the contract.

    A week that no report covers any more, after a layout was mended, is due to be emptied.
    """
    wanted = statements(contents(warehouse, source))
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
    file = warehouse.week_file("outcomes", source.name, week)
    if not file.exists():
        return False
    try:
        state = json.loads(pl.read_parquet_metadata(file)[_STATE])
        files = state.pop("files")
    except (pl.exceptions.ComputeError, AttributeError, KeyError, TypeError, ValueError, OSError):
        return False  # written by another version, or damaged
    return state == _state_of(source, said) and all(
        warehouse.week_file(kind, source.name, week).exists() == there
        for kind, there in files.items()
    )


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
    """
    archive.sweep(warehouse, source.name)
    covered = contents(warehouse, source)
    wanted = {week: said for week, said in statements(covered).items() if week in set(weeks)}
    needed = {report_id for said in wanted.values() for report_id, _ in said}
    judged = {
        each.archived.report.report_id: judge.judge(parse(source, each.archived))
        for each in covered
        if each.archived.report.report_id in needed
    }
    names = {each.archived.report.report_id: each.archived.report.name for each in covered}
    folded = _fold(judged, wanted, names)
    results = []
    for week in sorted(weeks):
        result = _write_week(warehouse, source, week, wanted.get(week, []), folded)
        on_week(result)
        watcher.get()(result)
        results.append(result)
    return results


@dataclass(frozen=True, slots=True)
class _Folded:
    """All vintages of the wanted weeks, by week."""

    facts: dict[dt.date, pl.DataFrame]
    refused: dict[dt.date, pl.DataFrame]
    outcomes: dict[dt.date, pl.DataFrame]
    names: dict[str, str]


def _fold(
    judged: dict[str, Judgement],
    wanted: dict[dt.date, list[Statement]],
    names: dict[str, str],
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
    refusals = [
        (week, report_id) for report_id, each in judged.items() for week in each.refused_weeks()
    ]
    on = ["week_ending", "report_id"]
    refused_weeks = pl.DataFrame(
        refusals, schema={"week_ending": pl.Date, "report_id": pl.String}, orient="row"
    )
    admitted = spoken.join(refused_weeks, on=on, how="anti")
    vintages = pl.concat([empty(Observation), *(each.observations for each in judged.values())])
    facts = vintages.join(admitted, on=on).unique([*KEY, "report_id"], keep="first")
    facts = facts.sort(*KEY, "order", nulls_last=True)
    new = ~pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(name).shift(1).over(KEY)) for name in SAID
    )
    first = pl.int_range(pl.len()).over(KEY) == 0
    facts = facts.filter(first | new).sort("week_ending", *KEY[1:], "order").drop("order")
    refused = pl.concat([empty(Refused), *(each.refused for each in judged.values())])
    outcomes = pl.concat([empty(Outcome), *(each.outcomes for each in judged.values())])
    return _Folded(
        _by_week(facts),
        _by_week(refused.join(spoken, on=on, how="semi")),
        _by_week(outcomes.join(spoken, on=on, how="semi")),
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
    rows = outcomes.filter(pl.col("blocking") & pl.col("verdict").is_in(["unexplained", "refused"]))
    blocked: dict[str, list[str]] = {}
    for row in rows.iter_rows(named=True):
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
    state: dict[str, object] | None = None,
) -> None:
    """Write a week's file; one without rows and without a state is not there at all."""
    file = warehouse.week_file(kind, source.name, week)
    if rows.is_empty() and state is None:
        file.unlink(missing_ok=True)
        return
    metadata = {_STATE: json.dumps(state)} if state else None
    write_whole(file, lambda temporary: rows.write_parquet(temporary, metadata=metadata))
