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
from pipelines.reading.dates import lacks_year, parse_date
from pipelines.reading.grid import Cell, Grid
from pipelines.report import Report


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """The facts as printed, and the clocks that follow from them."""

    printed: dict[str, str]
    as_of: dt.date | None
    published_at: dt.datetime | None
    known_at: dt.datetime

    @property
    def own_date(self) -> dt.date | None:
        """The report's own date, which decides the year of days that print none (E100)."""
        return self.as_of or (self.published_at.date() if self.published_at else None)

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
    published = report.published_at or _publication(layout, printed)
    as_of = _date(layout, printed, "as_of", own=published.date() if published else None)
    known = min(report.received_at, published or report.received_at)
    _check_as_of(source, as_of, known)
    return ReportFacts(printed, as_of, published, known)


def _publication(layout: Layout, printed: dict[str, str]) -> dt.datetime | None:
    """Return the end of the printed publication date: a day is known when it is over."""
    day = _date(layout, printed, "published")
    return dt.datetime.combine(day, dt.time(23, 59, 59), dt.UTC) if day else None


def _date(
    layout: Layout, printed: dict[str, str], name: str, *, own: dt.date | None = None
) -> dt.date | None:
    fact = layout.facts.get(name)  # type: ignore[call-overload]
    if fact is None or name not in printed:
        return None
    day = parse_date(Cell(printed[name]), fact.formats, own=own)
    if day is None:
        missing = ": the year is missing" if lacks_year(printed[name], fact.formats) else ""
        raise ShapeError(
            f"The report's date {fact.caption[0]!r} is not a date{missing}.",
            expected=f"a date, as {', '.join(fact.formats) or 'YYYY-MM-DD'}",
            found=repr(printed[name]),
            fix="mend the date in the report, or add its format to the layout",
        )
    return day


def _check_as_of(source: Source, as_of: dt.date | None, known: dt.datetime) -> None:
    """Refuse a report's date before its source began or after it was known; a week's is its end."""
    if as_of is None:
        return
    first, last = weeks.week_start(source.week.first), known.date() + weeks.ONE_DAY
    if not first <= as_of <= last:
        raise ShapeError(
            f"The report is as of {as_of}.",
            expected=f"a day from {first}, with which the first week of {source.name} begins, to "
            f"{known.date()}, when the report was known",
            found=str(as_of),
            fix="correct the date in the report, --published, or `week.first` of the source",
        )
    _check_week_rule(source, as_of)


def _check_week_rule(source: Source, as_of: dt.date) -> None:
    """Refuse a weekly report that is as of another day than its week's end (E31, E104)."""
    week = source.week
    if week.in_progress or weeks.ends_a_week(as_of, week.ends, week.ended_early):
        return
    raise ShapeError(
        f"The report is as of {as_of}, a {as_of:%A}.",
        expected=f"a {week.ends.capitalize()}, on which weeks of {source.name} end",
        found=f"{as_of}; the week before it ended on "
        f"{weeks.week_ending(as_of, week.ends) - weeks.ONE_WEEK}",
        fix="correct the date in the report: the day of publication is not the data's date; if the "
        "publisher ended the week early, add the day to `week.ended_early` of the source",
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
