-- Figures that belong to another week: copies under another date (E47), single figures of another
-- week (E48), the digits of the week before in another unit (E51), and reports that came out when a
-- later week had ended (E31). Nothing is changed: each finding proposes what a person may decide.
-- grain: one row a report, week and line
with figures as (
    select
        source,
        week_ending,
        dimension,
        member,
        measure,
        period,
        first(value order by half_unit, report_id, printed_table, label) as value,
        first(half_unit order by half_unit, report_id, printed_table, label) as half_unit,
        first(label order by half_unit, report_id, printed_table, label) as label,
        first(sheet || '!' || cell order by half_unit, report_id, printed_table, label) as place
    from core.observation
    where
        dimension in ('total', 'asset', 'issuer', 'country')
        and period in ('week', 'mtd', 'ytd', 'close')
        and value <> 0
    group by all
),

-- Weeks of which a total is printed, by the report that printed it first.
weeks as (
    select
        source,
        week_ending,
        first(report_id order by known_from, report_id) as report_id,
        min(known_from) as known_at,
        first(published_at order by known_from, report_id) as published_at
    from core.observation_history
    where dimension = 'total' and measure = 'net_flow' and period = 'week' and value is not null
    group by all
),

-- The fingerprint of a week: its total, figures to date and AUM, and its assets. The copy is the
-- one that was known later.
fingerprints as (
    select
        copy.source,
        copy.week_ending,
        original.source as original_source,
        original.week_ending as original_week,
        original.report_id as original_report,
        original.known_at as original_known_at,
        count(*) as shared,
        count(*) filter (where figure.value = twin.value) as equal
    from weeks as copy
    inner join figures as total
        on copy.source = total.source
        and copy.week_ending = total.week_ending
        and total.dimension = 'total'
        and total.period = 'week'
    inner join figures as same_total
        on total.value = same_total.value
        and total.week_ending <> same_total.week_ending
        and same_total.dimension = 'total'
        and same_total.period = 'week'
    inner join weeks as original
        on same_total.source = original.source
        and same_total.week_ending = original.week_ending
        and (original.known_at, original.report_id) < (copy.known_at, copy.report_id)
    inner join figures as figure
        on copy.source = figure.source
        and copy.week_ending = figure.week_ending
    inner join figures as twin
        on original.source = twin.source
        and original.week_ending = twin.week_ending
        and figure.dimension = twin.dimension
        and figure.dimension in ('total', 'asset')
        and figure.member = twin.member
        and figure.measure = twin.measure
        and figure.period = twin.period
    group by all
    having equal >= 2 and 2 * equal > shared
),

originals as (
    select *
    from fingerprints
    qualify
        row_number() over (
            partition by source, week_ending
            order by original_known_at, original_report, original_week
        ) = 1
),

copy_lines as (
    select
        week.source,
        week.week_ending,
        week.report_id,
        week.known_at,
        'fingerprint' as rule,
        'no other week has its total and the figures beside it' as line,
        0 as expected,
        coalesce(original.equal, 0) as found,
        coalesce(original.shared, 1) as checked,
        if(original.source is null, 'exact', 'unexplained') as verdict,
        null as sample,
        format(
            'alias: week {} of {}, known first ({}) by report {}',
            original.original_week,
            original.original_source,
            strftime(original.original_known_at, '%Y-%m-%d %H:%M'),
            left(original.original_report, 8)
        ) as proposal
    from weeks as week
    left join originals as original
        on week.source = original.source
        and week.week_ending = original.week_ending
),

late_lines as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        'week_rule' as rule,
        'it came out before the next week ended' as line,
        0 as expected,
        greatest(floor((cast(published_at as date) - week_ending) / 7), 0) as found,
        1 as checked,
        if(cast(published_at as date) - week_ending < 7, 'exact', 'undecidable') as verdict,
        null as sample,
        if(
            cast(published_at as date) - week_ending < 7,
            null,
            format(
                'published {}: the week that had ended then is {}',
                cast(published_at as date),
                cast(
                    week_ending + 7 * cast(
                        floor((cast(published_at as date) - week_ending) / 7) as integer
                    ) as date
                )
            )
        ) as proposal
    from weeks
    where published_at is not null
),

