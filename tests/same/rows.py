"""The rows of one table, compared: `old_rows` against `new_rows`, both with the same columns.

Equal rows are taken away first, as multisets; only what remains on either side is paired by key.
So a table costs two passes over its rows, and rows that share a key, or have none, are counted
right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import duckdb

from .allowed import Entry
from .columns import NUMBERS, SharedColumn, quoted
from .errors import CannotCompareError
from .results import SIDES, ColumnChange, RowDifference, TableComparison


def compare_rows(
    connection: duckdb.DuckDBPyConnection,
    result: TableComparison,
    columns: Sequence[SharedColumn],
    entries: Mapping[str, Sequence[Entry]],
    sample: int,
) -> None:
    """Count and sample the differences of `old_rows` and `new_rows` into `result`."""
    rest = _rest(connection, "old")
    result.equal = result.rows["old"] - rest
    if result.equal == result.rows["old"] == result.rows["new"]:
        return
    _rest(connection, "new")
    key = [column.name for column in columns] if result.key is None else list(result.key)
    _note_shared_keys(connection, result)
    _pair(connection, key, columns)
    _check_conditions(connection, entries)
    _judge(connection, entries, columns)
    _count_entries(connection, entries, columns)
    _count(connection, result)
    result.columns = _changes(connection, columns)
    result.sample = _sample(connection, key, columns, sample)


def _rest(connection: duckdb.DuckDBPyConnection, side: str) -> int:
    """Keep the rows of a side that the other lacks; a row that is there twice counts twice."""
    other = "new" if side == "old" else "old"
    connection.execute(
        f"create or replace temp table {side}_rest as "
        f"(from {side}_rows) except all (from {other}_rows)"
    )
    return int(connection.execute(f"select count(*) from {side}_rest").fetchall()[0][0])


def _note_shared_keys(connection: duckdb.DuckDBPyConnection, result: TableComparison) -> None:
    if not result.key:
        return
    names = ", ".join(map(quoted, result.key))
    for side in SIDES:
        ((shared,),) = connection.execute(
            f"select coalesce(sum(n), 0) from "
            f"(select count(*) as n from {side}_rows group by {names} having count(*) > 1)"
        ).fetchall()
        if shared:
            result.notes.append(
                f"key is not unique: {shared:,} rows of {side.upper()} share theirs with another "
                "and are paired in the order of their values"
            )


def _pair(
    connection: duckdb.DuckDBPyConnection, key: Sequence[str], columns: Sequence[SharedColumn]
) -> None:
    """Put the remaining rows side by side: the key's columns, and structs `old` and `new`."""
    names = [quoted(column.name) for column in columns]
    keys = [quoted(name) for name in key]
    within = f"partition by {', '.join(keys)} " if keys else ""
    values = ", ".join(f"{name} := {name}" for name in names)
    numbered = (
        f"select *, struct_pack({values}) as __row, "
        f"row_number() over ({within}order by {', '.join(names)}) as __nth from"
    )
    same = [f"o.{name} is not distinct from n.{name}" for name in keys]
    picked = [f"if(o.__row is null, n.{name}, o.{name}) as {name}" for name in keys]
    connection.execute(
        f"create or replace temp table pairs as "
        f"select {', '.join([*picked, 'o.__row as old', 'n.__row as new'])} "
        f"from ({numbered} old_rest) as o full join ({numbered} new_rest) as n "
        f"on {' and '.join([*same, 'o.__nth = n.__nth'])}"
    )


def _check_conditions(
    connection: duckdb.DuckDBPyConnection, entries: Mapping[str, Sequence[Entry]]
) -> None:
    for entry in (entry for listed in entries.values() for entry in listed):
        try:
            connection.execute(f"select {_holds(entry)} from pairs limit 0")
        except duckdb.Error as error:
            raise CannotCompareError(f"allow-list, {entry}: {error}") from error


