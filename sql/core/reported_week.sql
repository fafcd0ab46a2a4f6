with weekly as (
    select
        source,
        week_ending
    from core.observation
    where period = 'week'
    group by all
)

select
    observation.source,
    observation.week_ending,
    observation.dimension,
    observation.label,
    observation.member,
    -- A total printed in several tables: the one with the most digits, then the first by name.
    cast(
        arg_min(value, row(half_unit, printed_table)) filter (
            where measure = 'net_flow' and period = 'week'
        ) as decimal(18, 2)
    ) as net_flow_usd,
    cast(
        min(half_unit) filter (where measure = 'net_flow' and period = 'week' and value is not null)
        as decimal(18, 2)
    ) as net_flow_half_unit_usd,
    cast(
        arg_min(value, row(half_unit, printed_table)) filter (
            where measure = 'net_flow' and period = 'mtd'
        ) as decimal(18, 2)
    ) as mtd_net_flow_usd,
    cast(
        arg_min(value, row(half_unit, printed_table)) filter (
            where measure = 'net_flow' and period = 'ytd'
        ) as decimal(18, 2)
    ) as ytd_net_flow_usd,
    cast(
        arg_min(value, row(half_unit, printed_table, period)) filter (where measure = 'aum')
        as decimal(18, 2)
    ) as aum_usd,
    cast(
        min(half_unit) filter (where measure = 'aum' and value is not null) as decimal(18, 2)
    ) as aum_half_unit_usd,
    if(bool_or(observation.status = 'preliminary'), 'preliminary', 'final') as status
from core.observation
inner join weekly
    on observation.source = weekly.source
    and observation.week_ending = weekly.week_ending
where observation.dimension not in ('check', 'currency')
group by all
