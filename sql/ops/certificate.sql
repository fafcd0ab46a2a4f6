-- What must add up in a report and week: expected, found, residual, bounds and verdict (F9).
-- grain: one row a report, week and line
with footers as (
    select *
    from core.observation
    where
        dimension = 'check'
        and period = 'since_inception'
        and value is not null
),

-- The days that a footer speaks of, as far as the ledger holds them.
history as (
    select
        footers.source,
        footers.label,
        footers.measure,
        footers.report_id,
        count(days.value) as known,
        sum(days.value) as total,
        max(days.value) as largest,
        min(days.value) as smallest,
        sum(days.half_unit) as total_bound,
        max(days.half_unit) as day_bound,
        min(days.period_end) as first_day
    from footers
    inner join core.observation as days
        on footers.source = days.source
        and footers.label = days.label
        and days.measure = 'net_flow'
        and days.period = 'day'
        and days.period_end between footers.period_start and footers.period_end
    group by all
),

-- The sessions since inception: a mean is taken over days on which anything was reported.
sessions as (
    select
        footers.source,
        footers.report_id,
        count(distinct days.period_end) as days,
        min(days.period_end) as first_day
    from footers
    inner join core.observation as days
        on footers.source = days.source
        and days.dimension = 'fund'
        and days.measure = 'net_flow'
        and days.period = 'day'
        and days.value is not null
        and days.period_end between footers.period_start and footers.period_end
    group by all
),

compared as (
    select
        footers.*,
        history.known,
        case footers.measure
            when 'net_flow' then history.total
            when 'net_flow_mean'
                then cast(
                    history.total / if(footers.label = 'Total', sessions.days, history.known)
                    as decimal(38, 10)
                )
            when 'net_flow_max' then history.largest
            when 'net_flow_min' then history.smallest
        end as found,
        footers.half_unit + case footers.measure
            when 'net_flow' then history.total_bound
            else history.day_bound
        end as hard_bound
    from footers
    inner join history
        using (source, label, measure, report_id)
    inner join sessions
        using (source, report_id)
    -- A ledger that begins later than the footer cannot check it.
    where sessions.first_day = footers.period_start
),

footer_lines as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        'footer' as rule,
        format(
            '{}: footer {} of {} since {} = the days in the ledger',
            printed_table, measure, label, period_start
        ) as line,
        value as expected,
        found,
        value - found as residual,
        hard_bound,
        null as soft_bound,
        known as checked,
        if(abs(value - found) > hard_bound, 1, 0) as failed,
        case
            when value = found then 'exact'
            when abs(value - found) <= hard_bound then 'rounding'
            else 'unexplained'
        end as verdict,
        false as blocking,
        format('{}!{}', sheet, cell) as sample
    from compared
),

-- Year and month to date may grow by the week's flow only, within a year or month: what is beyond
-- rounding is a silent revision of earlier weeks (F16, E44).
chained as (
    select
        this_week.source,
        this_week.week_ending,
        this_week.report_id,
        this_week.known_at,
        this_week.period || '_chain' as rule,
        this_week.printed_table || ': ' || this_week.label || ' ' || this_week.period
        || ' to date grows by the week' as line,
        this_week.value as expected,
        week_before.value + flow.value as found,
        this_week.value - week_before.value - flow.value as residual,
        this_week.half_unit + week_before.half_unit + flow.half_unit as hard_bound,
        this_week.sheet || '!' || this_week.cell as sample
    from core.observation as this_week
    inner join core.observation as week_before
        on this_week.source = week_before.source
        and this_week.printed_table = week_before.printed_table
        and this_week.dimension = week_before.dimension
        and this_week.label = week_before.label
        and this_week.measure = week_before.measure
        and this_week.period = week_before.period
        and this_week.period_start = week_before.period_start
        and this_week.week_ending - 7 = week_before.week_ending
    inner join core.observation as flow
        on this_week.source = flow.source
        and this_week.printed_table = flow.printed_table
        and this_week.dimension = flow.dimension
        and this_week.label = flow.label
        and this_week.measure = flow.measure
        and this_week.week_ending = flow.week_ending
        and flow.period = 'week'
        and this_week.period_start <= flow.period_start
    where this_week.measure = 'net_flow' and this_week.period in ('mtd', 'ytd')
),

chain_lines as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        rule,
        line,
        expected,
        found,
        residual,
        hard_bound,
        null as soft_bound,
        3 as checked,
        if(abs(residual) > hard_bound, 1, 0) as failed,
        case
            when residual = 0 then 'exact'
            when abs(residual) <= hard_bound then 'rounding'
            else 'unexplained'
        end as verdict,
        false as blocking,
        sample
    from chained
    where residual is not null
),

-- Flows by shares and by assets agree where both can be made (E02).
methods as (
    select
        step.source,
        step.week_ending,
        observation.report_id,
        observation.known_at,
        step.label,
        max_by(step.trade_date, abs(step.flow_difference_usd)) as worst_day,
        0 as expected,
        max_by(step.flow_difference_usd, abs(step.flow_difference_usd)) as found,
        -max_by(step.flow_difference_usd, abs(step.flow_difference_usd)) as residual,
        -- NAV rounded by half a unit moves both NAVs and so the return of the whole AUM.
        max(
            step.aum_open_usd * 2 * observation.half_unit / observation.value
            + abs(step.net_flow_usd) * observation.half_unit / observation.value
            + 0.01
        ) as hard_bound,
        count(*) as checked
    from core.fund_step as step
    inner join core.observation
        on step.source = observation.source
        and step.label = observation.label
        and step.trade_date = observation.period_end
        and observation.measure = 'nav'
        and observation.value > 0
    where step.flow_difference_usd is not null and step.aum_open_usd > 0
    group by all
),

method_lines as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        'flow_methods' as rule,
        label || ': flow by shares = flow by assets; worst day ' || worst_day as line,
        expected,
        found,
        residual,
        hard_bound,
        null as soft_bound,
        checked,
        if(abs(residual) > hard_bound, 1, 0) as failed,
        case
            when residual = 0 then 'exact'
            when abs(residual) <= hard_bound then 'rounding'
            else 'unexplained'
        end as verdict,
        false as blocking,
        null as sample
    from methods
)

select
    source,
    week_ending,
    report_id,
    known_at,
    rule,
    line,
    expected,
    found,
    residual,
    hard_bound,
    soft_bound,
    checked,
    failed,
    verdict,
    blocking,
    sample
from facts.outcome
where verdict in ('exact', 'rounding', 'unexplained', 'unknown')
union all
select *
from footer_lines
union all
select *
from chain_lines
union all
select *
from method_lines
