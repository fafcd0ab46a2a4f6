-- Days beside a printed week are some of its days, not all (E115).
with stated as (
    select distinct
        source,
        case when member = 'unmapped' then label else member end as holder,
        week_ending
    from core.printed_usd
    where dimension = 'fund' and measure = 'net_flow' and period = 'week'
),

identified as (
    select
        step.source,
        step.holder,
        step.trade_date,
        step.week_ending,
        step.net_flow_usd,
        step.net_flow_half_unit_usd,
        coalesce(span.valid_from, date '1900-01-01') as members_since
    from core.fund_step as step
    left join core.membership as span
        on step.fund = span.fund
        and step.trade_date between span.valid_from and span.valid_to
    anti join stated
        on step.source = stated.source
        and step.holder = stated.holder
        and step.week_ending = stated.week_ending
    where step.net_flow_usd is not null
),

-- A week knows its members by the day.
summed as (
    select
        day.source,
        day.trade_date,
        member.dimension,
        member.member,
        sum(round(cast(day.net_flow_usd as decimal(28, 2)) * member.share_counted, 2))
            as net_flow_usd,
        case
            when count(*) = count(day.net_flow_half_unit_usd)
                then
                    sum(
                        round(
                            cast(day.net_flow_half_unit_usd as decimal(28, 2))
                            * member.share_counted, 2
                        )
                    )
        end as half_unit_usd
    from identified as day
    inner join core.fund_week_member as member
        using (source, holder, week_ending, members_since)
    group by all
),

-- A printed total is the total of its day, whether or not a fund has a flow on it.
printed_totals as (
    select
        printed.source,
        printed.period_end as trade_date,
        'total' as dimension,
        sum(printed.value_usd) as net_flow_usd,
        sum(printed.half_unit_usd) as half_unit_usd
    from core.printed_usd as printed
    anti join core.member_day as member
        on printed.source = member.source
        and printed.period_end = member.trade_date
        and member.dimension = 'total'
    where
        printed.dimension = 'total'
        and printed.measure = 'net_flow'
        and printed.period = 'day'
        and printed.value_usd is not null
        and not (printed.value_usd = 0 and printed.status = 'preliminary')
    group by all
)

select
    coalesce(summed.source, printed.source) as source,
    coalesce(summed.trade_date, printed.trade_date) as trade_date,
    coalesce(summed.dimension, printed.dimension) as dimension,
    coalesce(summed.member, 'total') as member,
    cast(coalesce(printed.net_flow_usd, summed.net_flow_usd) as decimal(18, 2)) as net_flow_usd,
    cast(
        case when printed.source is null then summed.half_unit_usd else printed.half_unit_usd end
        as decimal(18, 2)
    ) as net_flow_half_unit_usd
from summed
full join printed_totals as printed
    on summed.source = printed.source
    and summed.trade_date = printed.trade_date
    and summed.dimension = printed.dimension
union all
select
    source,
    trade_date,
    dimension,
    member,
    sum(net_flow_usd) as net_flow_usd,
    sum(net_flow_half_unit_usd) as net_flow_half_unit_usd
from core.member_day
where net_flow_usd is not null
group by all
