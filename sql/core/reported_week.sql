with weekly as (
    select
        source,
        week_ending
    from core.printed_usd
    where period = 'week'
    group by all
)

select
    printed.source,
    printed.week_ending,
    printed.dimension,
    printed.label,
    printed.member,
    -- A total printed in several tables: the one with the most digits, then the first by name.
    cast(
        arg_min(value_usd, row(half_unit_usd, printed_table)) filter (
            where measure = 'net_flow' and period = 'week'
        ) as decimal(18, 2)
    ) as net_flow_usd,
    cast(
        min(half_unit_usd) filter (
            where measure = 'net_flow' and period = 'week' and value_usd is not null
        ) as decimal(18, 2)
    ) as net_flow_half_unit_usd,
    cast(
        arg_min(value_usd, row(half_unit_usd, printed_table)) filter (
            where measure = 'net_flow' and period = 'mtd'
        ) as decimal(18, 2)
    ) as mtd_net_flow_usd,
    cast(
        arg_min(value_usd, row(half_unit_usd, printed_table)) filter (
            where measure = 'net_flow' and period = 'ytd'
        ) as decimal(18, 2)
    ) as ytd_net_flow_usd,
    cast(
        arg_min(value_usd, row(half_unit_usd, printed_table, period)) filter (where measure = 'aum')
        as decimal(18, 2)
    ) as aum_usd,
    cast(
        min(half_unit_usd) filter (where measure = 'aum' and value_usd is not null)
        as decimal(18, 2)
    ) as aum_half_unit_usd,
    if(bool_or(status = 'preliminary'), 'preliminary', 'final') as status
from core.printed_usd as printed
inner join weekly
    on printed.source = weekly.source
    and printed.week_ending = weekly.week_ending
group by all
