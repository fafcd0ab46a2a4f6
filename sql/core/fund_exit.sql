-- The weeks in which a source has AUM of any fund. In a source with a file per fund, a fund that
-- has none is one whose file has not been renewed.
with source_weeks as (
    select distinct
        move.source,
        move.week_ending
    from core.fund_move as move
    inner join core.source
        on move.source = source.source
        and source.report_covers = 'all funds'
    where move.aum_close_usd is not null
),

last_days as (
    select
        source,
        label,
        max(trade_date) filter (where aum_close_usd is not null) as last_day,
        max(trade_date) filter (where is_unrated) as last_unrated_day
    from core.fund_move
    group by all
),

-- A fund of which only the dollars are not known is still there (E99).
last_positions as (
    select
        move.source,
        move.label,
        move.fund,
        move.trade_date as from_date,
        move.week_ending as last_week,
        move.sampling,
        move.aum_close_usd as aum_open_usd
    from core.fund_move as move
    inner join last_days as last
        on move.source = last.source
        and move.label = last.label
        and move.trade_date = last.last_day
    where
        move.aum_close_usd <> 0
        and coalesce(last.last_unrated_day <= last.last_day, true)
),

-- A fund ends on the day of its closure or merger; else it leaves coverage in the first week in
-- which its source has AUM of others, and never again of it (E16, E17, E76).
ended as (
    select
        position.*,
        arg_min(action.effective_date, row(action.effective_date, action.kind)) as action_date,
        arg_min(action.kind, row(action.effective_date, action.kind)) as kind
    from last_positions as position
    left join reference.corporate_action as action
        on position.fund = action.fund
        and action.kind in ('closure', 'merger')
        and position.from_date < action.effective_date + 7
    group by all
),

left_in as (
    select
        ended.source,
        ended.label,
        min(source_weeks.week_ending) as week_ending
    from ended
    inner join source_weeks
        on ended.source = source_weeks.source
        and ended.last_week < source_weeks.week_ending
    group by all
),

dated as (
    select
        ended.*,
        case
            when ended.action_date is null then left_in.week_ending
            else greatest(ended.action_date, ended.from_date + 1)
        end as trade_date
    from ended
    left join left_in
        on ended.source = left_in.source
        and ended.label = left_in.label
),

-- And those that were away for some weeks.
absent as (
    select
        move.source,
        move.label,
        move.fund,
        position.left_in_week as trade_date,
        move.trade_date as from_date,
        position.trade_date as returns_on,
        move.sampling,
        null as kind,
        move.aum_close_usd as aum_open_usd
    from core.fund_position as position
    inner join core.fund_move as move
        on position.source = move.source
        and position.label = move.label
        and position.date_before = move.trade_date
    where position.left_in_week is not null and move.aum_close_usd <> 0
),

gone as (
    select
        source,
        label,
        fund,
        trade_date,
        from_date,
        null as returns_on,
        sampling,
        kind,
        aum_open_usd
    from dated
    where trade_date is not null
    union all
    select * from absent
)

select
    gone.source,
    gone.label,
    gone.fund,
    gone.trade_date,
    ops.week_ending(gone.trade_date, source.week_ends) as week_ending,
    gone.from_date,
    gone.returns_on,
    gone.sampling,
    case when gone.kind = 'closure' then 'closure' end as flow_method,
    case when gone.kind = 'closure' then -gone.aum_open_usd end as net_flow_usd,
    gone.aum_open_usd,
    case when gone.kind = 'closure' then -gone.aum_open_usd else 0 end as step_flow_usd,
    case when gone.kind = 'merger' then -gone.aum_open_usd else 0 end as corporate_action_usd,
    case when gone.kind is null then -gone.aum_open_usd else 0 end as universe_effect_usd
from gone
inner join core.source
    on gone.source = source.source
