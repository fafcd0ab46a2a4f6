-- kind: view
-- The flow of a day is the printed one; else, on a day with a position, what positions make of it.
-- Few funds have days without a position; the one before such a day is looked up for them alone.
with with_gaps as (
    select distinct
        source,
        holder
    from core.fund_session
    where aum_local is null
),

last_positions as (
    select
        source,
        holder,
        trade_date,
        last_value(
            case
                when aum_local is null then null
                else {
                    'trade_date': trade_date,
                    'aum': aum_local,
                    'currency': currency,
                    'rate': usd_per_unit
                }
            end ignore nulls
        ) over (partition by source, holder order by trade_date) as before
    from core.fund_session
    semi join with_gaps using (source, holder)
    qualify aum_local is null
),

launched as (
    select distinct
        fund,
        effective_date
    from reference.corporate_action
    where kind = 'launch'
),

days as (
    select
        day.*,
        coalesce(position.aum_before_local, last_position.before.aum) as aum_before_local,
        coalesce(position.currency_before, last_position.before.currency) as currency_before,
        coalesce(position.usd_per_unit_before, last_position.before.rate) as usd_per_unit_before,
        position.printed_between_local,
        position.flow_by_shares_local,
        position.flow_by_assets_local,
        coalesce(position.is_closing, false) as is_closing,
        coalesce(transfer.transfer_local, 0) as transfer_local,
        coalesce(transfer.share_transfer_local, 0) as share_transfer,
        coalesce(position.from_date, last_position.before.trade_date) as from_date,
        launched.fund is not null or transfer.source is not null as is_new
    from core.fund_session as day
    left join core.fund_position as position
        on day.source = position.source
        and day.holder = position.holder
        and day.trade_date = position.trade_date
    left join last_positions as last_position
        on day.source = last_position.source
        and day.holder = last_position.holder
        and day.trade_date = last_position.trade_date
    left join core.fund_transfer as transfer
        on day.source = transfer.source
        and day.holder = transfer.holder
        and day.trade_date = transfer.trade_date
    left join launched
        on day.fund = launched.fund
        and day.trade_date >= launched.effective_date
        and day.trade_date < launched.effective_date + 7
),

chosen as (
    select
        *,
        case
            when printed_flow_local is not null then 'printed'
            when aum_local is null then null
            when from_date is null then case when is_new then 'launch' end
            when is_closing then 'closure'
            when flow_by_shares_local is not null then 'shares'
            when flow_by_assets_local is not null then 'assets'
        end as flow_method,
        coalesce(trade_date - from_date > 4, false) as is_weekly
    from days
),

-- Flows whose days are unknown are converted at the average of the fixings (E26).
averaged as (
    select
        chosen.source,
        chosen.holder,
        chosen.trade_date,
        cast(avg(fx.usd_per_unit) as decimal(18, 10)) as usd_per_unit_of_flow
    from chosen
    inner join core.fx_day as fx
        on chosen.currency = fx.currency
        and fx.basis = 'fixing'
        and chosen.from_date < fx.rate_date
        and chosen.trade_date >= fx.rate_date
    where
        chosen.is_weekly
        and chosen.currency <> 'USD'
        and chosen.printed_flow_local is null
    group by all
),

valued as (
    select
        chosen.*,
        case chosen.flow_method
            when 'printed' then chosen.printed_flow_local
            when 'launch'
                then
                    chosen.aum_local
                    - chosen.share_transfer
                    - coalesce(chosen.printed_between_local, 0)
            when 'closure' then -chosen.aum_before_local - chosen.printed_between_local
            when 'shares'
                then
                    chosen.flow_by_shares_local
                    - chosen.share_transfer
                    - chosen.printed_between_local
            when 'assets'
                then
                    chosen.flow_by_assets_local
                    - chosen.share_transfer
                    - chosen.printed_between_local
        end as flow,
        coalesce(averaged.usd_per_unit_of_flow, chosen.usd_per_unit) as usd_per_unit_of_flow
    from chosen
    left join averaged
        on chosen.source = averaged.source
        and chosen.holder = averaged.holder
        and chosen.trade_date = averaged.trade_date
)

select
    source,
    holder,
    fund,
    trade_date,
    week_ending,
    from_date,
    is_weekly,
    currency,
    usd_per_unit,
    fx_basis,
    aum_local,
    aum_before_local,
    currency_before,
    usd_per_unit_before,
    transfer_local,
    is_session,
    is_unrated,
    status,
    flow_method,
    usd_per_unit_of_flow,
    cast(round(
        case when currency = 'USD' then flow else flow * usd_per_unit_of_flow end, 2
    ) as decimal(18, 2))
        as net_flow_usd,
    cast(
        round(
            case
                when currency = 'USD' then flow_by_shares_local - flow_by_assets_local
                else (flow_by_shares_local - flow_by_assets_local) * usd_per_unit_of_flow
            end,
            2
        ) as decimal(18, 2)
    ) as flow_difference_usd,
    cast(
        round(
            case flow_method when 'printed' then printed_flow_half_unit_local * usd_per_unit end, 2
        ) as decimal(18, 2)
    ) as net_flow_half_unit_usd,
    case when aum_local is not null then aum_half_unit_local end as aum_half_unit_local,
    is_session and flow is null and (from_date is not null or aum_local is null) as is_flow_missing
from valued
