"""What the command queries in the published database: open refusals, and the latest week."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from pipelines.database.connection import reading

_STILL_REFUSED = """
with newest as (
    select source, week_ending, rule, outcome
    from ops.check_result
    qualify rank() over (partition by source, week_ending order by known_at desc, report_id) = 1
)
select source, week_ending, string_agg(rule, ', ' order by rule)
from newest
where outcome = 'fail'
group by all
order by all
"""
_LATEST = """
with latest as (
    select source, dimension, max(week_ending) as week_ending
    from mart.flows
    where net_flow_usd is not null and dimension = ?
    group by all
)
select
    flows.source,
    flows.week_ending,
    flows.member_name,
    aum_open_usd,
    flows.net_flow_usd,
    market_effect_usd,
    if(
        coalesce(fx_effect_usd, corporate_action_usd, universe_effect_usd) is null,
        null,
        coalesce(fx_effect_usd, 0) + coalesce(corporate_action_usd, 0)
        + coalesce(universe_effect_usd, 0)
    ) as other_usd,
    aum_close_usd,
    aum_change_pct,
    flows.status
from mart.flows
inner join latest using (source, dimension, week_ending)
left join mart.aum_change using (source, week_ending, dimension, member)
order by flows.source, abs(flows.net_flow_usd) desc nulls last
"""


def refused_weeks(database: Path) -> list[tuple[str, dt.date, str]]:
    """Return the weeks whose newest report was refused: source, week and rules."""
    with reading(database) as connection:
        return connection.execute(_STILL_REFUSED).fetchall()


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
        rows = connection.execute(_LATEST, [dimension])
        names = [column[0] for column in rows.description or []]
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
