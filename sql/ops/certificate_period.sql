with printed as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        printed_table,
        dimension,
        label,
        period,
        period_start,
        value,
        half_unit,
        sheet,
        cell
    from core.observation
    where measure = 'net_flow' and value is not null
),

-- Within a year or month the figure to date may grow by the week's flow only: what is beyond
-- rounding is a silent revision of earlier weeks.
-- Joined before the flows are: else these might be joined with every week before.
stepped as materialized (
    select
        this_week.*,
        week_before.value as value_before,
        week_before.half_unit as half_unit_before
    from printed as this_week
    inner join printed as week_before
        on this_week.source = week_before.source
        and this_week.printed_table = week_before.printed_table
        and this_week.dimension = week_before.dimension
        and this_week.label = week_before.label
        and this_week.period = week_before.period
        and this_week.period_start = week_before.period_start
        and this_week.week_ending - 7 = week_before.week_ending
    where this_week.period in ('mtd', 'ytd')
),

chained as (
    select
        stepped.source,
        stepped.week_ending,
        stepped.report_id,
        stepped.known_at,
        stepped.period || '_chain' as rule,
        format(
            '{}: {} {} to date grows by the week',
            stepped.printed_table, stepped.label, stepped.period
        ) as line,
        stepped.value as expected,
        stepped.value_before + flow.value as found,
        stepped.half_unit + stepped.half_unit_before + flow.half_unit as hard_bound,
        3 as checked,
        'earlier weeks were revised without saying so, by about' as cause,
        format('{}!{}', stepped.sheet, stepped.cell) as sample
    from stepped
    inner join printed as flow
        on stepped.source = flow.source
        and stepped.printed_table = flow.printed_table
        and stepped.dimension = flow.dimension
        and stepped.label = flow.label
        and stepped.week_ending = flow.week_ending
        and flow.period = 'week'
        and stepped.period_start <= flow.period_start
),

-- A run is printed from the weeks as they were known then: both views are compared.
weeks as (
    select
        source,
        printed_table,
        dimension,
        label,
        week_ending,
        max(value) filter (where known_to is null) as value,
        max(half_unit) filter (where known_to is null) as half_unit,
        first(value order by known_from, report_id) as first_value,
        first(half_unit order by known_from, report_id) as first_half_unit
    from core.observation_history
    where measure = 'net_flow' and period = 'week' and value is not null
    group by all
),

runs as (
    select
        *,
        cast(replace(period, 'w', '') as integer) as weeks
    from printed
    where regexp_full_match(period, '[0-9]+w')
),

summed as (
    select
        run.source,
        run.week_ending,
        run.report_id,
        run.known_at,
        run.printed_table,
        run.label,
        run.weeks,
        run.value as expected,
        run.half_unit,
        run.sheet,
        run.cell,
        count(week.value) as known,
        sum(week.value) as found,
        sum(week.half_unit) as bound,
        sum(week.first_value) as first_found,
        sum(week.first_half_unit) as first_bound
    from runs as run
    left join weeks as week
        on run.source = week.source
        and run.printed_table = week.printed_table
        and run.dimension = week.dimension
        and run.label = week.label
        and week.week_ending between run.period_start and run.week_ending
    group by all
),

run_views as (
    select
        *,
        'known now' as view_name,
        case when known = weeks then found end as view_found,
        half_unit + bound as view_bound
    from summed
    union all
    select
        *,
        'first printed' as view_name,
        first_found as view_found,
        half_unit + first_bound as view_bound
    from summed
    where known = weeks and first_found <> found
),

compared as (
    select * from chained
    union all
    select
        source,
        week_ending,
        report_id,
        known_at,
        'run' as rule,
        format(
            '{}: {} of {} weeks = the weeks as {}', printed_table, label, weeks, view_name
        ) as line,
        expected,
        view_found as found,
        view_bound as hard_bound,
        known + 1 as checked,
        'a week of it was revised, or it counts other funds: by about' as cause,
        format('{}!{}', sheet, cell) as sample
    from run_views
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
    expected - found as residual,
    hard_bound,
    null as soft_bound,
    checked,
    cast(ops.verdict(expected - found, hard_bound) = 'unexplained' as integer) as failed,
    ops.verdict(expected - found, hard_bound) as verdict,
    false as blocking,
    sample,
    case
        when ops.verdict(expected - found, hard_bound) = 'unexplained'
            then cause || ' ' || ops.shown(expected - found)
    end as proposal
from compared
