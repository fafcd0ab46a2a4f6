-- Days beside a printed week are some of its days, not all (E115).
with stated as (
    select distinct
        source,
        label,
        week_ending
    from core.printed_usd
    where dimension = 'fund' and measure = 'net_flow' and period = 'week'
),

identified as (
    select
        step.source,
        step.label,
        step.trade_date,
        step.week_ending,
        step.net_flow_usd,
        coalesce(fund_issuer.issuer, 'unmapped') as issuer
    from core.fund_step as step
    left join reference.fund_issuer
        on step.fund = fund_issuer.fund
        and ops.is_valid(step.trade_date, fund_issuer.valid_from, fund_issuer.valid_to)
    anti join stated
        on step.source = stated.source
        and step.label = stated.label
        and step.week_ending = stated.week_ending
    where step.net_flow_usd is not null
),

-- A week knows its members by the issuer of the day.
summed as (
    select
        day.source,
        day.trade_date,
        member.dimension,
        member.member,
        sum(round(cast(day.net_flow_usd as decimal(28, 2)) * member.share_counted, 2))
            as net_flow_usd
    from identified as day
    inner join core.fund_week_member as member
        using (source, label, week_ending, issuer)
    inner join core.dimension
        on member.dimension = dimension.dimension
        and dimension.is_daily
    group by all
),

printed_totals as (
    select
        source,
        period_end as trade_date,
        sum(value_usd) as net_flow_usd
    from core.printed_usd
    where
        dimension = 'total'
        and measure = 'net_flow'
        and period = 'day'
        and value_usd is not null
        and not (value_usd = 0 and status = 'preliminary')
    group by all
)

select
    summed.source,
    summed.trade_date,
    summed.dimension,
    summed.member,
    cast(
        case
            when summed.dimension = 'total' then coalesce(printed.net_flow_usd, summed.net_flow_usd)
            else summed.net_flow_usd
        end as decimal(18, 2
        )
    ) as net_flow_usd
from summed
left join printed_totals as printed
    on summed.source = printed.source
    and summed.trade_date = printed.trade_date
union all
select
    source,
    trade_date,
    dimension,
    member,
    sum(net_flow_usd) as net_flow_usd
from core.member_day
where net_flow_usd is not null
group by all
