"""Two published databases, compared table by table; both are attached read-only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from .allowed import AllowList
from .columns import SharedColumn, pair_columns
from .errors import CannotCompareError
from .published import LeftOut, key_of, left_out
from .results import SIDES, Comparison, TableComparison
from .rows import compare_rows

_RELATIONS = """
select schema_name || '.' || table_name, comment from duckdb_tables()
where database_name = $database and not internal
union all
select schema_name || '.' || view_name, comment from duckdb_views()
where database_name = $database and not internal
order by 1
"""
_MACROS = """
select distinct
    schema_name || '.' || function_name || '(' || array_to_string(parameters, ', ') || ')'
from duckdb_functions()
where database_name = $database and not internal
"""
_AS_KNOWN = "_as_known(as_of)"


def compare(
    old: Path, new: Path, allowed: AllowList, *, sample: int = 5, as_known: Sequence[str] = ()
) -> Comparison:
    """Compare two published databases; `as_known` adds what their macros answer for those days.

    Raises:
        CannotCompareError: a file, or a condition of the allow-list, cannot be read.
    """
    with _both(old, new) as connection:
        return _Databases(connection, allowed, sample).compare(as_known)


@contextmanager
def _both(old: Path, new: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for side, file in zip(SIDES, (old, new), strict=True):
            try:
                connection.execute(f"attach {_text(str(file))} as {side}_file (read_only)")
            except duckdb.Error as error:
                raise CannotCompareError(f"{file} cannot be read: {error}") from error
        yield connection


class _Databases:
    """The two attached files, and what is asked of them."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, allowed: AllowList, sample: int
    ) -> None:
        self.connection = connection
        self.allowed = allowed
        self.sample = sample
        self.comments = {side: self._relations(side) for side in SIDES}
        self.macros = {side: self._macro_names(side) for side in SIDES}

    def compare(self, as_known: Sequence[str]) -> Comparison:
        self._note_earlier_build()
        old_names = self._old_names()
        old, new = old_names.keys(), self.comments["new"].keys()
        shape = [
            *self._lone("table", "removed", "OLD", old - new),
            *self._lone("table", "added", "NEW", new - old),
            *self._lone("macro", "removed", "OLD", self.macros["old"] - self.macros["new"]),
            *self._lone("macro", "added", "NEW", self.macros["new"] - self.macros["old"]),
        ]
        tables = [self._table(name, old_names[name]) for name in sorted(old & new)]
        for day in as_known:
            tables += self._answers(day)
        return Comparison(tables, shape)

    def _old_names(self) -> dict[str, str]:
        """Return the tables of OLD by the name that they have in NEW."""
        old_names = {}
        for name in self.comments["old"]:
            renamed, entry = self.allowed.new_name(name)
            is_there = entry is not None and renamed in self.comments["new"]
            if entry and is_there:
                entry.met += 1
            old_names[renamed if is_there else name] = name
        return old_names

    def _lone(self, what: str, kind: str, where: str, names: Iterable[str]) -> list[str]:
        return [
            f"{what} {name} only in {where}"
            for name in sorted(names)
            if not self.allowed.meets(kind, name.partition("(")[0])
        ]

    def _relations(self, side: str) -> dict[str, str]:
        found = self.connection.execute(_RELATIONS, {"database": f"{side}_file"}).fetchall()
        return {name: comment or "" for name, comment in found}

    def _macro_names(self, side: str) -> set[str]:
        found = self.connection.execute(_MACROS, {"database": f"{side}_file"}).fetchall()
        return {name for (name,) in found}

    def _note_earlier_build(self) -> None:
        """Leave the moment of the earlier build for the conditions of `published.toml`."""
        moments = [
            f"(select min(built_at) from {side}_file.ops.build)"
            for side in SIDES
            if "ops.build" in self.comments[side]
        ]
        earlier = f"least({', '.join(moments)})" if moments else "null::timestamptz"
        self.connection.execute(f"set variable earlier_build = {earlier}")

    def _answers(self, day: str) -> list[TableComparison]:
        """Compare what the macros that both sides have answer for a day."""
        both = sorted(self.macros["old"] & self.macros["new"])
        tables = [name.removesuffix(_AS_KNOWN) for name in both if name.endswith(_AS_KNOWN)]
        return [
            self._table(table, table, f"{table}_as_known({_text(day)})")
            for table in tables
            if all(table in self.comments[side] for side in SIDES)
        ]

    def _table(self, name: str, old_name: str, macro: str | None = None) -> TableComparison:
        result = TableComparison(macro or name, macro or old_name)
        try:
            self._compare(result, name, old_name)
        except duckdb.Error as error:
            raise CannotCompareError(f"{result.name}: {error}") from error
        return result

    def _compare(self, result: TableComparison, name: str, old_name: str) -> None:
        ignored = [entry for each in {name, old_name} for entry in left_out(each)]
        relations = dict(zip(SIDES, (result.old_name, result.name), strict=True))
        types = {side: self._types(side, relation) for side, relation in relations.items()}
        columns = {column for entry in ignored for column in entry.columns}
        shared, result.shape = pair_columns(name, types, self.allowed, columns)
        comments = (self.comments["new"][name], self.comments["old"][old_name])
        result.key = key_of(name, comments, [column.name for column in shared])
        for side, relation in relations.items():
            result.rows[side] = self._load(side, relation, shared, ignored)
        if shared:
            entries = self.allowed.of_rows(name)
            compare_rows(self.connection, result, shared, entries, self.sample)

    def _types(self, side: str, relation: str) -> dict[str, str]:
        self.connection.execute(f"use {side}_file")  # the SQL of views and macros names no file
        found = self.connection.execute(f"describe from {relation}").fetchall()
        return {row[0]: row[1] for row in found}

    def _load(
        self, side: str, relation: str, shared: Sequence[SharedColumn], ignored: Sequence[LeftOut]
    ) -> int:
        """Copy the compared columns of a side, named as in NEW; return how many rows."""
        conditions = [entry.rows for entry in ignored if entry.rows]
        kept = " and ".join(f"({each}) is not true" for each in conditions) or "true"
        columns = ", ".join(column.of(side) for column in shared) or "null"
        self.connection.execute(f"use {side}_file")
        self.connection.execute(
            f"create or replace temp table {side}_rows as "
            f"select {columns} from {relation} where {kept}"
        )
        return int(self.connection.execute(f"select count(*) from {side}_rows").fetchall()[0][0])


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
