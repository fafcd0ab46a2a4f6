with stated as (
    select
        source,
        week_ending,
        case when member = 'unmapped' then label else member end as holder,
        min(label) as label,
        any_value(member) as fund,
        max(period_end) as last_day,
        arg_min(value_usd, row(half_unit_usd, printed_table, label)) as net_flow_usd,
        min(half_unit_usd) filter (where value_usd is not null) as net_flow_half_unit_usd,
        bool_or(status = 'preliminary') as is_preliminary
    from core.printed_usd
    where dimension = 'fund' and measure = 'net_flow' and period = 'week'
    group by source, week_ending, holder
),

-- The printed week is the week, whatever days stand beside it (E115).
weeks as (
    select
        stated.net_flow_usd as stated_flow_usd,
        stated.net_flow_half_unit_usd as stated_half_unit_usd,
        stated.holder is not null as is_stated,
        stated.is_preliminary,
        coalesce(day.source, stated.source) as source,
        coalesce(day.holder, stated.holder) as holder,
        coalesce(day.label, stated.label) as label,
        coalesce(day.fund, stated.fund) as fund,
        coalesce(day.week_ending, stated.week_ending) as week_ending,
        coalesce(day.members_since, span.valid_from, date '1900-01-01') as members_since,
        coalesce(
            day.members_since = max(day.members_since) over (
                partition by day.source, day.holder, day.week_ending
            ), true
        ) as has_the_flow,
        day.* exclude (source, holder, label, fund, week_ending, members_since)
    from core.fund_week_of_days as day
    full join stated
        on day.source = stated.source
        and day.week_ending = stated.week_ending
        and day.holder = stated.holder
    left join core.membership as span
        on stated.fund = span.fund
        and stated.last_day between span.valid_from and span.valid_to
),

flowing as (
    select
        *,
        case when has_the_flow then stated_flow_usd else 0 * stated_flow_usd end as flow_usd,
        case when has_the_flow then stated_half_unit_usd else 0 * stated_half_unit_usd end
            as half_unit_usd,
        aum_close_usd - aum_open_usd - coalesce(corporate_action_usd, 0) as moved_usd,
        -- What enters brings its AUM along, less what flowed into it.
        aum_open_usd = 0 and universe_effect_usd <> 0 as is_entering
    from weeks
),

entered as (
    select
        *,
        case
            when is_entering and flow_usd is not null then moved_usd - flow_usd
            else universe_effect_usd
        end
            as entered_usd
    from flowing
)

select
    source,
    holder,
    label,
    fund,
    week_ending,
    members_since,
    aum_open_usd,
    case when is_stated then flow_usd else net_flow_usd end as net_flow_usd,
    cast(case when is_stated then half_unit_usd else net_flow_half_unit_usd end as decimal(18, 2))
        as net_flow_half_unit_usd,
    case when is_stated then 0 else seed_flow_usd end as seed_flow_usd,
    coalesce(structural_flow_usd, 0) as structural_flow_usd,
    case when is_stated then flow_usd else bridge_flow_usd end as bridge_flow_usd,
    case
        when is_stated
            then moved_usd - flow_usd - coalesce(fx_effect_usd, 0) - coalesce(entered_usd, 0)
        else market_effect_usd
    end as market_effect_usd,
    fx_effect_usd,
    corporate_action_usd,
    case when is_stated then entered_usd else universe_effect_usd end as universe_effect_usd,
    aum_close_usd,
    aum_half_unit_usd,
    case when is_stated then 'printed' else flow_method end as flow_method,
    coalesce(sampling, 'weekly') as sampling,
    case when is_stated then 1 else days end as days,
    case
        when is_stated then case when flow_usd is null then 1 else 0 end
        else days_without_flow
    end as days_without_flow,
    case
        when not is_stated then status
        when is_preliminary then 'preliminary'
        when flow_usd is null then 'partial'
        else 'final'
    end as status,
    coalesce(is_entered, false) as is_entered,
    case
        when not is_stated then null_reason
        when flow_usd is null then 'flow unknown'
        when moved_usd is null then 'no position'
    end as null_reason
from entered
