"""Which mark is the decimal one in a report, shown by the numbers that can be only one (E98).

25,134 is twenty-five thousand in one file and twenty-five in another, and 1005360,00 beside it says
which. A report has one convention; where its numbers do not show it and the layout does not say
it, such a number is refused. How blanks group digits is shown in the same way (E95).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pipelines.layouts.columns import Printed
from pipelines.layouts.language import Layout
from pipelines.reading.found import Found, Mapped
from pipelines.reading.numbers import Style, digits_of, marks_of

_SURE = re.compile(r"[0-9]+\.(?:[0-9]{1,2}|[0-9]{4,})|[0-9]{4,}\.[0-9]+|0[0-9]*\.[0-9]+")
"""Digits of which the point is a decimal mark, in the form in which most are printed."""
_LONG = re.compile(r"(?<![0-9.,' ])[0-9]{4,}")
_MARKED = re.compile(r"[0-9][ '][0-9]|[.,]|[0-9]{4}")
_OFTEN = 3
"""So many numbers that are grouped by one blank show that blanks group."""


@dataclass(slots=True)
class Shown:
    """What the texts of some columns show: numbers by their only mark, and by what else they do."""

    marks: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)

    def add(self, text: str) -> None:
        """Add what a text shows, if it is a number."""
        if not _MARKED.search(text) or (digits := digits_of(text)) is None:
            return
        has_mark = "." in digits or "," in digits
        marks = {"."} if _SURE.fullmatch(digits) else marks_of(digits)
        if has_mark and len(marks) == 1:
            self.marks[next(iter(marks))] += 1
        elif "," in digits:
            self.other["comma"] += 1
        blanks = digits.count(" ") if marks else 0
        self.other["blanks"] += blanks > 1
        self.other["blank"] += blanks == 1
        self.other["long"] += _LONG.match(digits) is not None
        self.other["grouped"] += any(mark in digits for mark in ",'") and not blanks

    @property
    def mark(self) -> str | None:
        """The mark that most numbers show."""
        first, second = [*self.marks.most_common(2), (None, 0), (None, 0)][:2]
        return first[0] if first[1] > second[1] else None


def with_styles(tables: list[Found], layout: Layout) -> list[Found]:
    """Return the tables of a report; each column knows how its numbers are printed."""
    report, columns = Shown(), dict[tuple[int, int], Shown]()
    for at, found in enumerate(tables):
        for mapped in found.columns:
            if isinstance(mapped.means, Printed):
                own = columns[at, mapped.column] = Shown()
                for text in _texts(found, mapped):
                    own.add(text)
                report.marks += own.marks
                report.other += own.other
    return [
        replace(
            found,
            columns=[
                replace(mapped, style=_style(columns[at, mapped.column], report, layout, mapped))
                if (at, mapped.column) in columns
                else mapped
                for mapped in found.columns
            ],
        )
        for at, found in enumerate(tables)
    ]


def _texts(found: Found, mapped: Mapped) -> Iterator[str]:
    for row in found.rows():
        cell = found.grid.cell(row, mapped.column)
        if cell.stored is None and cell.text and not cell.covered:
            yield cell.text


def _style(own: Shown, report: Shown, layout: Layout, mapped: Mapped) -> Style:
    if layout.decimal:
        decimal: str | None = layout.decimal
        is_sure = report.mark == decimal or not report.marks
    elif not report.marks and report.other["long"] and not report.other["comma"]:
        # Numbers of four digits and more are not grouped, so a point does not group either.
        decimal, is_sure = ".", True
    elif not report.marks:
        decimal, is_sure = ".", False
    else:
        decimal, is_sure = own.mark or report.mark, len(report.marks) == 1
    other = report.other
    often = other["blank"] >= _OFTEN and not other["long"] and not other["grouped"]
    return Style(
        decimal=decimal,
        is_sure=is_sure,
        blanks=bool(other["blanks"]) or often or (decimal == "," and is_sure),
        scales=layout.cell_scales,
        marks=layout.marks,
        has_scale=mapped.unit is not None and mapped.unit.factor != 1,
    )
