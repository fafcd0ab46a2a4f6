-- Where earlier weeks have not been read, nobody knows whether a fund enters (E107).
with unread as (
    select
        source,
        min(week_ending) as first_week
    from core.unread_week
    group by source
),

days as (
    select
        flow.*,
        flow.from_date is null as is_entering,
        flow.from_date is null
        and coalesce(flow.flow_method <> 'launch', true)
        and coalesce(unread.first_week < flow.week_ending, false) as is_opening_unknown
    from core.fund_flow as flow
    left join unread
        on flow.source = unread.source
),

-- Flows of days without AUM belong to the step that ends on the next day that has it. Most funds
-- have no such day, and each of their days is a step.
without_aum as (
    select distinct
        source,
        holder
    from days
    where aum_local is null
),

numbered as (
    select
        days.source,
        days.holder,
        days.trade_date,
        days.week_ending,
        days.net_flow_usd,
        days.is_flow_missing,
        count(days.aum_local) over (
            partition by days.source, days.holder
            order by days.trade_date desc
            rows between unbounded preceding and current row
        ) as step_number
    from days
    inner join without_aum
        on days.source = without_aum.source
        and days.holder = without_aum.holder
),

grouped as (
    select
        source,
        holder,
        trade_date,
        sum(net_flow_usd) over by_step as step_flow_usd,
        sum(net_flow_usd) over (
            partition by source, holder, step_number, week_ending
        ) as week_flow_usd,
        count(*) filter (where is_flow_missing) over by_step as missing_flows
    from numbered
    window by_step as (partition by source, holder, step_number)
),

-- A fund that enters brings its AUM with it; flows of the weeks before are not of this step.
summed as (
    select
        days.*,
        case
            when grouped.trade_date is null then days.net_flow_usd
            when days.is_entering and days.aum_local is not null then grouped.week_flow_usd
            else grouped.step_flow_usd
        end as step_flow_usd,
        case
            when
                grouped.trade_date is null or (days.is_entering and days.aum_local is not null)
                then cast(days.is_flow_missing as bigint)
            else grouped.missing_flows
        end as missing_flows
    from days
    left join grouped
        on days.source = grouped.source
        and days.holder = grouped.holder
        and days.trade_date = grouped.trade_date
),

valued as (
    select
        *,
        cast(round(
            case when currency = 'USD' then aum_local else aum_local * usd_per_unit end, 2
        ) as decimal(18, 2))
            as close_usd,
        case
            when is_opening_unknown then null
            when is_entering then 0
            when currency_before = 'USD' then cast(round(aum_before_local, 2) as decimal(18, 2))
            else cast(round(aum_before_local * usd_per_unit_before, 2) as decimal(18, 2))
        end as open_usd,
        cast(round(transfer_local * usd_per_unit, 2) as decimal(18, 2)) as transfer_usd,
        -- X = A0 (e1 - e0) + (F + M + C) (e1 - e_flow), in one currency only (F4, E27, E29).
        case
            when is_entering or currency = 'USD' or currency_before <> currency then 0
            else cast(
                round(
                    aum_before_local * (usd_per_unit - usd_per_unit_before)
                    + (aum_local - aum_before_local) * (usd_per_unit - usd_per_unit_of_flow),
                    2
                ) as decimal(18, 2)
            )
        end as fx_usd
    from summed
)

select
    source,
    holder,
    fund,
    trade_date,
    week_ending,
    from_date,
    case when is_weekly then 'weekly' else 'daily' end as sampling,
    flow_method,
    fx_basis,
    net_flow_usd,
    net_flow_half_unit_usd,
    case when flow_method = 'launch' then net_flow_usd else 0 end as seed_flow_usd,
    flow_difference_usd,
    open_usd as aum_open_usd,
    case when close_usd is not null then step_flow_usd end as step_flow_usd,
    fx_usd as fx_effect_usd,
    case when close_usd is not null then transfer_usd end as corporate_action_usd,
    case
        when close_usd is null or is_opening_unknown then null
        when is_entering then close_usd - coalesce(step_flow_usd, 0) - transfer_usd
        else 0
    end as universe_effect_usd,
    close_usd as aum_close_usd,
    cast(round(aum_half_unit_local * usd_per_unit, 2) as decimal(18, 2)) as aum_half_unit_usd,
    missing_flows = 0 and status = 'final' and not is_opening_unknown as is_flow_known,
    is_session,
    is_unrated,
    status
from valued
