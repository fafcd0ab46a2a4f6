"""What the command queries in the published database: open refusals, and the latest week."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from pipelines.database.connection import reading


def refused_weeks(database: Path) -> list[tuple[str, dt.date, str]]:
    """Return the weeks whose newest report was refused: source, week and rules."""
    with reading(database) as connection:
        return connection.execute("from ops.open_refusal order by all").fetchall()


def stale_sources(database: Path) -> list[str]:
    """Return what is served as it was before: source, report if it is one, and why."""
    with reading(database) as connection:
        rows = connection.execute(
            "select source, name, reason from ops.stale order by all"
        ).fetchall()
    return [f"{source}: {f'{name}: ' if name else ''}{reason}" for source, name, reason in rows]


def latest_aum_change(database: Path, dimension: str) -> list[dict[str, object]]:
    """Return the AUM change of every source's latest week, one row per member."""
    with reading(database) as connection:
        rows = connection.execute(
            "from mart.latest_aum_change where dimension = ? "
            "order by source, abs(net_flow_usd) desc nulls last, member_name",
            [dimension],
        )
        names = [column[0] for column in rows.description or []]
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
