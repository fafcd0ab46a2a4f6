"""What is compared with what: warehouses as they are, or revisions built from the same reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import real
from .builds import DATABASE, REPORTS, Revision, Say, built, revision
from .errors import CannotCompareError


@dataclass(frozen=True, slots=True)
class Pair:
    """Two databases that are compared, and what the comparison is called."""

    title: str
    old: Path
    new: Path


def pairs(
    old: str, new: str, *, project: Path, reports: str | None = None, say: Say = print
) -> list[Pair]:
    """Return the databases to compare, built where necessary.

    Two revisions are compared as built from the samples and, where they are, the real reports;
    `reports` limits that to one of both.

    Raises:
        CannotCompareError: a side is no warehouse and no revision, or its build failed.
    """
    sides = [_warehouse(text) or revision(text, project) for text in (old, new)]
    first, second = sides
    if isinstance(first, Path) and isinstance(second, Path):
        if first == second:
            raise CannotCompareError(f"OLD and NEW are the same file: {first}")
        return [Pair(f"{old} -> {new}", first, second)]
    if isinstance(first, Revision) and first == second:
        second = first.again()
    wanted = _wanted(reports, is_mixed=isinstance(first, Path) or isinstance(second, Path))
    names = (each.name if isinstance(each, Revision) else str(each) for each in (first, second))
    title = " -> ".join(names)
    databases = [
        [built(side, each, project, say) if isinstance(side, Revision) else side for each in wanted]
        for side in (first, second)
    ]
    return [
        Pair(f"{title}, from {each}", old_file, new_file)
        for each, old_file, new_file in zip(wanted, *databases, strict=True)
    ]


def _warehouse(text: str) -> Path | None:
    """Return the published database that a text names, if it names one."""
    path = Path(text)
    file = path if path.suffix == ".duckdb" else path / DATABASE
    return file.resolve() if text and file.is_file() else None


def _wanted(reports: str | None, *, is_mixed: bool) -> Sequence[str]:
    is_real = real.folder().is_dir()
    if reports == "real" and not is_real:
        raise CannotCompareError(f"no real reports in {real.folder()}: set FUNDFLOWS_REAL")
    if reports:
        return (reports,)
    if is_mixed:
        raise CannotCompareError(
            "one side is a warehouse, the other a revision: say with --reports from what the "
            f"warehouse was built, {' or '.join(REPORTS)}"
        )
    return REPORTS if is_real else REPORTS[:1]
