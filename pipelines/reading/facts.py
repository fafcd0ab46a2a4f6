"""The facts that a report prints once: its date, its publication, whether it is complete.

A fact is beside or after its caption, anywhere in the report. Tables are read elsewhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines import weeks
from pipelines.errors import ShapeError
from pipelines.layouts.language import Fact, Layout
from pipelines.layouts.source import Source
from pipelines.reading.grid import Cell, Grid
from pipelines.report import Report

_YEARS = range(1900, 2200)


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """The facts as printed, and the clocks that follow from them."""

    printed: dict[str, str]
    as_of: dt.date | None
    published_at: dt.datetime | None
    known_at: dt.datetime

    @property
    def is_complete(self) -> bool:
        """Whether the report claims that its tables are complete; without the fact, it does."""
        return self.printed.get("completeness", "complete").casefold() == "complete"


def report_facts(source: Source, report: Report, layout: Layout, sheets: list[Grid]) -> ReportFacts:
    """Find the facts of a report.

    Raises:
        ShapeError: one is missing, contradicts itself, is no date, or not the end of a week.
    """
    printed = facts_of(layout, sheets)
    as_of = _date(layout, printed, "as_of")
    _check_week_rule(source, as_of)
    published = report.published_at or _publication(layout, printed)
    known = min(report.received_at, published or report.received_at)
    return ReportFacts(printed, as_of, published, known)


def _publication(layout: Layout, printed: dict[str, str]) -> dt.datetime | None:
    """Return the end of the printed publication date: a day is known when it is over."""
    day = _date(layout, printed, "published")
    return dt.datetime.combine(day, dt.time(23, 59, 59), dt.UTC) if day else None


def _date(layout: Layout, printed: dict[str, str], name: str) -> dt.date | None:
    fact = layout.facts.get(name)  # type: ignore[call-overload]
    if fact is None or name not in printed:
        return None
    day = parse_date(Cell(printed[name]), fact.formats)
    if day is None:
        raise ShapeError(
            f"The report's date {fact.caption[0]!r} is not a date.",
            expected=f"a date, as {', '.join(fact.formats) or 'YYYY-MM-DD'}",
            found=repr(printed[name]),
            fix="mend the date in the report, or add its format to the layout",
        )
    return day


def _check_week_rule(source: Source, as_of: dt.date | None) -> None:
    """Refuse a weekly report that is as of another day than its week's end (E31)."""
    week = source.week
    if as_of is None or week.in_progress:
        return
    if weeks.week_ending(as_of, week.ends) != as_of:
        raise ShapeError(
            f"The report is as of {as_of}, a {as_of:%A}.",
            expected=f"a {week.ends.capitalize()}, on which weeks of {source.name} end",
            found=f"{as_of}; the week before it ended on "
            f"{weeks.week_ending(as_of, week.ends) - weeks.ONE_WEEK}",
            fix="correct the date in the report: the day of publication is not the data's date",
        )


def facts_of(layout: Layout, sheets: list[Grid]) -> dict[str, str]:
    """Find the facts of a report as printed: beside, below or after their caption."""
    facts: dict[str, str] = {}
    for name, fact in layout.facts.items():
        printed = {text for sheet in sheets for text in _beside(fact, sheet)}
        if len(printed) > 1:
            raise ShapeError(
                f"The report says {fact.caption[0]!r} twice, and not the same.",
                expected="one value in the whole report",
                found=" | ".join(sorted(printed)),
                fix="mend the sheet that was not updated",
            )
        if printed:
            facts[name] = printed.pop()
        elif not fact.optional:
            raise ShapeError(
                f"The report does not say {fact.caption[0]!r}.",
                expected=f"a cell {' or '.join(fact.caption)} with its value beside it",
                found="no such cell",
                fix="fill it in, or make the fact optional in the layout",
            )
    return facts


def _beside(fact: Fact, grid: Grid) -> Iterator[str]:
    wanted = [caption.casefold() for caption in fact.caption]
    for row in grid.rows:
        for place, cell in enumerate(row):
            head, colon, tail = cell.text.partition(":")
            if head.strip().casefold() not in wanted:
                continue
            if cell.covered:
                continue
            if colon and tail.strip():
                yield tail.strip()
            else:
                beside = next((right for right in row[place + 1 :] if not right.covered), None)
                if beside is not None and beside.text:
                    yield beside.text


def parse_date(cell: Cell, formats: tuple[str, ...]) -> dt.date | None:
    """Return the date of a cell: a typed date, or a text in one of the declared formats.

    A day of another century than funds have existed in is none: weeks end at the calendar's end.
    """
    day = _day(cell, formats)
    return day if day is not None and day.year in _YEARS else None


def _day(cell: Cell, formats: tuple[str, ...]) -> dt.date | None:
    if cell.date is not None:
        return cell.date
    if cell.covered and not cell.text:
        return None
    for form in (*formats, "%Y-%m-%d"):
        try:
            return dt.datetime.strptime(cell.text, form).date()  # noqa: DTZ007 (a date)
        except ValueError:
            continue
    return None
