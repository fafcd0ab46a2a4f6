"""What a report says of itself once: its date, its publication, whether its tables are complete.

Facts stand beside or after a caption, anywhere in the report. Tables are read elsewhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from pipelines.reports.errors import ShapeError
from pipelines.reports.grids import Cell, Grid
from pipelines.reports.layout import Fact, Layout


def facts_of(layout: Layout, sheets: list[Grid]) -> dict[str, str]:
    """Find the facts that are printed once a report: beside, below or after their caption."""
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
    captions = [caption.casefold() for caption in fact.caption]
    for row in grid.rows:
        for place, cell in enumerate(row):
            head, colon, tail = cell.text.partition(":")
            if head.strip().casefold() not in captions:
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
    """Return the date of a cell: a typed date, or a text in one of the declared formats."""
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
