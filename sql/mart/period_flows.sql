with weekly as (
    select
        flows.source,
        flows.week_ending,
        flows.dimension,
        flows.member,
        flows.member_name,
        flows.net_flow_usd,
        flows.status
    from mart.flows
    inner join core.dimension
        on flows.dimension = dimension.dimension
        and dimension.is_daily
),

-- Days, and a row without flow at the end of every week, at which the sums are read.
dated as (
    select
        source,
        dimension,
        member,
        trade_date as day,
        net_flow_usd,
        false as is_week_end
    from core.flow_day
    union all
    select
        source,
        dimension,
        member,
        week_ending as day,
        null as net_flow_usd,
        true as is_week_end
    from weekly
),

cumulated as (
    select
        source,
        dimension,
        member,
        day,
        is_week_end,
        sum(net_flow_usd) over (
            partition by source, dimension, member, date_trunc('month', day) order by day
        ) as mtd,
        sum(net_flow_usd) over (
            partition by source, dimension, member, date_trunc('quarter', day) order by day
        ) as qtd,
        sum(net_flow_usd) over (
            partition by source, dimension, member, date_trunc('year', day) order by day
        ) as ytd,
        sum(net_flow_usd) over (partition by source, dimension, member order by day) as inception
    from dated
),

rolled as (
    select
        *,
        sum(net_flow_usd) over (
            partition by source, dimension, member
            order by week_ending
            range between interval 21 days preceding and current row
        ) as rolling_4w,
        sum(net_flow_usd) over (
            partition by source, dimension, member
            order by week_ending
            range between interval 84 days preceding and current row
        ) as rolling_13w,
        sum(net_flow_usd) over (
            partition by source, dimension, member
            order by week_ending
            range between interval 357 days preceding and current row
        ) as rolling_52w
    from weekly
),

printed as (
    select
        source,
        week_ending,
        dimension,
        member,
        sum(mtd_net_flow_usd) as mtd,
        sum(ytd_net_flow_usd) as ytd
    from core.reported_week
    group by all
)

select
    rolled.source,
    rolled.week_ending,
    rolled.dimension,
    rolled.member,
    rolled.member_name,
    rolled.net_flow_usd,
    -- Where days are unknown, calendar periods are the source's own or none (E34, E78).
    cast(cumulated.mtd as decimal(18, 2)) as mtd_net_flow_usd,
    cast(cumulated.qtd as decimal(18, 2)) as qtd_net_flow_usd,
    cast(cumulated.ytd as decimal(18, 2)) as ytd_net_flow_usd,
    cast(cumulated.inception as decimal(18, 2)) as since_inception_net_flow_usd,
    cast(rolled.rolling_4w as decimal(18, 2)) as rolling_4w_net_flow_usd,
    cast(rolled.rolling_13w as decimal(18, 2)) as rolling_13w_net_flow_usd,
    cast(rolled.rolling_52w as decimal(18, 2)) as rolling_52w_net_flow_usd,
    cast(printed.mtd as decimal(18, 2)) as printed_mtd_net_flow_usd,
    cast(printed.ytd as decimal(18, 2)) as printed_ytd_net_flow_usd,
    rolled.status
from rolled
inner join cumulated
    on rolled.source = cumulated.source
    and rolled.dimension = cumulated.dimension
    and rolled.member = cumulated.member
    and rolled.week_ending = cumulated.day
    and cumulated.is_week_end
left join printed
    on rolled.source = printed.source
    and rolled.week_ending = printed.week_ending
    and rolled.dimension = printed.dimension
    and rolled.member = printed.member
