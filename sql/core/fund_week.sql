-- A fund's week in one source: AUM at both ends, net flow, and what is left to explain (F4).
-- grain: one row a source, label and week
with days as (
    select
        *,
        -- A day counts as a session if the source reports any fund on it: on a holiday nobody does.
        bool_or(net_flow_usd is not null or aum_usd is not null)
            over (partition by source, trade_date) as is_session,
        min(trade_date) filter (where aum_usd is not null)
            over (partition by source, label, week_ending) as first_aum_date
    from core.fund_day
),

weeks as (
    select
        source,
        label,
        fund,
        week_ending,
        sum(net_flow_usd) as net_flow,
        sum(net_flow_usd) filter (where trade_date <= first_aum_date) as flow_to_first_aum,
        arg_min(aum_usd, trade_date) filter (where aum_usd is not null) as first_aum,
        arg_max(aum_usd, trade_date) filter (where aum_usd is not null) as aum_close,
        max(flow_method) as flow_method,
        count(*) filter (where is_session) as days,
        count(*) filter (
            where is_session and net_flow_usd is null and not is_first_day
        ) as days_without_flow,
        bool_or(status = 'preliminary') as is_preliminary
    from days
    group by all
),

-- A fund leaves coverage in the first week in which its source has AUM of others, but not of it.
source_weeks as (
    select distinct
        source,
        week_ending
    from weeks
    where aum_close is not null
),

left_behind as (
    select
        weeks.source,
        weeks.label,
        weeks.fund,
        source_weeks.week_ending
    from weeks
    inner join source_weeks
        on weeks.source = source_weeks.source
        and weeks.week_ending + 7 = source_weeks.week_ending
    where weeks.aum_close is not null
),

spine as (
    select
        source,
        label,
        fund,
        week_ending
    from weeks
    union
    select
        source,
        label,
        fund,
        week_ending
    from left_behind
),

opened as (
    select
        spine.*,
        this_week.net_flow,
        this_week.flow_to_first_aum,
        this_week.first_aum,
        this_week.aum_close,
        this_week.flow_method,
        coalesce(this_week.days, 0) as days,
        coalesce(this_week.days_without_flow, 0) as days_without_flow,
        coalesce(this_week.is_preliminary, false) as is_preliminary,
        week_before.aum_close as close_before,
        source_weeks.week_ending is not null as is_source_week
    from spine
    left join weeks as this_week
        using (source, label, week_ending)
    left join weeks as week_before
        on spine.source = week_before.source
        and spine.label = week_before.label
        and spine.week_ending - 7 = week_before.week_ending
    left join source_weeks
        on spine.source = source_weeks.source
        and spine.week_ending = source_weeks.week_ending
),

covered as (
    select
        *,
        aum_close is not null and close_before is null as is_entering,
        aum_close is null and close_before is not null and is_source_week as is_leaving
    from opened
)

select
    source,
    label,
    fund,
    week_ending,
    cast(if(is_entering, 0, close_before) as decimal(18, 2)) as aum_open_usd,
    cast(net_flow as decimal(18, 2)) as net_flow_usd,
    cast(
        case
            when is_entering then first_aum - coalesce(flow_to_first_aum, 0)
            when is_leaving then -(close_before + coalesce(net_flow, 0))
            when aum_close is not null then 0
        end as decimal(18, 2)
    ) as universe_effect_usd,
    cast(if(is_leaving, 0, aum_close) as decimal(18, 2)) as aum_close_usd,
    flow_method,
    days,
    days_without_flow,
    case
        when is_preliminary then 'preliminary'
        when days_without_flow > 0 then 'partial'
        else 'final'
    end as status
from covered
