"""What an example of a fault is: a small fixed world, and what rows of the marts must say of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.bridge_world import BridgeWorld, m
from tests.oracle.observed import select_all
from tests.oracle.page import page_layout

W0, W1, W2, W3 = (dt.date(2025, 3, day) for day in (7, 14, 21, 28))
BEFORE = dt.date(2025, 2, 28)
FLOWS, CHANGE, BRIDGE = "mart.flows", "mart.aum_change", "mart.fund_bridge"
PERIODS = "mart.period_flows"
Row = dict[str, Any]
Fill = Callable[[BridgeWorld, str], None]


@dataclass(frozen=True, slots=True)
class Right:
    """What some columns of one row must say; the row is found by some of its columns."""

    table: str
    row: dict[str, Any]
    says: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """A world of one source that a fault touches."""

    fault: str
    source: str
    fill: Fill
    rights: tuple[Right, ...]
    sessions: tuple[dt.date, ...] = ()
    """The sessions of its market, where the fault is about them."""


def days(*numbers: int) -> tuple[dt.date, ...]:
    """Return days of March 2025."""
    return tuple(dt.date(2025, 3, number) for number in numbers)


def reports(text: str, *, currency: str = "USD", **attributes: Any) -> Fill:
    """Return an example's only report; A and B stand for funds of its own."""

    def fill(world: BridgeWorld, name: str, **more: Any) -> None:
        own = name.upper()
        declare(world, name)
        lines = [line.strip() for line in text.strip().splitlines()]
        body = [line.replace(",A,", f",{own}A,").replace(",B,", f",{own}B,") for line in lines]
        world.report(name, "\n".join(body), currency=currency, **attributes, **more)

    return fill


def declare(world: BridgeWorld, name: str, **values: Any) -> None:
    """Name the funds A and B of an example."""
    for letter in "ab":
        world.fund(f"{name}{letter}-us", f"{name.upper()}{letter.upper()}", **values)


def fund(name: str, letter: str = "a", **row: Any) -> dict[str, Any]:
    """Return what finds the row of a fund in the marts by dimension."""
    return {"dimension": "fund", "member": f"{name}{letter}-us", **row}


def in_bridge(name: str, letter: str = "a", **row: Any) -> dict[str, Any]:
    """Return what finds the row of a fund in mart.fund_bridge."""
    return {"fund": f"{name}{letter}-us", **row}


TOTAL = {"dimension": "total", "member": "total"}


def effects(**millions: str | int) -> dict[str, Decimal]:
    """Return the columns of a bridge in money: A open, F flow, M market, U universe, Z close."""
    names = {
        "A": "aum_open_usd",
        "F": "net_flow_usd",
        "M": "market_effect_usd",
        "U": "universe_effect_usd",
        "Z": "aum_close_usd",
    }
    return {names[letter]: m(amount) for letter, amount in millions.items()}


def of_a_sponsor(world: BridgeWorld, name: str) -> None:
    """A fund whose issuer passes from one firm to another within a week."""
    world.refer("issuer", issuer="shifting", issuer_name="Shifting")
    spans = (("One", "1900-01-01", "2025-03-04"), ("Two", "2025-03-05", None))
    for sponsor, start, end in spans:
        row = {"brand": "Shifting", "sponsor": sponsor, "valid_from": start, "valid_to": end}
        world.refer("issuer_sponsor", issuer="shifting", **row)
    declare(world, name, issuer="shifting")
    rows = "\n".join(f"2025-03-{day:02},{name.upper()}A,1" for day in (3, 4, 5, 6, 7))
    world.report(name, f"date,fund,flow\n{rows}")


def of_an_issuer(world: BridgeWorld, name: str) -> None:
    """A fund that changes its issuer within a week."""
    declare(world, name, issuer=None)
    spans = (("north", "1900-01-01", "2025-03-04"), ("south", "2025-03-05", None))
    for issuer, start, end in spans:
        row = {"issuer": issuer, "valid_from": start, "valid_to": end}
        world.refer("fund_issuer", fund=f"{name}a-us", **row)
    world.issuer("north")
    world.issuer("south")
    rows = "\n".join(f"2025-03-{day:02},{name.upper()}A,1" for day in (3, 4, 5, 6, 7))
    world.report(name, f"date,fund,flow\n{rows}")


def of_a_page(world: BridgeWorld, name: str) -> None:
    """A page that prints a total on a day of dashes."""
    declare(world, name)
    own = name.upper()
    text = f"Date,{own}A,{own}B,Total\n2025-03-06,1.0,2.0,3.0\n2025-03-07,-,-,5.0"
    world.report(name, text, layouts=[page_layout()])


def rows_of(database: Path, table: str, source: str, **wanted: Any) -> list[Row]:
    """Return the rows of a mart that have some values."""
    wanted = {"source": source, **wanted}
    return [
        row
        for row in select_all(database, table)
        if all(row[name] == value for name, value in wanted.items())
    ]


def said_of(rows: list[Row], says: dict[str, Any]) -> list[Row]:
    """Return the rows, in the columns that matter."""
    return [{name: row[name] for name in says} for row in rows]