def _judge(
    connection: duckdb.DuckDBPyConnection,
    entries: Mapping[str, Sequence[Entry]],
    columns: Sequence[SharedColumn],
) -> None:
    """Say of every pair on which side it is, which columns are apart, and whether that may be."""
    apart, differs = [], []
    for column in columns:
        name = quoted(column.name)
        held = (_holds(entry) for entry in entries["changed"] if entry.covers(column.name))
        is_apart = f"old.{name} is distinct from new.{name}"
        apart.append(f"case when {is_apart} then {_text(column.name)} end")
        differs.append(f"case when {is_apart} and not {_any(held)} then {_text(column.name)} end")
    connection.execute(
        f"""
        create or replace temp table judged as
        select
            *,
            case
                when __side = 'changed' then len(__differs) = 0
                when __side = 'only old' then {_any(map(_holds, entries["only old"]))}
                else {_any(map(_holds, entries["only new"]))}
            end as __allowed
        from (
            select
                *,
                case
                    when new is null then 'only old'
                    when old is null then 'only new'
                    else 'changed'
                end as __side,
                list_filter([{", ".join(apart)}], lambda name: name is not null) as __apart,
                list_filter([{", ".join(differs)}], lambda name: name is not null) as __differs
            from pairs
        )
        """
    )


def _holds(entry: Entry) -> str:
    return f"coalesce(({entry.keys or 'true'}), false)"


def _any(conditions: Iterable[str]) -> str:
    return f"({' or '.join(conditions) or 'false'})"


def _count_entries(
    connection: duckdb.DuckDBPyConnection,
    entries: Mapping[str, Sequence[Entry]],
    columns: Sequence[SharedColumn],
) -> None:
    """Count for every entry of the allow-list the rows that it covers."""
    for side, listed in entries.items():
        for entry in listed:
            covered = [column.name for column in columns if entry.covers(column.name)]
            names = f"[{', '.join(map(_text, covered))}]::varchar[]"
            touches = f"and list_has_any(__apart, {names})" if side == "changed" else ""
            ((met,),) = connection.execute(
                f"select count(*) from judged where __side = $side and {_holds(entry)} {touches}",
                {"side": side},
            ).fetchall()
            entry.met += met


def _count(connection: duckdb.DuckDBPyConnection, result: TableComparison) -> None:
    counted = connection.execute(
        "select __side, __allowed, count(*) from judged group by all"
    ).fetchall()
    counts = {(side, is_allowed): rows for side, is_allowed, rows in counted}
    result.changed = counts.get(("changed", False), 0)
    result.only_old = counts.get(("only old", False), 0)
    result.only_new = counts.get(("only new", False), 0)
    result.allowed = sum(rows for (_, is_allowed), rows in counts.items() if is_allowed)


def _changes(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[SharedColumn]
) -> list[ColumnChange]:
    """Count the changes of every column, and of numbers find the largest."""
    changes = []
    for column in columns:
        name = quoted(column.name)
        is_number = column.type.startswith(NUMBERS)
        largest = f"max(try(abs(new.{name} - old.{name})))::varchar" if is_number else "null"
        ((rows, most),) = connection.execute(
            f"select count(*), {largest} from judged "
            "where __side = 'changed' and list_contains(__differs, $column)",
            {"column": column.name},
        ).fetchall()
        if rows:
            changes.append(ColumnChange(column.name, rows, most))
    return changes


def _sample(
    connection: duckdb.DuckDBPyConnection,
    key: Sequence[str],
    columns: Sequence[SharedColumn],
    size: int,
) -> list[RowDifference]:
    """Return the first rows by key of those that changed, are only in OLD and only in NEW."""
    types = {column.name: column.type for column in columns}
    order = ", ".join(map(quoted, key)) or "__side"
    shown_key = ", ".join(f"{_shown(quoted(name), types[name])}" for name in key)
    sides = {
        side: ", ".join(
            f"{_shown(f'{side}.{quoted(name)}', type_)}" for name, type_ in types.items()
        )
        for side in SIDES
    }
    found = connection.execute(
        f"""
        select __side, __differs, [{sides["old"]}], [{sides["new"]}], [{shown_key}]::varchar[]
        from judged
        where not __allowed
        qualify row_number() over (partition by __side order by {order}) <= $size
        order by __side, {order}
        """,
        {"size": size},
    ).fetchall()
    return [
        RowDifference(
            side=side,
            key=dict(zip(key, shown, strict=True)),
            values=[
                value
                for value in zip(types, old, new, strict=True)
                if side == "changed" and value[0] in differs
            ],
        )
        for side, differs, old, new, shown in found
    ]


def _shown(value: str, type_: str) -> str:
    """Return the expression that prints a value so that NULL, '' and 'NULL' are told apart."""
    printed = f"{value}::varchar"
    if type_ == "VARCHAR":
        printed = f"'''' || {printed} || ''''"
    return f"coalesce({printed}, 'NULL')"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
