"""What the reports say: the observations and sources of a built database, row by row.

The only statements are `select *`; the member that a label means is found in `reference` again.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import duckdb

T = TypeVar("T")
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Observation:
    """One printed number, as it stands: the newest statement about it."""

    source: str
    known_at: dt.datetime
    week_ending: dt.date
    period_start: dt.date
    period_end: dt.date
    printed_table: str
    dimension: str
    label: str
    measure: str
    period: str
    value: Decimal | None
    currency: str | None
    half_unit: Decimal | None
    null_reason: str | None
    status: str

    @property
    def is_refused(self) -> bool:
        """Whether a number is printed that was refused."""
        return self.null_reason == "refused"

    @property
    def is_preliminary(self) -> bool:
        """Whether the publisher is still filling the row (E37)."""
        return self.status == "preliminary"


@dataclass(frozen=True, slots=True)
class Source:
    """A publisher's series of reports, with what its figures cover."""

    source: str
    country_basis: str
    week_ends: str
    report_covers: str
    is_split_adjusted: bool
    price_basis: str
    calendar: str | None
    unread: tuple[dt.date, ...] = ()
    """Weeks that archived reports cover and that have not been read (E107)."""

    @property
    def has_all_funds(self) -> bool:
        """Whether one report covers all funds, so that one that it lacks has left."""
        return self.report_covers == "all funds"


def observations(database: Path) -> list[Observation]:
    """Return all observations of a database."""
    return _as(Observation, select_all(database, "core.observation"))


def sources(database: Path) -> list[Source]:
    """Return all sources of a database."""
    unread: dict[str, list[dt.date]] = defaultdict(list)
    for row in select_all(database, "core.unread_week"):
        unread[row["source"]].append(row["week_ending"])
    rows = select_all(database, "core.source")
    return _as(Source, [{**row, "unread": tuple(unread[row["source"]])} for row in rows])


def select_all(database: Path, table: str) -> Rows:
    """Return the rows of a table, each by column."""
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        connection.execute("set timezone = 'UTC'")
        answer = connection.execute(f"select * from {table}")
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def _as(kind: type[T], rows: Rows) -> list[T]:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return [kind(**{name: row[name] for name in names}) for row in rows]