-- A single figure beside the same figure of a week known before it, at most four weeks away.
neighbours as (
    select
        this_week.source,
        this_week.week_ending,
        week.report_id,
        week.known_at,
        this_week.dimension,
        this_week.label,
        this_week.value,
        this_week.half_unit,
        this_week.place,
        other.source as other_source,
        other.week_ending as other_week,
        other.value as other_value,
        other.half_unit as other_half_unit,
        axis.remainder_usd,
        axis.hard_bound_usd,
        axis.verdict as axis_verdict
    from figures as this_week
    inner join weeks as week
        on this_week.source = week.source
        and this_week.week_ending = week.week_ending
    inner join core.reported_axis as axis
        on this_week.source = axis.source
        and this_week.week_ending = axis.week_ending
        and this_week.dimension = axis.dimension
    inner join figures as other
        on this_week.dimension = other.dimension
        and this_week.member = other.member
        and other.measure = 'net_flow'
        and other.period = 'week'
        and this_week.week_ending <> other.week_ending
        and abs(other.week_ending - this_week.week_ending) <= 28
    inner join weeks as before
        on other.source = before.source
        and other.week_ending = before.week_ending
        and week.known_at >= before.known_at
    anti join originals as copied
        on this_week.source = copied.source
        and this_week.week_ending = copied.week_ending
    where this_week.measure = 'net_flow' and this_week.period = 'week'
),

-- Two digits or more that agree, in an axis that does not add up, are hardly chance.
mixed_lines as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        'mixed_weeks' as rule,
        format('{} {} is of this week', dimension, label) as line,
        null as expected,
        value as found,
        2 as checked,
        if(
            abs(remainder_usd + value) <= hard_bound_usd - half_unit,
            'unexplained',
            'undecidable'
        ) as verdict,
        place as sample,
        format(
            'leave out {}: {} prints the same figure for week {}', label, other_source, other_week
        ) as proposal
    from neighbours
    where
        axis_verdict = 'unexplained'
        and value = other_value
        and half_unit = other_half_unit
        and abs(value) >= 20 * half_unit
    qualify
        row_number() over (
            partition by source, week_ending, dimension, label
            order by abs(other_week - week_ending), other_week, other_source
        ) = 1
),

-- Three digits or more that agree with those of the week before, but for a power of ten.
slips as (
    select
        *,
        abs(remainder_usd) <= hard_bound_usd as is_closed,
        abs(remainder_usd + value - other_value)
        <= hard_bound_usd - half_unit + other_half_unit as is_closed_if_repaired
    from neighbours
    where
        source = other_source
        and other_week = week_ending - 7
        and (
            value in (10 * other_value, 100 * other_value, 1000 * other_value)
            or other_value in (10 * value, 100 * value, 1000 * value)
        )
        and least(abs(value) / half_unit, abs(other_value) / other_half_unit) >= 200
),

slip_lines as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        'unit_slip' as rule,
        format('{} {} is not the week before in another unit', dimension, label) as line,
        other_value as expected,
        value as found,
        2 as checked,
        if(is_closed_if_repaired and not is_closed, 'unexplained', 'undecidable') as verdict,
        place as sample,
        format(
            'unit slip: {} ({}) {} instead of {}',
            label, place, ops.shown(other_value), ops.shown(value)
        ) as proposal
    from slips
    where is_closed_if_repaired or not is_closed
),

lines as (
    select * from copy_lines
    union all
    select * from late_lines
    union all
    select * from mixed_lines
    union all
    select * from slip_lines
)

select
    source,
    week_ending,
    report_id,
    known_at,
    rule,
    line,
    cast(expected as decimal(38, 10)) as expected,
    cast(found as decimal(38, 10)) as found,
    cast(expected as decimal(38, 10)) - cast(found as decimal(38, 10)) as residual,
    null as hard_bound,
    null as soft_bound,
    checked,
    cast(verdict = 'unexplained' as integer) as failed,
    verdict,
    false as blocking,
    sample,
    proposal
from lines
