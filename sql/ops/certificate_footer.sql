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
                    history.total / case
                        when footers.label = 'Total' then sessions.days
                        else history.known
                    end
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
)

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
    cast(abs(value - found) > hard_bound as integer) as failed,
    ops.verdict(value - found, hard_bound) as verdict,
    false as blocking,
    format('{}!{}', sheet, cell) as sample,
    null as proposal
from compared
