with stated as (
    select
        source,
        week_ending,
        if(member = 'unmapped', label, member) as who,
        min(label) as label,
        any_value(member) as fund,
        max(period_end) as last_day,
        arg_min(value_usd, row(half_unit_usd, printed_table, label)) as net_flow_usd,
        bool_or(status = 'preliminary') as is_preliminary
    from core.printed_usd
    where dimension = 'fund' and measure = 'net_flow' and period = 'week'
    group by source, week_ending, who
),

-- The printed week is the week, whatever days stand beside it (E115).
weeks as (
    select
        stated.net_flow_usd as stated_flow_usd,
        stated.who is not null as is_stated,
        stated.is_preliminary,
        coalesce(day.source, stated.source) as source,
        coalesce(day.label, stated.label) as label,
        coalesce(day.fund, stated.fund) as fund,
        coalesce(day.week_ending, stated.week_ending) as week_ending,
        coalesce(day.issuer, own.issuer, 'unmapped') as issuer,
        coalesce(day.issuer = coalesce(own.issuer, 'unmapped'), true) as has_the_flow,
        day.* exclude (source, label, fund, week_ending, issuer)
    from core.fund_week_of_days as day
    full join stated
        on day.source = stated.source
        and day.week_ending = stated.week_ending
        and if(day.fund = 'unmapped', day.label, day.fund) = stated.who
    left join reference.fund_issuer as own
        on stated.fund = own.fund
        and ops.is_valid(stated.last_day, own.valid_from, own.valid_to)
),

flowing as (
    select
        *,
        if(has_the_flow, stated_flow_usd, 0 * stated_flow_usd) as flow_usd,
        aum_close_usd - aum_open_usd - coalesce(corporate_action_usd, 0) as moved_usd,
        -- What enters brings its AUM along, less what flowed into it.
        aum_open_usd = 0 and universe_effect_usd <> 0 as is_entering
    from weeks
),

entered as (
    select
        *,
        if(is_entering and flow_usd is not null, moved_usd - flow_usd, universe_effect_usd)
            as entered_usd
    from flowing
)

select
    source,
    label,
    fund,
    week_ending,
    issuer,
    aum_open_usd,
    if(is_stated, flow_usd, net_flow_usd) as net_flow_usd,
    if(is_stated, 0, seed_flow_usd) as seed_flow_usd,
    coalesce(structural_flow_usd, 0) as structural_flow_usd,
    if(is_stated, if(aum_close_usd is null, null, flow_usd), bridge_flow_usd) as bridge_flow_usd,
    if(
        is_stated,
        moved_usd - flow_usd - coalesce(fx_effect_usd, 0) - coalesce(entered_usd, 0),
        market_effect_usd
    ) as market_effect_usd,
    fx_effect_usd,
    corporate_action_usd,
    if(is_stated, entered_usd, universe_effect_usd) as universe_effect_usd,
    aum_close_usd,
    if(is_stated, 'printed', flow_method) as flow_method,
    coalesce(sampling, 'weekly') as sampling,
    if(is_stated, 1, days) as days,
    if(is_stated, if(flow_usd is null, 1, 0), days_without_flow) as days_without_flow,
    case
        when not is_stated then status
        when is_preliminary then 'preliminary'
        when flow_usd is null then 'partial'
        else 'final'
    end as status
from entered
