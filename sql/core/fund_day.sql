-- Of two tables that print a number, the one with more digits (E116).
with numbers as (
    select
        *,
        row(half_unit, printed_table) as digits
    from core.observation
    where dimension = 'fund' and period in ('day', 'close') and measure <> 'seed'
),

printed as (
    select
        observation.source,
        observation.label,
        observation.member as fund,
        observation.period_end as trade_date,
        observation.week_ending,
        max(observation.currency) as currency,
        -- A zero in a row that is still being filled says nothing yet (E07, E37).
        arg_min(value, digits) filter (
            where measure = 'net_flow' and not (value = 0 and observation.status = 'preliminary')
        ) as flow,
        arg_min(half_unit, digits) filter (
            where measure = 'net_flow' and value is not null
            and not (value = 0 and observation.status = 'preliminary')
        ) as flow_half_unit,
        arg_min(value, digits) filter (where measure = 'aum') as aum,
        arg_min(half_unit, digits) filter (where measure = 'aum' and value is not null)
            as aum_half_unit,
        arg_min(value, digits) filter (
            where measure = case
                when source.price_basis = 'market' then 'market_price'
                else 'nav'
            end
        ) as nav,
        arg_min(value, digits) filter (where measure = 'shares_outstanding') as shares,
        arg_min(value, digits) filter (where measure = 'coins_held') as coins,
        arg_min(value, digits) filter (where measure = 'coins_earned') as coins_earned,
        bool_or(observation.status = 'preliminary') as is_preliminary,
        coalesce(bool_or(null_reason = 'refused' and measure <> 'market_price'), false)
            as is_refused
    from numbers as observation
    inner join core.source using (source)
    group by all
),

-- The dashes that a page prints before a fund is listed are not missing flows (E07).
listed as (
    select *
    from printed
    qualify
        trade_date
        >= min(
            case when coalesce(flow, aum, nav, shares, coins) is null then null else trade_date end
        )
            over (partition by source, fund, label)
),

-- A fund that a source prints under several labels counts once a day, by one of them (E19), and a
-- label that passes from one fund to another is two funds (E94).
once as (
    select
        * exclude (label),
        case when fund = 'unmapped' then label else fund end as holder,
        case
            when fund = 'unmapped' then label
            else min(label) over (partition by source, fund)
        end as label
    from listed
    qualify
        fund = 'unmapped'
        or row_number() over (
            partition by source, fund, trade_date
            order by coalesce(flow, aum, nav, shares) is null, label
        ) = 1
),

-- A history that the publisher has restated in today's shares must not be split again.
splits as (
    select
        once.source,
        once.holder,
        action.effective_date,
        action.shares_new,
        action.shares_old,
        greatest(shares_new, shares_old) >= 1.5 * least(shares_new, shares_old) as is_large,
        arg_max(once.nav, once.trade_date) filter (
            where once.trade_date < action.effective_date - 3
        ) as nav_before,
        arg_max(once.shares, once.trade_date) filter (
            where once.trade_date < action.effective_date - 3
        ) as shares_before
    from once
    inner join core.source
        on once.source = source.source
        and not source.is_split_adjusted
    inner join reference.corporate_action as action
        on once.fund = action.fund
        and action.kind = 'split'
    group by all
),

-- Vendors move NAV and shares to the new basis on different days around a split (E11): each is on
-- the basis that it is nearer to, and a day on which they differ is held back.
based as (
    select
        once.source,
        once.holder,
        once.trade_date,
        splits.shares_new,
        splits.shares_old,
        case
            when once.trade_date < splits.effective_date - 3 then false
            when once.trade_date > splits.effective_date + 3 then true
            when splits.is_large and splits.nav_before > 0 and once.nav > 0
                then
                    abs(ln(once.nav * shares_new / (splits.nav_before * shares_old)))
                    < abs(ln(once.nav / splits.nav_before))
            else once.trade_date >= splits.effective_date
        end as is_nav_split,
        case
            when abs(once.trade_date - splits.effective_date) > 3 or not splits.is_large then null
            when splits.shares_before > 0 and once.shares > 0
                then
                    abs(ln(once.shares * shares_old / (splits.shares_before * shares_new)))
                    < abs(ln(once.shares / splits.shares_before))
        end as is_shares_split
    from once
    inner join splits
        using (source, holder)
),

split as (
    select
        source,
        holder,
        trade_date,
        cast(product(case when is_nav_split then shares_new else 1 end) as bigint) as split_new,
        cast(product(case when is_nav_split then shares_old else 1 end) as bigint) as split_old,
        coalesce(bool_or(is_shares_split <> is_nav_split), false) as is_held
    from based
    group by all
)

select
    once.source,
    once.holder,
    once.label,
    once.fund,
    once.trade_date,
    once.week_ending,
    coalesce(once.currency, 'USD') as currency,
    once.flow as printed_flow_local,
    once.flow_half_unit as printed_flow_half_unit_local,
    coalesce(
        once.aum,
        cast(once.shares as decimal(24, 6)) * cast(once.nav as decimal(18, 10))
    ) as aum_local,
    once.aum_half_unit as aum_half_unit_local,
    once.nav as nav_local,
    once.shares as shares_outstanding,
    once.coins as coins_held,
    once.coins_earned,
    coalesce(split.split_new, 1) as split_new,
    coalesce(split.split_old, 1) as split_old,
    coalesce(split.is_held, false) as is_held,
    once.is_refused,
    case
        when coalesce(once.currency, 'USD') = 'USD' then 1
        else fx.usd_per_unit
    end as usd_per_unit,
    case when coalesce(once.currency, 'USD') = 'USD' then 'usd' else fx.basis end as fx_basis,
    case when once.is_preliminary then 'preliminary' else 'final' end as status
from once
left join split using (source, holder, trade_date)
left join core.fx_day as fx
    on once.currency = fx.currency and once.trade_date = fx.rate_date
