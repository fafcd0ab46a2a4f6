"""Reports on hold: whole by themselves, but less than the report before them (E120).

A history that lacks days which its vintage before had, or a file that may be cut off, waits for a
person. Each report is compared with what had been received before it, so that a later arrival
changes no earlier answer.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right, insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import polars as pl

from pipelines.errors import FundflowsError, Where
from pipelines.layouts.source import Source
from pipelines.reading.reader import Reading
from pipelines.report import Report
from pipelines.weeks import ONE_WEEK


class OnHold(FundflowsError):
    """A report waits for a person; no number of it is published."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a report covers: by which layout, which labels and days; is its last line whole?"""

    layout: str
    labels: str
    first_day: dt.date
    last_day: dt.date
    days: int
    is_closed: bool

    @property
    def label_set(self) -> frozenset[str]:
        """The labels, which the index keeps as one text."""
        return frozenset(self.labels.split("\n"))


def extent_of(reading: Reading, content: bytes) -> Extent | None:
    """Return what a report covers; None if it has no row."""
    printed = reading.observations.filter(~pl.col("dimension").is_in(["check", "total"]))
    days = printed.get_column("period_end")
    first, last = days.min(), days.max()
    if not isinstance(first, dt.date) or not isinstance(last, dt.date):
        return None
    is_text = reading.layout.container == "csv"
    return Extent(
        reading.layout.name,
        "\n".join(sorted(printed.get_column("label").unique())),
        first,
        last,
        days.n_unique(),
        is_closed=not is_text or content.endswith((b"\n", b"\r", b"\n\0", b"\r\0")),
    )


def on_hold(
    source: Source, known: Iterable[tuple[Report, dt.datetime, Extent]], accepted: Collection[str]
) -> dict[str, OnHold]:
    """Return the reports that wait for a person, with the reason.

    Args:
        source: declares what its reports print.
        known: usable reports, when each could be known, and what it covers.
        accepted: the reports that a person has let through, by id.
    """
    held: dict[str, OnHold] = {}
    if source.prints == "week":
        return held
    before: list[_Before] = []
    for report, known_at, extent in sorted(known, key=lambda each: _received(each[0])):
        this = _Before((known_at, *_received(report)), report, extent, extent.label_set)
        earlier = before[: bisect_right(before, this.order, key=lambda each: each.order)]
        last = next((each for each in reversed(earlier) if each.is_like(this)), None)
        less = _less(source, extent, last.extent) if last else None
        if last and less and report.report_id not in accepted:
            held[report.report_id] = _waits(source, report, last.report, *less)
            continue
        insort(before, this, key=lambda each: each.order)
    return held


@dataclass(frozen=True, slots=True)
class _Before:
    """A report that may be the one before another."""

    order: tuple[dt.datetime, dt.datetime, str]
    report: Report
    extent: Extent
    labels: frozenset[str]

    def is_like(self, other: _Before) -> bool:
        """Return whether two reports are of one series: the same form, and a label in common."""
        same_form = self.extent.layout == other.extent.layout
        return same_form and not self.labels.isdisjoint(other.labels)


def _received(report: Report) -> tuple[dt.datetime, str]:
    return report.received_at, report.report_id


def _less(source: Source, extent: Extent, before: Extent) -> tuple[str, str] | None:
    """Return what is expected and found, if a report covers less than the one before it."""
    if before.last_day - before.first_day < ONE_WEEK:  # a day or a week, of which none is newest
        return None
    is_window = source.prints == "window"
    rules = [
        (
            extent.last_day < before.last_day,
            f"days up to {before.last_day} or later",
            f"days up to {extent.last_day}",
        ),
        (
            before.is_closed and not extent.is_closed,
            "a last line with an end",
            "a file that stops in its last line",
        ),
        (
            not is_window and extent.first_day > before.first_day,
            f"days from {before.first_day} on",
            f"days from {extent.first_day} on",
        ),
        (
            not is_window and extent.days < before.days,
            f"{before.days} days or more",
            f"{extent.days} days",
        ),
    ]
    return next(((expected, found) for is_less, expected, found in rules if is_less), None)


def _waits(source: Source, report: Report, last: Report, expected: str, found: str) -> OnHold:
    return OnHold(
        "The report is on hold: it covers less than the one before it.",
        where=Where(source=source.name, file=report.name),
        expected=f"{expected}, as {last.name} of {last.received_at:%Y-%m-%d} has",
        found=found,
        fix="fetch it again if it was cut off; if it is whole: "
        f"fundflows accept {report.report_id[:12]} --because TEXT",
    )
