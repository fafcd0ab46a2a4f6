with weekly as (
    select
        source,
        week_ending
    from core.printed_usd
    where period = 'week'
    group by all
),

sessions as (
    select
        source,
        week_ending,
        count(distinct trade_date) as sessions,
        max(trade_date) as last_day
    from core.member_day
    group by all
),

newest as (
    select
        source,
        week_ending,
        sessions,
        max(last_day) over (partition by source) as last_day
    from sessions
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
    case when bool_or(status = 'preliminary') then 'preliminary' else 'final' end as status,
    'printed' as basis
from core.printed_usd as printed
inner join weekly
    on printed.source = weekly.source
    and printed.week_ending = weekly.week_ending
group by all
union all
select
    day.source,
    day.week_ending,
    day.dimension,
    day.label,
    day.member,
    sum(day.net_flow_usd) as net_flow_usd,
    sum(day.net_flow_half_unit_usd) as net_flow_half_unit_usd,
    null as mtd_net_flow_usd,
    null as ytd_net_flow_usd,
    arg_max(day.aum_usd, day.trade_date) as aum_usd,
    arg_max(day.aum_half_unit_usd, day.trade_date) as aum_half_unit_usd,
    case
        when bool_or(day.is_preliminary) or day.week_ending > any_value(newest.last_day)
            then 'preliminary'
        when not bool_and(day.is_complete) or count(*) < any_value(newest.sessions) then 'partial'
        else 'final'
    end as status,
    max(day.basis) as basis
from core.member_day as day
inner join newest
    on day.source = newest.source
    and day.week_ending = newest.week_ending
group by day.source, day.week_ending, day.dimension, day.label, day.member
