with identified as (
    select
        step.source,
        step.trade_date,
        step.net_flow_usd,
        step.fund,
        coalesce(fund.asset, 'unmapped') as asset,
        coalesce(fund_issuer.issuer, 'unmapped') as issuer,
        coalesce(issuer_today.issuer, 'unmapped') as issuer_as_is,
        coalesce(
            if(source.country_basis = 'domicile', fund.domicile, fund.listing_country), 'unmapped'
        ) as country,
        'total' as total,
        member.share_counted as world_share
    from core.fund_step as step
    inner join core.source
        on step.source = source.source
    left join reference.fund
        on step.fund = fund.fund
    left join reference.fund_issuer
        on step.fund = fund_issuer.fund
        and step.trade_date >= fund_issuer.valid_from
        and step.trade_date <= coalesce(fund_issuer.valid_to, date '9999-12-31')
    left join reference.fund_issuer as issuer_today
        on step.fund = issuer_today.fund
        and issuer_today.valid_to is null
    left join core.fund_week_member as member
        on step.source = member.source
        and step.label = member.label
        and step.week_ending = member.week_ending
        and coalesce(fund_issuer.issuer, 'unmapped') = member.issuer
        and member.dimension = 'total'
    where step.net_flow_usd is not null
),

melted as (
    select
        source,
        trade_date,
        dimension,
        member,
        if(
            dimension in ('fund', 'country'),
            net_flow_usd,
            round(cast(net_flow_usd as decimal(28, 2)) * coalesce(world_share, 1), 2)
        ) as net_flow_usd
    from identified
    unpivot (member for dimension in (fund, asset, issuer, issuer_as_is, country, total))
),

summed as (
    select
        source,
        trade_date,
        dimension,
        member,
        sum(net_flow_usd) as net_flow_usd
    from melted
    group by all
),

printed_totals as (
    select
        source,
        period_end as trade_date,
        sum(value) as net_flow_usd
    from core.observation
    where
        dimension = 'total'
        and measure = 'net_flow'
        and period = 'day'
        and value is not null
        and not (value = 0 and status = 'preliminary')
    group by all
)

select
    summed.source,
    summed.trade_date,
    summed.dimension,
    summed.member,
    cast(
        if(
            summed.dimension = 'total', coalesce(printed.net_flow_usd, summed.net_flow_usd),
            summed.net_flow_usd
        ) as decimal(18, 2
        )
    ) as net_flow_usd
from summed
left join printed_totals as printed
    on summed.source = printed.source
    and summed.trade_date = printed.trade_date
