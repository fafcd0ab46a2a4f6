"""The declared sources, and which of them can read a report that its own source cannot."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import FundflowsError
from pipelines.layouts.source import Source, parse_source_file
from pipelines.reading.reader import read_report
from pipelines.report import Report
from pipelines.store.paths import PROJECT

FOLDER = PROJECT / "pipelines" / "defs" / "sources"


def sources(folder: Path = FOLDER) -> dict[str, Source]:
    """Load all sources by name, one per folder.

    Raises:
        LayoutError: with the path in the file and what is wrong there.
    """
    return {file.parent.name: source_of(file.parent) for file in sorted(folder.glob("*/defs.yaml"))}


def source_of(folder: Path) -> Source:
    """Load a source from its folder (`defs/sources/<name>/defs.yaml`).

    Raises:
        LayoutError: with the path in the file and what is wrong there.
    """
    file = folder / "defs.yaml"
    return parse_source_file(folder.name, str(file), file.read_text(encoding="utf-8"))


def other_sources(source: Source, report: Report, content: bytes) -> list[str]:
    """Return the other sources whose layouts can read a report."""
    fitting = []
    for name, other in sources().items():
        if name == source.name:
            continue
        try:
            read_report(other, report, content)
        except FundflowsError:
            continue
        fitting.append(name)
    return fitting
