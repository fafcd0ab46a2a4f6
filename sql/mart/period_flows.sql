with weekly as (
    select
        flows.source,
        flows.week_ending,
        flows.dimension,
        flows.member,
        flows.member_name,
        flows.net_flow_usd,
        flows.status
    from mart.flows as flows
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

-- No sum over a week that nobody has read yet is known (E107): from the day after it they are.
read_since as (
    select
        weeks.source,
        weeks.week_ending,
        max(unread.week_ending) + 1 as first_day
    from weekly as weeks
    inner join core.unread_week as unread
        on weeks.source = unread.source
        and weeks.week_ending > unread.week_ending
    group by all
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
    ops.if_known(cumulated.mtd, date_trunc('month', rolled.week_ending), read_since.first_day)
        as mtd_net_flow_usd,
    ops.if_known(cumulated.qtd, date_trunc('quarter', rolled.week_ending), read_since.first_day)
        as qtd_net_flow_usd,
    ops.if_known(cumulated.ytd, date_trunc('year', rolled.week_ending), read_since.first_day)
        as ytd_net_flow_usd,
    ops.if_known(cumulated.inception, date '0001-01-01', read_since.first_day)
        as since_inception_net_flow_usd,
    ops.if_known(rolled.rolling_4w, rolled.week_ending - 21, read_since.first_day)
        as rolling_4w_net_flow_usd,
    ops.if_known(rolled.rolling_13w, rolled.week_ending - 84, read_since.first_day)
        as rolling_13w_net_flow_usd,
    ops.if_known(rolled.rolling_52w, rolled.week_ending - 357, read_since.first_day)
        as rolling_52w_net_flow_usd,
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
left join read_since
    on rolled.source = read_since.source
    and rolled.week_ending = read_since.week_ending
