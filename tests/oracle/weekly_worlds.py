"""Worlds of weeks by asset, issuer and country: printed flows, sums to date, AUM, and totals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

from tests.oracle.worlds import DAY, ISSUERS, WEEK, Report, World

MEMBERS = {
    "asset": ("BTC", "ETH", "SHORT-BTC", "XRP"),
    "issuer": ISSUERS,
    "country": ("US", "CA", "DE"),
}
COLUMNS = ("flow", "mtd", "ytd", "aum")


def layout(dimension: str) -> dict[str, Any]:
    """Return the layout of a table by a dimension, told by the header of its labels."""
    flow = {"measure": "net_flow", "unit": "US$m"}
    return {
        "name": f"weeks_by_{dimension}",
        "container": "csv",
        "valid_from": "1990-01-01",
        "tables": [
            {
                "name": f"by_{dimension}",
                "header": ["date", dimension],
                "dimension": dimension,
                "totals": "none",
                "columns": {
                    "date": {"key": "date", "formats": ["%Y-%m-%d"]},
                    dimension: {"key": "label"},
                    "flow": {**flow, "period": "week"},
                    "mtd": {**flow, "period": "mtd"},
                    "ytd": {**flow, "period": "ytd"},
                    "aum": {"measure": "aum", "unit": "US$m"},
                },
                "rows": [{"text": "Total", "role": "total"}],
            }
        ],
    }


def weekly_worlds(seed: str, count: int) -> Iterator[World]:
    """Return random worlds; the same of the same seed."""
    for number in range(count):
        yield _world(Random(f"weekly-{seed}-{number}"), f"{seed}w{number}")


def _world(chance: Random, name: str) -> World:
    world = World(name, {"layouts": [layout(each) for each in MEMBERS]})
    first = dt.date(2024, 1, 5) + WEEK * chance.randint(0, 90)
    weeks = [first + WEEK * each for each in range(chance.randint(2, 8))]
    kept = [each for each in weeks if chance.random() > 0.15] or weeks[:1]
    for dimension, members in MEMBERS.items():
        labels = _labels(chance, world, dimension, members)
        for week in kept:
            if chance.random() < 0.85:
                _report(chance, world, dimension, labels, week)
    chance.shuffle(world.reports)
    return world


def _labels(chance: Random, world: World, dimension: str, members: tuple[str, ...]) -> list[str]:
    """Return labels of some members: of one member several, of some labels no member."""
    labels = []
    for member in members:
        for number in range(chance.choice([0, 1, 1, 1, 2])):
            label = f"{world.name}-{member}-{number}"
            labels.append(label)
            values = {"dimension": dimension, "label": label, "member": member}
            world.references.append(("alias", {**values, "valid_from": "1900-01-01"}))
    return labels if chance.random() > 0.15 else [*labels, f"{world.name}-nobody"]


def _report(chance: Random, world: World, dimension: str, labels: list[str], week: dt.date) -> None:
    digits = chance.choice([0, 1, 1, 2])
    rows, flows = [], []
    for label in labels:
        flow = Decimal(chance.randint(-90_000, 90_000)) / 100
        flows.append(flow)
        cells = [flow, flow + 1, flow * 7, Decimal(chance.randint(0, 9_000_000)) / 100]
        rows.append([str(week), label, *(_text(chance, each, digits) for each in cells)])
    if chance.random() < 0.7:
        total = sum(flows, Decimal(0)) + Decimal(chance.choice(["0", "0", "0.4", "30"]))
        coarse = chance.choice([digits, 0])
        cells = [total, total, total, Decimal(90_000)]
        rows.append([str(week), "Total", *(_text(chance, each, coarse) for each in cells)])
    if not rows:
        return
    text = "\n".join(",".join(row) for row in [["date", dimension, *COLUMNS], *rows])
    clock = dt.datetime.combine(week + DAY * chance.randint(1, 9), dt.time(9), dt.UTC)
    world.reports.append(Report(text, "USD", clock))


def _text(chance: Random, value: Decimal, digits: int) -> str:
    return "-" if chance.random() < 0.06 else f"{round(value, digits):f}"
