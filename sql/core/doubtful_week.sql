-- What a refused position hides may have flowed until the next one (E105).
with days_in_a_row as (
    select
        *,
        printed_flow_local is null as is_position,
        lag(is_refused, 1, false) over (
            partition by source, holder order by trade_date
        ) as is_refused_before
    from core.fund_day
),

reasons as (
    select
        source,
        holder,
        week_ending,
        case when usd_per_unit is null then 'no rate' else 'refused' end as reason
    from days_in_a_row
    where is_held or is_refused or usd_per_unit is null or (is_refused_before and is_position)
    union all
    select
        source,
        holder,
        week_ending,
        'no rate' as reason
    from core.fund_session
    where is_unrated
    union all
    select
        source,
        holder,
        week_ending,
        'session missing' as reason
    from core.missing_day
    union all
    select
        step.source,
        step.holder,
        step.week_ending,
        'session missing' as reason
    from core.spanning_position as spanning
    inner join core.fund_step as step
        on spanning.source = step.source
        and spanning.holder = step.holder
        and spanning.trade_date = step.trade_date
        and step.aum_close_usd is not null
)

select
    source,
    holder,
    week_ending,
    ops.first_reason(reason) as reason
from reasons
group by source, holder, week_ending
