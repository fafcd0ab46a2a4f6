"""Which column of NEW is which column of OLD, and the type in which both are compared."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb

from .allowed import AllowList

Types = Mapping[str, str]

_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_WIDEST = 38
NUMBERS = (
    *("DECIMAL", "DOUBLE", "FLOAT"),
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)
_MOMENTS = ("DATE", "TIMESTAMP")


@dataclass(frozen=True, slots=True)
class SharedColumn:
    """A column of both sides: its name in NEW, its name in OLD, the type that holds both."""

    name: str
    old_name: str
    type: str

    def of(self, side: str) -> str:
        """Return the expression that reads it on a side."""
        source = quoted(self.old_name if side == "old" else self.name)
        return f"cast({source} as {self.type}) as {quoted(self.name)}"


def pair_columns(
    table: str, types: Mapping[str, Types], allowed: AllowList, ignored: Collection[str]
) -> tuple[list[SharedColumn], list[str]]:
    """Return the shared columns of a table, and what differs in its shape."""
    old, new = (
        {column: type_ for column, type_ in types[side].items() if column not in ignored}
        for side in ("old", "new")
    )
    old_names = {column: column for column in old}
    for entry in allowed.renamed_columns(table):
        if entry.column in old_names and entry.to in new:
            entry.met += 1
            del old_names[entry.column]
            old_names[entry.to] = entry.column
    shared, shape = [], []
    for name, type_ in new.items():
        if name not in old_names:
            if not allowed.meets("added", table, name):
                shape.append(f"column {name} {type_} only in NEW")
            continue
        before = old[old_names[name]]
        shared.append(SharedColumn(name, old_names[name], common_type(before, type_)))
        if before != type_ and not allowed.meets("retyped", table, name):
            shape.append(f"column {name} was {before}, is {type_}")
    shape += [
        f"column {name} {old[old_names[name]]} only in OLD"
        for name in old_names
        if name not in new and not allowed.meets("removed", table, name)
    ]
    return shared, shape


def common_type(old: str, new: str) -> str:
    """Return the type that holds the values of both, text if there is no other.

    Decimals keep every printed digit; a value that does not fit then stops the comparison.
    """
    if old == new:
        return old
    decimals = [_DECIMAL.fullmatch(type_) for type_ in (old, new)]
    if all(decimals):
        sizes = [(int(found[1]), int(found[2])) for found in decimals if found]
        scale = max(scale for _, scale in sizes)
        width = scale + max(width - scale for width, scale in sizes)
        return f"DECIMAL({min(width, _WIDEST)},{scale})"
    if any(old.startswith(kind) and new.startswith(kind) for kind in (NUMBERS, _MOMENTS)):
        both = f"select null::{old} as value union all select null::{new}"
        with duckdb.connect() as connection:
            return str(connection.execute(f"describe {both}").fetchall()[0][1])
    return "VARCHAR"


def quoted(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'
