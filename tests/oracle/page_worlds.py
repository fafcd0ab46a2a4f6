"""Worlds of pages: funds across, days down, the total of each day, the newest still filling."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from random import Random

from tests.oracle.fund_references import FundPath, declare
from tests.oracle.fund_worlds import sessions_of
from tests.oracle.page import page_layout
from tests.oracle.worlds import DAY, Report, World

Cells = dict[tuple[dt.date, str], Decimal | None]


def page_worlds(seed: str, count: int) -> Iterator[World]:
    """Return random worlds; the same of the same seed."""
    for number in range(count):
        yield _world(Random(f"page-{seed}-{number}"), f"{seed}p{number}")


def _world(chance: Random, name: str) -> World:
    world = World(name, {"layouts": [page_layout()]})
    sessions = sessions_of(chance)
    labels = [f"{name}{chr(97 + number)}".upper() for number in range(chance.randint(1, 4))]
    paths = [
        FundPath(
            fund=f"{label.lower()}-{chance.choice(['us', 'ca'])}",
            labels=[label],
            currency="USD",
            first=chance.randint(0, len(sessions) // 2),
            last=len(sessions) - 1,
            shares=Decimal(1),
            nav=Decimal(1),
        )
        for label in labels
    ]
    for path in paths:
        declare(chance, world, path, sessions, paths)
    cells = _cells(chance, paths, sessions)
    clock = dt.datetime.combine(sessions[-1] + DAY, dt.time(2), dt.UTC)
    for vintage in range(chance.choice([1, 1, 2])):
        text = _text(chance, cells, labels, sessions)
        world.reports.append(Report(text, "USD", clock + DAY * vintage))
    chance.shuffle(world.reports)
    return world


def _cells(chance: Random, paths: list[FundPath], sessions: list[dt.date]) -> Cells:
    often = chance.choice([0, 0.05, 0.2])
    return {
        (day, path.labels[0]): None
        if number < path.first or chance.random() < often
        else Decimal(chance.choice([0, chance.randint(-900, 900)])) / 10
        for path in paths
        for number, day in enumerate(sessions)
    }


def _text(chance: Random, cells: Cells, labels: list[str], sessions: list[dt.date]) -> str:
    """Print the days; of the newest nothing may have come yet, or zeros, or some funds."""
    newest = chance.choice(["whole", "zeros", "dashes", "some"])
    lines = [",".join(["Date", *labels, "Total"])]
    for day in sessions:
        shown = [cells[day, label] for label in labels]
        if day == sessions[-1] and newest != "whole":
            shown = [
                Decimal(0) if newest == "zeros" else None if chance.random() < 0.7 else each
                for each in shown
            ]
        known = [each for each in shown if each is not None]
        total = None if chance.random() < 0.05 else sum(known, Decimal(chance.choice([0, 0, 1])))
        lines.append(",".join([str(day), *map(_shown, shown), _shown(total)]))
    return "\n".join(lines)


def _shown(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:.1f}"
