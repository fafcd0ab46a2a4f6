"""Where the SQL is known to be wrong: the cells and sources that a known fault touches.

Nothing is computed here. A row of the oracle carries marks, column by column, of the faults for
which the mart must differ; a source carries those that reach from a day into all that follows.
Each is named by its id in METHODOLOGY; those found by the oracle itself have a name of their own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator

from tests.oracle.book import Book
from tests.oracle.steps import Step
from tests.oracle.weeks import FundWeek

MARKS = "marks"
"""The key under which a row carries its marks: column -> fault."""
WHOLE_ROW = "*"
FUNDS_TWICE = "funds_twice"
"""A fund that changes its issuer within a week is counted twice in `funds`."""
TOTAL_ALONE = "total_alone"
"""A printed total of a day on which no fund has a flow is lost."""
ASSETS_IN_FLOATS = "assets_in_floats"
"""The flow of a fund of some billions by assets (F2) is made in binary floats: off by a cent."""
ABSENT = "absent"
"""A fund that is back after weeks of others enters anew, and does not open at its last position."""
FOUND = (ASSETS_IN_FLOATS, FUNDS_TWICE, TOTAL_ALONE, ABSENT)
Key = tuple[dt.date, str, str]


def marks_of_flows(book: Book, key: Key, weeks: Collection[FundWeek]) -> dict[str, str]:
    """Return the marks of a row of mart.flows."""
    marks: dict[str, str] = {}
    if _is_sponsor_changing(book, key):
        marks[WHOLE_ROW] = "E84"
    if len({each.label for each in weeks}) < len(weeks):
        marks["funds"] = FUNDS_TWICE
    return marks


def marks_of_change(book: Book, key: Key, weeks: Collection[FundWeek]) -> dict[str, str]:
    """Return the marks of a row of mart.aum_change."""
    marks: dict[str, str] = {}
    if _is_sponsor_changing(book, key):
        marks[WHOLE_ROW] = "E84"
    return marks


def _is_sponsor_changing(book: Book, key: Key) -> bool:
    week, dimension, member = key
    return dimension == "sponsor" and (week, member) in book.sponsor_changes


def faults_in(book: Book) -> set[str]:
    """Return the faults that touch a source as a whole."""
    found = set(_of_source(book))
    for steps in book.steps:
        found |= {*_without_close(steps), *_absent(book, steps)}
    return found


def _of_source(book: Book) -> Iterator[str]:
    labels: dict[str, set[str]] = {}
    for days in book.days:
        labels.setdefault(days[0].label, set()).add(days[0].fund)
    if any(len(funds) > 1 for funds in labels.values()):
        yield "E94"
    with_flow = {each.day for chain in book.steps for each in chain if each.flow is not None}
    for day, (_, total, _) in book.printed_totals.items():
        if total is not None and day not in with_flow:
            yield TOTAL_ALONE


def _absent(book: Book, steps: list[Step]) -> Iterator[str]:
    """Yield ABSENT where a fund is back after weeks in which its source has AUM of others."""
    if not book.source.has_all_funds:
        return
    with_aum = {each.week for chain in book.days for each in chain if each.aum is not None}
    weeks = {each.day: each.week for each in steps}
    for each in steps:
        before = weeks.get(each.before) if each.before else None
        if (
            each.close is not None
            and before
            and any(before < week < each.week for week in with_aum)
        ):
            yield ABSENT


def _without_close(steps: list[Step]) -> Iterator[str]:
    """Yield E77 where a fund's last session in a week has no position, but an earlier one has."""
    for week in {each.week for each in steps}:
        days = [each for each in steps if each.week == week and (each.is_session or each.close)]
        positions = [each for each in days if each.close is not None]
        if positions and days[-1].close is None:
            yield "E77"
