"""A comparison as text: a line a table, then what differs, the allow-list, and one last line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .allowed import AllowList
from .results import Comparison, RowDifference, TableComparison

_COLUMNS = ("rows OLD", "rows NEW", "equal", "changed", "only OLD", "only NEW", "allowed")
_SIGNS = {"changed": "!", "only old": "-", "only new": "+"}


def comparison(found: Comparison) -> Iterator[str]:
    """Yield the lines about two databases; a `!` marks a table that differs."""
    width = max([len(table.name) for table in found.tables], default=0)
    yield f"  {'table':<{width}}" + "".join(f"{name:>11}" for name in _COLUMNS)
    for table in found.tables:
        mark = "!" if table.differs else " "
        yield f"{mark} {table.name:<{width}}" + "".join(_number(count) for count in _counts(table))
    for line in found.shape:
        yield f"! {line}"
    for table in found.tables:
        if table.differs:
            yield ""
            yield from _differences(table)


def allow_list(allowed: AllowList) -> Iterator[str]:
    """Yield what every entry covered, and which covered nothing."""
    if not allowed.entries:
        return
    yield "allow-list:"
    for entry in allowed.entries:
        met = f"{entry.met:,}" if entry.met else "STALE"
        yield f"  {met:>8}  {entry}: {entry.reason}"
    yield ""


def last_line(found: Mapping[str, Comparison], allowed: AllowList) -> str:
    """Return the totals over all pairs of databases."""
    tables = [table for each in found.values() for table in each.tables]
    differing = sum(table.differs for table in tables)
    shape = sum(len(table.shape) for table in tables)
    shape += sum(len(each.shape) for each in found.values())
    counts = {
        "equal": sum(table.equal for table in tables),
        "changed": sum(table.changed for table in tables),
        "only in OLD": sum(table.only_old for table in tables),
        "only in NEW": sum(table.only_new for table in tables),
        "allowed": sum(table.allowed for table in tables),
    }
    verdict = "DIFFERENT" if any(each.differs for each in found.values()) else "SAME"
    rows = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    return (
        f"{verdict}: {len(tables)} tables, {differing} of them different; rows: {rows}; "
        f"tables, columns, macros: {shape} different; allow-list: {len(allowed.stale)} stale"
    )


def _counts(table: TableComparison) -> tuple[int, ...]:
    return (
        table.rows["old"],
        table.rows["new"],
        table.equal,
        table.changed,
        table.only_old,
        table.only_new,
        table.allowed,
    )


def _number(count: int) -> str:
    return f"{count:>11,}" if count else f"{'.':>11}"


def _differences(table: TableComparison) -> Iterator[str]:
    renamed = f" (in OLD: {table.old_name})" if table.old_name != table.name else ""
    yield f"{table.name}{renamed}"
    yield from (f"  {line}" for line in table.shape)
    yield from (f"  {line}" for line in table.notes)
    if table.changed or table.only_old or table.only_new:
        yield f"  key: {_key(table)}"
    for change in table.columns:
        most = f", by {change.largest} at most" if change.largest else ""
        yield f"  {change.column} changed in {change.rows:,} rows{most}"
    totals = {
        "changed": table.changed,
        "only old": table.only_old,
        "only new": table.only_new,
    }
    for side, total in totals.items():
        rows = [row for row in table.sample if row.side == side]
        for row in rows:
            yield from _row(row)
        if total > len(rows):
            yield f"  {_SIGNS[side]} and {total - len(rows):,} more, {_phrase(side)}"


def _key(table: TableComparison) -> str:
    if table.key is None:
        return "none known, whole rows are compared"
    return ", ".join(table.key) or "one row"


def _row(row: RowDifference) -> Iterator[str]:
    key = " ".join(f"{name}={value}" for name, value in row.key.items()) or "the row"
    where = "" if row.side == "changed" else f", {_phrase(row.side)}"
    yield f"  {_SIGNS[row.side]} {key}{where}"
    width = max([len(column) for column, _, _ in row.values], default=0)
    for column, old, new in row.values:
        yield f"      {column:<{width}}  {old} -> {new}"


def _phrase(side: str) -> str:
    return {"changed": "changed", "only old": "only in OLD", "only new": "only in NEW"}[side]
