"""Random small worlds, each a source of its own, so that one build holds many.

What a world is, what is left out of the comparison, and the rates that all worlds share. How they
are drawn: `fund_worlds` (days of funds), `weekly_worlds` (weeks by member).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from tests.oracle import faults

KNOWN_FAULTS = {
    "E77", "E84", "E94",
    *faults.FOUND,
}  # fmt: skip
"""What the SQL is known to get wrong, by its id in METHODOLOGY or its name in `faults`.

While an id stands here, a source or cell that it touches is not compared, and a world is not drawn
that would stop the build. The issue that mends a fault removes its id and nothing more. Faults that
no world draws (E86 to E88, E107, E109, E114, E115) have their examples only.
"""
DAY, WEEK = dt.timedelta(days=1), dt.timedelta(weeks=1)
ISSUERS = ("north", "south", "east")
Cell = tuple[str, str, dt.date]
"""Label, column, day."""


@dataclass(frozen=True, slots=True)
class Report:
    """A file: CSV text in one currency, and when it came."""

    text: str
    currency: str
    received: dt.datetime


@dataclass(slots=True)
class World:
    """A source: how it is declared, its reports, its reference rows, and what stands in the end."""

    name: str
    attributes: dict[str, Any]
    reports: list[Report] = field(default_factory=list)
    references: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stands: dict[Cell, Decimal | None] = field(default_factory=dict)
    sessions: dict[dt.date, dt.date] = field(default_factory=dict)


def rates() -> dict[str, dict[str, Decimal]]:
    """Return euro reference rates of all worlds; some weekdays have none."""
    chance = Random("rates")
    days = [dt.date(2023, 12, 15) + DAY * each for each in range(900)]
    return {
        str(day): {
            "USD": Decimal("1.0800") + Decimal(chance.randint(-500, 500)) / 10_000,
            "CAD": Decimal("1.4700") + Decimal(chance.randint(-500, 500)) / 10_000,
        }
        for day in days
        if day.isoweekday() < 6 and chance.random() > 0.01
    }
