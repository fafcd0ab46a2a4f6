"""`fundflows run` on a whole archive: 520 weeks of 10 sources, read, checked, built, published.

    python -m benchmarks.archive [WEEKS]

Four sources bring a workbook per week, three a page of days, three a NAV history per fund: 2,080
workbooks and 18 histories, 5,200 weeks of a source.
"""

from __future__ import annotations

import sys

from benchmarks.world import FIRST, table, weeks_from, world

SOURCES = {
    **{f"weekly_{number}": "weekly" for number in range(4)},
    **{f"daily_{number}": "daily" for number in range(3)},
    **{f"nav_{number}": "nav" for number in range(3)},
}


def main(count: int = 520) -> None:
    """Print the table."""
    weeks = weeks_from(FIRST, count)
    with world(SOURCES) as project:
        for number, (source, family) in enumerate(SOURCES.items()):
            project.add_weeks(source, family, weeks, number)
        first = project.run("run")
        again = project.run("run")
    table(
        f"An archive of {count} weeks and {len(SOURCES)} sources",
        ("whole process", "seconds", "CPU s", "peak MiB", "goal"),
        [
            ("first run", f"{first.seconds:.1f}", f"{first.cpu:.1f}", f"{first.peak_mib:.0f}",
             "60 s, 1024 MiB"),
            ("second run, nothing new", f"{again.seconds:.2f}", f"{again.cpu:.2f}",
             f"{again.peak_mib:.0f}", ""),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
