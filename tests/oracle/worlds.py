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

KNOWN_FAULTS = {"assets_in_floats"}
"""What the SQL is known to get wrong, by its id in METHODOLOGY or a name of its own.

assets_in_floats: the flow of a fund of some billions by assets (F2) is made in binary floats and
can be off by a cent; no world draws so large a fund. Whoever mends a fault removes its name here,
which turns its example over.
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
