"""One weekly run, the whole process of `fundflows run`: cold, warm, and with nothing new.

    python -m benchmarks.weekly [REPETITIONS]

The samples are read once. Then one more week of a fund arrives each time. Cold is the first run
after the project's bytecode was deleted; the disk cache of the machine stays warm.
"""

from __future__ import annotations

import datetime as dt
import shutil
import statistics
import sys

from benchmarks.world import Ran, World, project, table
from samples.add import REPORTS, add_samples

NAV = "{day},1000000.0,10.0,10000000.0\n"


def one_more(world: World, number: int) -> None:
    """Let the NAV history of a fund arrive with one more week."""
    history = (REPORTS / "canary/HBR.csv").read_text(encoding="utf-8")
    days = [dt.date(2026, 2, 6) + dt.timedelta(weeks=week) for week in range(number + 1)]
    content = history + "".join(NAV.format(day=day) for day in days)
    received = dt.datetime.combine(days[-1], dt.time(20), dt.UTC)
    world.add("canary", "HBR.csv", content.encode(), received)


def main(repeat: int = 5) -> None:
    """Print the table."""
    with project() as world:
        add_samples(world.warehouse)
        first = world.run("run")
        ran: list[Ran] = []
        for number in range(repeat + 1):
            if number == 0:
                for folder in list(world.root.rglob("__pycache__")):
                    shutil.rmtree(folder)
            one_more(world, number)
            ran.append(world.run("run"))
        idle = [world.run("run") for _ in range(repeat)]
    cold, *warm = ran
    table(
        f"One weekly run, whole process, medians of {repeat}",
        ("`fundflows run`", "seconds", "CPU s", "peak MiB", "goal"),
        [
            _row("the samples: 42 weeks of 3 sources", [first], ""),
            _row("one new week, cold", [cold], ""),
            _row("one new week, warm", warm, "2.6 s"),
            _row("nothing new", idle, ""),
        ],
    )


def _row(name: str, ran: list[Ran], goal: str) -> tuple[str, ...]:
    return (
        name,
        f"{statistics.median(each.seconds for each in ran):.2f}",
        f"{statistics.median(each.cpu for each in ran):.2f}",
        f"{max(each.peak_mib for each in ran):.0f}",
        goal,
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
