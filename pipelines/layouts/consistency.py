"""What columns and tables of a layout say together, and cannot: one message, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from schemas.measures import NET_FLOW_OF, PARTS

_Printed: TypeAlias = Any
"""A `Printed` of `language`, which imports this module: its columns of numbers and `across`."""
_Table: TypeAlias = Any
"""A `Table` of `language`."""


def wrong_columns(table: _Table) -> str | None:
    """Return what is wrong with the columns of a table."""
    numbers, keys = table.numbers, table.keys
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        return f"two columns are the {twice[0]} of a row"
    if "label" not in keys and not table.across and not table.label:
        return "nothing gives the label of a row"
    if table.across is None and not numbers:
        return "no column of numbers"
    for printed in (*numbers.values(), *((table.across,) if table.across else ())):
        if printed.in_unit.is_of_the_row and "currency" not in keys:
            return (
                f"unit {printed.unit!r}, but no column is the currency of a row (`key: currency`)"
            )
    unknown = [header for header in table.where if header not in table.columns]
    if unknown:
        return f"`where` names {unknown[0]!r}, which is not in `columns`"
    return _on_one_key(numbers)


def _on_one_key(numbers: Mapping[str, _Printed]) -> str | None:
    """Return which two columns would be one number of a row (E101): equal or not, they are two."""
    first: dict[tuple[str, str, str | None], str] = {}
    for header, printed in numbers.items():
        key = printed.measure, printed.period, printed.dimension
        other = first.setdefault(key, header)
        if other != header:
            return (
                f"{other!r} and {header!r} are both {printed.measure}, {printed.period}: if they "
                f"are parts of it, name these, such as {', '.join(PARTS)}; if not, ignore one"
            )
    return None


def wrong_tables(tables: Sequence[_Table]) -> str | None:
    """Return what is wrong between the tables of a layout."""
    names = {table.name for table in tables}
    for table in tables:
        for other in table.yields_to:
            if other not in names - {table.name}:
                return f"table {table.name} yields to {other!r}, which is no other table"
    measures = {
        printed.measure
        for table in tables
        for printed in (*table.numbers.values(), *((table.across,) if table.across else ()))
    }
    return None if "net_flow" in measures else _without_the_rest(measures)


def _without_the_rest(measures: Collection[str]) -> str | None:
    """Return which parts of a net flow are missing beside others, so that it cannot be made."""
    parts = [each for each in PARTS if each in measures]
    if not parts or any(set(whole) <= set(measures) for whole in NET_FLOW_OF):
        return None
    rest = next(set(whole) for whole in NET_FLOW_OF if parts[0] in whole) - set(measures)
    return f"{parts[0]} without {', '.join(sorted(rest))} makes no net flow"


def undated(tables: Sequence[_Table], facts: Collection[str]) -> str | None:
    """Return which table of a layout has rows that nothing dates."""
    for table in tables:
        if "date" not in table.keys and "as_of" not in facts:
            return (
                f"table {table.name}: no column is the date of a row (`key: date`), and the report "
                "is not dated as a whole (`facts: as_of`)"
            )
    return None


def printed_in(tables: Sequence[_Table]) -> list[tuple[str, str, str]]:
    """Return measure, period and dimension of every column of numbers."""
    return [
        (each.measure, each.period, each.dimension or table.dimension)
        for table in tables
        for each in (*table.numbers.values(), *((table.across,) if table.across else ()))
    ]


def reaches_no_table(tables: Sequence[_Table]) -> bool:
    """Return whether no number of a source is one that a table of the database is made of (E114).

    Totals to date, runs of weeks and footers stand beside weeks and days; alone they make none.
    """
    printed = printed_in(tables)
    measures = {measure for measure, _, dimension in printed if dimension != "check"}
    flows = {"net_flow", *PARTS}
    return not (
        measures & {"aum", "coins_held", "fx_rate"}
        or {"shares_outstanding", "nav"} <= measures
        or {"shares_outstanding", "market_price"} <= measures
        or any(
            measure in flows and period in ("day", "week") and dimension != "check"
            for measure, period, dimension in printed
        )
    )
