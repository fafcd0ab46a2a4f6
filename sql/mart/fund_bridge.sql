with paid as (
    select
        day.source,
        day.holder,
        day.week_ending,
        coalesce(span.valid_from, date '1900-01-01') as members_since,
        action.per_share
        * coalesce(day.shares_outstanding, day.aum_local / day.nav_local)
        * day.usd_per_unit as amount_usd
    from reference.corporate_action as action
    inner join core.fund_day as day
        on action.fund = day.fund
        and day.trade_date between action.effective_date and action.effective_date + 6
    left join core.membership as span
        on day.fund = span.fund and day.trade_date between span.valid_from and span.valid_to
    where
        action.kind = 'distribution'
        and (day.shares_outstanding is not null or day.aum_local / day.nav_local is not null)
    -- The first day on or after the ex-date: an ex-date may be a day without a report.
    qualify
        row_number() over (
            partition by day.source, day.holder, action.effective_date
            order by day.trade_date
        ) = 1
),

distributed as (
    select
        source,
        holder,
        week_ending,
        members_since,
        sum(amount_usd) as distributed_usd
    from paid
    group by all
),

-- A week may have several spans of one issuer: its sponsor or country changed within it.
summed as (
    select
        week.source,
        week.week_ending,
        week.holder,
        any_value(week.label) as label,
        any_value(week.fund) as fund,
        coalesce(span.issuer, 'unmapped') as issuer,
        max(week.members_since) as members_since,
        sum(week.aum_open_usd) as aum_open_usd,
        sum(week.bridge_flow_usd) as net_flow_usd,
        case when bool_and(week.market_effect_usd is not null) then sum(week.market_effect_usd) end
            as market_effect_usd,
        sum(week.fx_effect_usd) as fx_effect_usd,
        sum(week.corporate_action_usd) as corporate_action_usd,
        sum(week.universe_effect_usd) as universe_effect_usd,
        sum(week.aum_close_usd) as aum_close_usd,
        ops.bound_of(week.bridge_flow_usd, week.net_flow_half_unit_usd) as net_flow_half_unit_usd,
        sum(week.aum_half_unit_usd) as aum_half_unit_usd,
        sum(week.seed_flow_usd) as seed_flow_usd,
        sum(week.structural_flow_usd) as structural_flow_usd,
        sum(distributed.distributed_usd) as distributed_usd,
        case when count(distinct week.flow_method) > 1 then 'mixed' else max(week.flow_method) end
            as flow_method,
        max(week.sampling) as sampling,
        case
            when bool_or(week.status = 'preliminary') then 'preliminary'
            when bool_or(week.status = 'partial') then 'partial'
            else 'final'
        end as status,
        ops.first_reason(case when week.market_effect_usd is null then week.null_reason end)
            as null_reason
    from core.fund_week as week
    left join core.membership as span
        on week.fund = span.fund
        and week.members_since = span.valid_from
    left join distributed
        on week.source = distributed.source
        and week.holder = distributed.holder
        and week.week_ending = distributed.week_ending
        and week.members_since = distributed.members_since
    where week.is_entered
    group by week.source, week.week_ending, week.holder, coalesce(span.issuer, 'unmapped')
)

select
    week.source,
    week.week_ending,
    week.fund,
    week.label,
    week.issuer,
    coalesce(fund.fund_name, week.label) as fund_name,
    cast(week.aum_open_usd as decimal(18, 2)) as aum_open_usd,
    cast(week.net_flow_usd as decimal(18, 2)) as net_flow_usd,
    cast(week.market_effect_usd as decimal(18, 2)) as market_effect_usd,
    cast(week.fx_effect_usd as decimal(18, 2)) as fx_effect_usd,
    cast(week.corporate_action_usd as decimal(18, 2)) as corporate_action_usd,
    cast(week.universe_effect_usd as decimal(18, 2)) as universe_effect_usd,
    cast(week.aum_close_usd as decimal(18, 2)) as aum_close_usd,
    cast(week.net_flow_half_unit_usd as decimal(18, 2)) as net_flow_half_unit_usd,
    cast(week.aum_half_unit_usd as decimal(18, 2)) as aum_half_unit_usd,
    -- The underlying lens: a coin is priced in dollars, so an unhedged class has no FX (E28).
    cast(
        case
            when fund.is_dollar_priced then week.market_effect_usd + week.fx_effect_usd
            else week.market_effect_usd
        end as decimal(18, 2)
    ) as underlying_market_effect_usd,
    cast(
        case
            when fund.is_dollar_priced then 0 * week.market_effect_usd
            else week.fx_effect_usd
        end as decimal(18, 2)
    ) as underlying_fx_effect_usd,
    cast(week.seed_flow_usd as decimal(18, 2)) as seed_flow_usd,
    cast(week.structural_flow_usd as decimal(18, 2)) as structural_flow_usd,
    cast(round(coalesce(week.distributed_usd, 0), 2) as decimal(18, 2)) as distributed_usd,
    week.flow_method,
    week.sampling,
    week.status,
    week.null_reason
from summed as week
left join core.membership as fund
    on week.fund = fund.fund
    and week.members_since = fund.valid_from
