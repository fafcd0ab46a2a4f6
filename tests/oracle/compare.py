"""Oracle against mart: the keys must match both ways, then every column of every row.

Money, texts and counts must be equal. A percentage may be one unit of its last digit apart, since
the database divides in binary floats (decision 8): no amount of money is made of one.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.oracle.amounts import exactly
from tests.oracle.book import Book, books
from tests.oracle.changes import aum_change, fund_bridge
from tests.oracle.flows import flows
from tests.oracle.observed import Observation, Source, observations, select_all, sources
from tests.oracle.periods import period_flows
from tests.oracle.reference import Reference

Row = dict[str, Any]
MEMBER = ("source", "week_ending", "dimension", "member")
KEYS = {
    "mart.flows": MEMBER,
    "mart.aum_change": MEMBER,
    "mart.fund_bridge": ("source", "week_ending", "fund", "label", "issuer"),
    "mart.period_flows": MEMBER,
}
NOT_COMPARED: dict[tuple[str, str], str] = {}
"""Columns that are left out, by table and name, each with its reason: none."""
LAST_DIGIT = Decimal("0.000001")
PERCENTAGES = ("coverage", "aum_change_pct", "flow_pct_of_aum")


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell on which oracle and mart disagree; or a row that only one of them has."""

    table: str
    key: tuple[Any, ...]
    column: str
    oracle: Any
    mart: Any

    def __str__(self) -> str:
        """Return it as a person reads it."""
        key = " ".join(str(each) for each in self.key)
        found = f"{self.column} | oracle {self.oracle} | mart {self.mart}"
        return f"{self.table} | {key} | {found}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, and what differs."""

    rows: Mapping[str, int]
    differences: list[Difference]

    def counted(self) -> str:
        """Return the count of rows and of different ones, by table."""
        different = Counter(
            table for table, _ in {(each.table, each.key) for each in self.differences}
        )
        return "; ".join(
            f"{table} {count} rows, {different[table]} different"
            for table, count in self.rows.items()
        )

    def shown(self, most: int = 40) -> str:
        """Return the counts and the first differences, a line each."""
        lines = [self.counted(), *map(str, self.differences[:most])]
        left = len(self.differences) - most
        return "\n".join([*lines, f"... and {left} more"] if left > 0 else lines)


@dataclass(frozen=True, slots=True)
class Expected:
    """The computed sources, and the rows of the four marts as the oracle has them."""

    books: Mapping[str, Book]
    tables: Mapping[str, list[Row]]


def expected(database: Path, reference: Path) -> Expected:
    """Compute the marts of a database once more."""
    return computed(sources(database), observations(database), Reference(reference))


@exactly
def computed(
    known: Iterable[Source],
    said: Iterable[Observation],
    reference: Reference,
) -> Expected:
    """Compute the marts of observations."""
    made = books(known, said, reference)
    tables: dict[str, list[Row]] = {table: [] for table in KEYS}
    for book in made:
        of_book = flows(book)
        tables["mart.flows"] += of_book
        tables["mart.aum_change"] += aum_change(book)
        tables["mart.fund_bridge"] += fund_bridge(book)
        tables["mart.period_flows"] += period_flows(book, of_book)
    return Expected({book.source.source: book for book in made}, tables)


def compare(database: Path, ours: Expected) -> Comparison:
    """Compare the marts of a database with what was computed."""
    counts, differences = {}, []
    for table, key in KEYS.items():
        mine, marts = (
            _by_key(key, rows) for rows in (ours.tables[table], select_all(database, table))
        )
        counts[table] = len(mine.keys() | marts.keys())
        for each in sorted(mine.keys() | marts.keys(), key=str):
            if each in mine and each in marts:
                differences += _differences(table, each, mine[each], marts[each])
            else:
                here, there = ("a row" if each in rows else None for rows in (mine, marts))
                differences.append(Difference(table, each, "(row)", here, there))
    return Comparison(counts, differences)


def _by_key(key: tuple[str, ...], rows: Iterable[Row]) -> dict[tuple[Any, ...], Row]:
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        of_row = tuple(_text(row[name]) for name in key)
        assert of_row not in found, f"two rows of {of_row}"
        found[of_row] = row
    return found


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _differences(table: str, key: tuple[Any, ...], ours: Row, theirs: Row) -> list[Difference]:
    assert ours.keys() == theirs.keys(), (table, ours.keys() ^ theirs.keys())
    return [
        Difference(table, key, name, ours[name], theirs[name])
        for name in theirs
        if (table, name) not in NOT_COMPARED and not _equal(name, ours[name], theirs[name])
    ]


def _equal(name: str, ours: Any, theirs: Any) -> bool:
    if name in PERCENTAGES and None not in (ours, theirs):
        return bool(abs(ours - theirs) <= max(LAST_DIGIT, abs(ours) * Decimal("1e-12")))
    return bool(ours == theirs)
