"""One small fixed world for each fault that is known, with the right answer of METHODOLOGY.

An example says what the reports print, and what rows of the marts must say; it asserts nothing.
All of them go into one build; those that stop a build, or are about reading, stand in the tests.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.bridge_world import BridgeWorld, m
from tests.oracle import faults
from tests.oracle.page import page_layout

W0, W1, W2, W3 = (dt.date(2025, 3, day) for day in (7, 14, 21, 28))
BEFORE = dt.date(2025, 2, 28)
FLOWS, CHANGE, BRIDGE = "mart.flows", "mart.aum_change", "mart.fund_bridge"
PERIODS = "mart.period_flows"
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
    """The exchange's calendar, where the fault is about it."""


def days(*numbers: int) -> tuple[dt.date, ...]:
    """Return days of March 2025."""
    return tuple(dt.date(2025, 3, number) for number in numbers)


def reports(text: str, *, currency: str = "USD", **attributes: Any) -> Fill:
    """Return an example's only report; A and B stand for funds of its own."""

    def fill(world: BridgeWorld, name: str) -> None:
        own = name.upper()
        declare(world, name)
        lines = [line.strip() for line in text.strip().splitlines()]
        body = [line.replace(",A,", f",{own}A,").replace(",B,", f",{own}B,") for line in lines]
        world.report(name, "\n".join(body), currency=currency, **attributes)

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


def _of_a_sponsor(world: BridgeWorld, name: str) -> None:
    world.refer("issuer", issuer="shifting", issuer_name="Shifting")
    spans = (("One", "1900-01-01", "2025-03-04"), ("Two", "2025-03-05", None))
    for sponsor, start, end in spans:
        row = {"brand": "Shifting", "sponsor": sponsor, "valid_from": start, "valid_to": end}
        world.refer("issuer_sponsor", issuer="shifting", **row)
    declare(world, name, issuer="shifting")
    rows = "\n".join(f"2025-03-{day:02},{name.upper()}A,1" for day in (3, 4, 5, 6, 7))
    world.report(name, f"date,fund,flow\n{rows}")


def _of_an_issuer(world: BridgeWorld, name: str) -> None:
    declare(world, name, issuer=None)
    spans = (("north", "1900-01-01", "2025-03-04"), ("south", "2025-03-05", None))
    for issuer, start, end in spans:
        row = {"issuer": issuer, "valid_from": start, "valid_to": end}
        world.refer("fund_issuer", fund=f"{name}a-us", **row)
    world.issuer("north")
    world.issuer("south")
    rows = "\n".join(f"2025-03-{day:02},{name.upper()}A,1" for day in (3, 4, 5, 6, 7))
    world.report(name, f"date,fund,flow\n{rows}")


def _of_a_page(world: BridgeWorld, name: str) -> None:
    declare(world, name)
    own = name.upper()
    text = f"Date,{own}A,{own}B,Total\n2025-03-06,1.0,2.0,3.0\n2025-03-07,-,-,5.0"
    world.report(name, text, layouts=[page_layout()])


