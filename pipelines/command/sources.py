"""Telling whose report a report is, when its own source does not read it."""

from __future__ import annotations

from pipelines.reports import layout
from pipelines.reports.errors import FundflowsError
from pipelines.reports.layout import Source
from pipelines.reports.reader import Report, read


def other_sources(source: Source, report: Report, content: bytes) -> list[str]:
    """Return the other sources whose layouts read a report that its own source does not."""
    fitting = []
    for name, other in layout.sources().items():
        if name == source.name:
            continue
        try:
            read(other, report, content)
        except FundflowsError:
            continue
        fitting.append(name)
    return fitting
