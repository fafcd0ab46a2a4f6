"""Random worlds: the marts of all of them equal the oracle's.

`FUNDFLOWS_WORLDS=5000 pytest tests/oracle/test_oracle_worlds.py -rP` draws so many, a few hundred a
build, and says how long it takes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bridge_world import BridgeWorld
from tests.oracle import seam
from tests.oracle.compare import Comparison, compare, expected
from tests.oracle.fund_worlds import fund_worlds
from tests.oracle.observed import Observation, observations
from tests.oracle.page_worlds import page_worlds
from tests.oracle.weekly_worlds import weekly_worlds
from tests.oracle.worlds import World

Record = Callable[[str, object], None]
A_BUILD = 250
WORLDS = int(os.environ.get("FUNDFLOWS_WORLDS") or 100)
BATCHES = [
    pytest.param(number, min(A_BUILD, WORLDS - number * A_BUILD), id=f"worlds{number}")
    for number in range(-(-WORLDS // A_BUILD))
]
MEASURES = {
    "flow": ("net_flow", 1_000_000),
    "aum": ("aum", 1_000_000),
    "shares": ("shares_outstanding", 1_000_000),
    "nav": ("nav", 1),
}


def drawn(number: int, count: int) -> list[World]:
    """Draw worlds: of five three of funds, one of weeks, one of pages."""
    seed, fifth = f"f{number}x", count // 5
    return [
        *fund_worlds(seed, count - 2 * fifth),
        *weekly_worlds(seed, fifth),
        *page_worlds(seed, fifth),
    ]


def misread(worlds: list[World], said: list[Observation]) -> tuple[int, list[str]]:
    """Return how many printed cells were looked up, and where another vintage stands (E43)."""
    found = {(each.source, each.label, each.measure, each.period_end): each.value for each in said}
    count, wrong = 0, []
    for world in worlds:
        is_market = world.attributes.get("price_basis") == "market"
        for (label, name, day), printed in world.stands.items():
            measure, scale = MEASURES[name]
            measure = "market_price" if is_market and measure == "nav" else measure
            value = found.get((world.name, label, measure, day), Decimal(-1))
            count += 1
            if value != (None if printed is None else printed * scale):
                wrong.append(f"{world.name} {label} {measure} {day}: {printed} stands, not {value}")
    return count, wrong


def report(comparison: Comparison, record_property: Record, **facts: object) -> None:
    """Print what was compared, and keep it with the test's result."""
    for name, value in {**facts, "compared": comparison.counted()}.items():
        record_property(name, value)
        print(f"{name}: {value}")


@pytest.mark.parametrize(("number", "count"), BATCHES)
def test_marts_of_random_worlds_are_those_of_the_oracle(
    number: int, count: int, tmp_path: Path, record_property: Record
) -> None:
    started = time.perf_counter()
    worlds, built = drawn(number, count), BridgeWorld(tmp_path)
    seam.fill(built, worlds)
    database = seam.publish(built)
    published = time.perf_counter()
    cells, wrong = misread(worlds, observations(database))
    computed = expected(database, built.reference)
    found = compare(database, computed)
    report(
        found,
        record_property,
        worlds=count,
        cells=f"{cells} printed cells, {len(wrong)} read wrongly",
        seconds_to_build=round(published - started),
        seconds_to_compare=round(time.perf_counter() - published),
    )
    assert not wrong, wrong[:20]
    assert not found.differences, found.shown()
