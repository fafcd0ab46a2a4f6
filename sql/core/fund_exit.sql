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
        holder,
        max(trade_date) filter (where aum_close_usd is not null) as last_day,
        max(trade_date) filter (where is_unrated) as last_unrated_day
    from core.fund_move
    group by all
),

-- A fund of which only the dollars are not known is still there (E99).
last_positions as (
    select
        move.source,
        move.holder,
        move.fund,
        move.trade_date as from_date,
        move.week_ending as last_week,
        move.sampling,
        move.aum_close_usd as aum_open_usd
    from core.fund_move as move
    inner join last_days as last
        on move.source = last.source
        and move.holder = last.holder
        and move.trade_date = last.last_day
    where
        move.aum_close_usd <> 0
        and coalesce(last.last_unrated_day <= last.last_day, true)
),

-- Its label may be another fund's from some day on (E94).
taken_over as (
    select
        mine.source,
        mine.holder,
        min(other.first_day) as taken_over_on
    from core.holder as mine
    inner join core.holder as other
        on mine.source = other.source
        and mine.label = other.label
        and mine.holder <> other.holder
    group by all
),

-- A fund ends on the day of its closure or merger, or when its label is another's; else it leaves
-- coverage in the first week in which its source has AUM of others, and never again of it (E16,
-- E17, E76).
ended as (
    select
        position.*,
        any_value(taken_over.taken_over_on) as taken_over_on,
        arg_min(action.effective_date, row(action.effective_date, action.kind)) as action_date,
        arg_min(action.kind, row(action.effective_date, action.kind)) as kind
    from last_positions as position
    left join taken_over
        on position.source = taken_over.source
        and position.holder = taken_over.holder
        and position.from_date < taken_over.taken_over_on
    left join reference.corporate_action as action
        on position.fund = action.fund
        and action.kind in ('closure', 'merger')
        and position.from_date < action.effective_date + 7
    group by all
),

left_in as (
    select
        ended.source,
        ended.holder,
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
            when ended.action_date is not null
                then greatest(ended.action_date, ended.from_date + 1)
            else coalesce(ended.taken_over_on, left_in.week_ending)
        end as trade_date
    from ended
    left join left_in
        on ended.source = left_in.source
        and ended.holder = left_in.holder
)

select
    gone.source,
    gone.holder,
    gone.fund,
    gone.trade_date,
    ops.week_ending(gone.trade_date, source.week_ends) as week_ending,
    gone.from_date,
    gone.sampling,
    case when gone.kind = 'closure' then 'closure' end as flow_method,
    case when gone.kind = 'closure' then -gone.aum_open_usd end as net_flow_usd,
    gone.aum_open_usd,
    case when gone.kind = 'closure' then -gone.aum_open_usd else 0 end as step_flow_usd,
    case when gone.kind = 'merger' then -gone.aum_open_usd else 0 end as corporate_action_usd,
    case when gone.kind is null then -gone.aum_open_usd else 0 end as universe_effect_usd
from dated as gone
inner join core.source
    on gone.source = source.source
where gone.trade_date is not null
