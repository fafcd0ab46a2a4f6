"""The one module that knows the product: a report is read and checked as `ingest` does it.

It also runs at older commits, at which some of these functions did not exist yet.
"""

from __future__ import annotations

import hashlib
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from pipelines.checking.check import Checked, blocking, check
from pipelines.errors import FundflowsError
from pipelines.ingest import sources as declared
from pipelines.layouts.source import Source
from pipelines.reading.reader import Reading, read_report
from pipelines.report import Report
from pipelines.store.archive import Archived
from tests.mutants.specimens import Specimen

LONGEST = 5.0
"""Seconds after which a mutant hangs."""
_LINE = ("printed_table", "measure", "period", "period_start", "period_end")
_KEY = ("dimension", "label", *_LINE)
_STATED = ("week_ending", "value", "half_unit", "currency")

_DAY = timedelta(days=1)

Key = tuple[Any, ...]
_Made = TypeVar("_Made")


class _HangsError(BaseException):
    """Raised by the alarm; no `except Exception` takes it."""


@dataclass(frozen=True)
class Figure:
    """A published number: its week, value and half unit, in the base unit of its currency."""

    week: date
    value: Decimal | None
    half_unit: Decimal | None
    currency: str | None


@dataclass(frozen=True)
class Result:
    """What the product makes of some bytes.

    `error` is the class of a refusal of the whole report, or says that it hangs, is unexpected or
    raises. `refused` and `failed` hold what is refused and what does not add up, each with its
    week first.
    """

    error: str = ""
    message: str = ""
    figures: dict[Key, Figure] = field(default_factory=dict)
    refused: frozenset[Key] = frozenset()
    failed: frozenset[Key] = frozenset()
    complete: bool = True
    earlier: Reading | None = None


def line_of(key: Key) -> Key:
    """Return the sum that a number is part of: table, measure and period."""
    return key[2:]


@cache
def source(name: str) -> Source:
    """Return a source as the checkout declares it."""
    try:
        return declared.source_of(declared.FOLDER / name)
    except AttributeError:  # before there was a function for one of them
        return declared.sources()[name]


def results_of(
    specimen: Specimen, contents: Sequence[bytes], base: Result | None = None
) -> list[Result]:
    """Read reports in the place of a specimen, and check them together, as `ingest` does.

    `base` is the specimen's own result.
    """
    found = [_guarded(partial(_read, specimen, each, n)) for n, each in enumerate(contents)]
    readings = [each for each in found if isinstance(each, Reading)]
    together = _guarded(lambda: check(readings))
    return [
        each
        if isinstance(each, Result)
        else _guarded(partial(_result, each, content, base, together))
        for each, content in zip(found, contents, strict=True)
    ]


def _guarded(made: Callable[[], _Made]) -> _Made | Result:
    """Return what is made, or in its place the result of a report that cannot be used."""
    started = time.perf_counter()
    try:
        with _at_most(LONGEST):
            found: _Made | Result = made()
    except _HangsError:
        return Result("hang", f"more than {LONGEST} s")
    except FundflowsError as error:
        kind = "unexpected" if _is_unexpected(error) else type(error).__name__
        return Result("held" if kind == "OnHold" else kind, str(error))
    except Exception as error:  # noqa: BLE001 (that is what is looked for)
        return Result("traceback", "".join(traceback.format_exception(error)[-3:]))
    seconds = time.perf_counter() - started
    return found if seconds <= LONGEST else Result("hang", f"{seconds:.1f} s")


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _HangsError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _is_unexpected(error: FundflowsError) -> bool:
    cause = error.__cause__
    return "as fundflows does not expect it" in error.what and not isinstance(cause, FundflowsError)


def _result(
    reading: Reading, content: bytes, base: Result | None, together: Checked | Result
) -> Result:
    """Return the result of a report that could be read, taken out of those checked together."""
    if isinstance(together, Result):  # one odd report among many: which one?
        together = check([reading])
    own = pl.col("report_id") == reading.report.report_id
    outcomes = together.outcomes.filter(own)
    _hold(content, reading, base)
    stopped = set(blocking(outcomes).get_column("week_ending"))
    rows = together.observations.filter(own).select(*_KEY, *_STATED).rows()
    size = len(_KEY)
    failed = outcomes.filter(
        ~pl.col("verdict").is_in(["exact", "rounding", "pass", "unknown"])
    ).select("week_ending", "rule", "line", "expected", "found", "failed", "verdict", "sample")
    refused = together.refused.filter(own)
    return Result(
        figures={row[:size]: Figure(*row[size:]) for row in rows if row[size] not in stopped},
        refused=frozenset(refused.select("week_ending", "rule", "sheet", "cell", "printed").rows()),
        failed=frozenset(failed.rows()),
        complete=reading.complete,
        earlier=_earlier(reading) if base is None else None,
    )


def _read(specimen: Specimen, content: bytes, number: int) -> Reading:
    own = source(specimen.source)
    report_id = hashlib.sha256(content + b"%d" % number).hexdigest()
    report = Report(
        specimen.source, report_id, specimen.name, specimen.received, specimen.published
    )
    try:
        from pipelines.ingest.read import reading_of
    except ImportError:  # before reading had one place
        return read_report(own, report, content)
    return reading_of(own, Archived(report, Path(specimen.name), len(content)), content)


def _hold(content: bytes, reading: Reading, before: Result | None) -> None:
    """Raise what `ingest` holds a report for, had the vintage before it been received.

    Raises:
        OnHold: it waits for a person.
    """
    if before is None or before.earlier is None:
        return
    try:
        from pipelines.ingest.holds import extent_of, on_hold
    except ImportError:  # before reports were held
        return
    extents = extent_of(before.earlier, b"\n"), extent_of(reading, content)
    if extents[0] is None or extents[1] is None:
        return
    later = replace(reading.report, received_at=reading.report.received_at + _DAY)
    known = [
        (before.earlier.report, before.earlier.known_at, extents[0]),
        (later, reading.known_at + _DAY, extents[1]),
    ]
    held = on_hold(source(later.source), known, ())
    if later.report_id in held:
        raise held[later.report_id]


def _earlier(reading: Reading) -> Reading:
    """Return the reading of the vintage before: the same report without its newest week."""
    days = reading.observations.get_column("period_end")
    newest = days.max()
    if not isinstance(newest, date):
        return reading
    kept = reading.observations.filter(days <= newest - 7 * _DAY)
    return replace(reading, report=replace(reading.report, report_id="0" * 64), observations=kept)