EXAMPLES = (
    Example(
        "E73",
        "e73",
        reports(
            """
            date,fund,shares,nav,aum
            2025-03-03,A,1.0,10,10
            2025-03-04,A,,10,15
            2025-03-05,A,1.5,10,15
            2025-03-06,A,1.5,10,15
            2025-03-07,A,1.5,10,15
            """
        ),
        (
            Right(FLOWS, fund("e73"), {"net_flow_usd": m(5)}),
            Right(BRIDGE, in_bridge("e73"), effects(A=0, F=5, M=0, U=10, Z=15)),
        ),
    ),
    Example(
        "E74",
        "e74",
        reports(
            """
            date,fund,flow
            2025-03-03,A,1
            2025-03-04,A,1
            2025-03-06,A,1
            2025-03-07,A,1
            """
        ),
        (Right(FLOWS, fund("e74"), {"coverage": Decimal(80), "status": "partial"}),),
        sessions=days(3, 4, 5, 6, 7),
    ),
    Example(
        "E76",
        "e76",
        reports(
            """
            date,fund,shares,nav
            2025-03-06,A,10,50
            2025-03-07,A,10,50
            2025-03-17,A,10.4,50
            2025-03-21,A,10.4,50
            """
        ),
        (Right(BRIDGE, in_bridge("e76", week_ending=W2), effects(A=500, F=20, M=0, U=0, Z=520)),),
    ),
    Example(
        "E78",
        "e78",
        reports(
            """
            date,fund,flow
            2025-02-27,A,4
            2025-02-27,B,1
            2025-03-04,A,
            2025-03-04,B,1
            2025-03-05,A,
            2025-03-05,B,1
            """
        ),
        (
            Right(
                PERIODS,
                fund("e78", week_ending=W0),
                {"mtd_net_flow_usd": None, "ytd_net_flow_usd": m(4)},
            ),
        ),
    ),
    Example(
        "E79",
        "e79",
        reports(
            """
            date,fund,flow
            2025-03-04,A,1
            2025-03-04,B,1
            2025-03-05,A,1
            2025-03-05,B,
            2025-03-06,A,1
            2025-03-06,B,1
            2025-03-07,A,1
            2025-03-07,B,1
            """
        ),
        (Right(FLOWS, fund("e79", "b"), {"coverage": Decimal(100), "status": "final"}),),
        sessions=days(4, 6, 7),
    ),
    Example(
        "E80",
        "e80",
        reports(
            """
            date,fund,flow,aum
            2025-02-28,A,0,100
            2025-02-28,B,0,1000
            2025-03-07,A,5,105
            2025-03-07,B,,1000
            """
        ),
        (Right(CHANGE, {**TOTAL, "week_ending": W0}, {"flow_pct_of_aum": Decimal(5)}),),
    ),
    Example(
        "E81",
        "e81",
        reports(
            """
            date,fund,shares,nav
            2025-03-06,A,1,10
            2025-03-06,B,1,10
            2025-03-07,A,1,10
            2025-03-07,B,1,10
            2025-03-13,B,1,10
            2025-03-14,B,1,10
            """,
            report_covers="one fund",
        ),
        (
            Right(CHANGE, {**TOTAL, "week_ending": W1}, {"status": "partial"}),
            Right(FLOWS, {**TOTAL, "week_ending": W1}, {"status": "partial"}),
        ),
    ),
    Example(
        "E84",
        "e84",
        _of_a_sponsor,
        (
            Right(FLOWS, {"dimension": "sponsor", "member": "One"}, {"net_flow_usd": m(2)}),
            Right(FLOWS, {"dimension": "sponsor", "member": "Two"}, {"net_flow_usd": m(3)}),
        ),
    ),
    Example(
        "E105",
        "e105",
        reports(
            """
            date,fund,shares,nav,aum
            2025-03-05,A,0.04,25,1
            2025-03-06,A,0.04,25,1
            2025-03-07,A,0,25,1
            2025-03-10,A,0.04,25,1
            2025-03-14,A,0.04,25,1
            """
        ),
        (
            Right(FLOWS, fund("e105", week_ending=W0), {"net_flow_usd": m(0), "status": "partial"}),
            Right(FLOWS, fund("e105", week_ending=W1), {"net_flow_usd": m(0)}),
        ),
    ),
    Example(
        "E113",
        "e113",
        reports(
            """
            date,fund,shares,nav
            2025-03-06,A,10,50
            2025-03-07,A,10,50
            2025-03-17,A,10.4,50
            2025-03-21,A,10.4,50
            """,
            report_covers="one fund",
        ),
        (
            Right(FLOWS, fund("e113", week_ending=W2), {"net_flow_usd": m(20)}),
            Right(BRIDGE, in_bridge("e113", week_ending=W2), effects(A=500, F=20, M=0, U=0, Z=520)),
        ),
    ),
    Example(
        "E113",
        "e113all",
        reports(
            """
            date,fund,shares,nav
            2025-03-07,A,10,50
            2025-03-07,B,10,50
            2025-03-14,B,10,50
            2025-03-21,A,10.4,50
            2025-03-21,B,10,50
            """
        ),
        (
            Right(
                BRIDGE, in_bridge("e113all", week_ending=W2), effects(A=500, F=20, M=0, U=0, Z=520)
            ),
        ),
    ),
    Example(
        faults.PRINTED_TWICE,
        "twice",
        reports(
            """
            date,fund,flow,nav,aum
            2025-03-05,A,0,10,100
            2025-03-06,A,5,,
            2025-03-07,A,,10,105
            """
        ),
        (
            Right(FLOWS, fund("twice"), {"net_flow_usd": m(5)}),
            Right(BRIDGE, in_bridge("twice"), effects(A=0, F=5, M=0, U=100, Z=105)),
        ),
    ),
    Example(
        faults.ENTRY_AFTER_DASHES,
        "dashes",
        reports(
            """
            date,fund,flow,aum
            2025-02-27,A,1,
            2025-02-28,A,,
            2025-02-28,B,1,10
            2025-03-06,A,2,100
            2025-03-07,A,2,103
            """
        ),
        (Right(BRIDGE, in_bridge("dashes", week_ending=W0), effects(A=0, F=4, M=1, U=98, Z=103)),),
    ),
    Example(
        faults.TOTAL_ALONE,
        "alone",
        _of_a_page,
        (Right(FLOWS, TOTAL, {"net_flow_usd": m(8), "basis": "printed"}),),
    ),
    Example(
        faults.LACKING,
        "lacking",
        reports(
            """
            date,fund,flow
            2025-03-04,A,1
            2025-03-04,B,1
            2025-03-05,B,1
            2025-03-06,A,1
            2025-03-06,B,1
            2025-03-07,A,1
            2025-03-07,B,1
            """
        ),
        (Right(FLOWS, fund("lacking"), {"coverage": Decimal(75), "status": "partial"}),),
    ),
    Example(
        faults.FUNDS_TWICE,
        "issuers",
        _of_an_issuer,
        (Right(FLOWS, TOTAL, {"funds": 1, "net_flow_usd": m(5)}),),
    ),
)
