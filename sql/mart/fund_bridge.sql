with paid as (
    select
        day.source,
        day.label,
        day.week_ending,
        coalesce(issuer.issuer, 'unmapped') as issuer,
        action.per_share
        * coalesce(day.shares_outstanding, day.aum_local / day.nav_local)
        * day.usd_per_unit as amount_usd
    from reference.corporate_action as action
    inner join core.fund_day as day
        on action.fund = day.fund
        and day.trade_date between action.effective_date and action.effective_date + 6
    left join reference.fund_issuer as issuer
        on day.fund = issuer.fund
        and ops.is_valid(day.trade_date, issuer.valid_from, issuer.valid_to)
    where
        action.kind = 'distribution'
        and (day.shares_outstanding is not null or day.aum_local / day.nav_local is not null)
    -- The first day on or after the ex-date: an ex-date may be a day without a report.
    qualify
        row_number() over (
            partition by day.source, day.label, action.effective_date
            order by day.trade_date
        ) = 1
),

distributed as (
    select
        source,
        label,
        week_ending,
        issuer,
        sum(amount_usd) as distributed_usd
    from paid
    group by all
)

select
    week.source,
    week.week_ending,
    week.fund,
    week.label,
    week.issuer,
    coalesce(fund.fund_name, week.label) as fund_name,
    week.aum_open_usd,
    week.bridge_flow_usd as net_flow_usd,
    week.market_effect_usd,
    week.fx_effect_usd,
    week.corporate_action_usd,
    week.universe_effect_usd,
    week.aum_close_usd,
    -- The underlying lens: a coin is priced in dollars, so an unhedged class has no FX (E28).
    case
        when fund.underlying_currency = 'USD' and not fund.is_hedged
            then week.market_effect_usd + week.fx_effect_usd
        else week.market_effect_usd
    end as underlying_market_effect_usd,
    case
        when fund.underlying_currency = 'USD' and not fund.is_hedged then 0 * week.market_effect_usd
        else week.fx_effect_usd
    end as underlying_fx_effect_usd,
    week.seed_flow_usd,
    week.structural_flow_usd,
    cast(round(coalesce(distributed.distributed_usd, 0), 2) as decimal(18, 2))
        as distributed_usd,
    week.flow_method,
    week.sampling,
    week.status
from core.fund_week as week
left join reference.fund
    on week.fund = fund.fund
left join distributed
    on week.source = distributed.source
    and week.label = distributed.label
    and week.week_ending = distributed.week_ending
    and week.issuer = distributed.issuer
where week.aum_open_usd is not null and week.aum_close_usd is not null
