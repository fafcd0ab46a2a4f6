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

-- The fingerprint of a week: its total, figures to date and AUM, and its assets. Compared as
-- lists: a join of all figures with those of all other weeks would grow with the square of the
-- weeks.
fingerprints as (
    select
        figures.source,
        figures.week_ending,
        week.report_id,
        week.known_at,
        max(figures.value) filter (
            where figures.dimension = 'total' and figures.period = 'week'
        ) as total,
        list(concat_ws('|', dimension, member, measure, period)) as names,
        list(concat_ws('|', dimension, member, measure, period, value)) as statements
    from figures
    inner join weeks as week
        on figures.source = week.source
        and figures.week_ending = week.week_ending
    where figures.dimension in ('total', 'asset')
    group by all
),

-- The copy is the one that was known later.
twins as (
    select
        copy.source,
        copy.week_ending,
        original.source as original_source,
        original.week_ending as original_week,
        original.report_id as original_report,
        original.known_at as original_known_at,
        len(list_intersect(copy.names, original.names)) as shared,
        len(list_intersect(copy.statements, original.statements)) as equal
    from fingerprints as copy
    inner join fingerprints as original
        on copy.total = original.total
        and copy.week_ending <> original.week_ending
        and (original.known_at, original.report_id) < (copy.known_at, copy.report_id)
),

originals as (
    select *
    from twins
    where equal >= 2 and 2 * equal > shared
    qualify
        row_number() over (
            partition by source, week_ending
            order by original_known_at, original_report, original_week, original_source
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
        case when original.source is null then 'exact' else 'unexplained' end as verdict,
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
        cast(
            greatest(floor((cast(published_at as date) - week_ending) / 7), 0) as integer
        ) as found,
        1 as checked,
        case
            when cast(published_at as date) - week_ending < 7 then 'exact'
            else 'undecidable'
        end as verdict,
        null as sample,
        case
            when cast(published_at as date) - week_ending < 7 then null
            else format(
                'published {}: the week that had ended then is {}',
                cast(published_at as date),
                cast(
                    week_ending + 7 * cast(
                        floor((cast(published_at as date) - week_ending) / 7) as integer
                    ) as date
                )
            )
        end as proposal
    from weeks
    where published_at is not null
),

-- Single figures of the week, of weeks that are not copies as a whole.
printed as (
    select
        figure.source,
        figure.week_ending,
        week.report_id,
        week.known_at,
        figure.dimension,
        figure.member,
        figure.label,
        figure.value,
        figure.half_unit,
        figure.place,
        axis.remainder_usd,
        axis.hard_bound_usd,
        axis.verdict as axis_verdict,
        original.source is not null as is_copy
    from figures as figure
    inner join weeks as week
        on figure.source = week.source
        and figure.week_ending = week.week_ending
    inner join core.reported_axis as axis
        on figure.source = axis.source
        and figure.week_ending = axis.week_ending
        and figure.dimension = axis.dimension
    left join originals as original
        on figure.source = original.source
        and figure.week_ending = original.week_ending
    where figure.measure = 'net_flow' and figure.period = 'week'
),

-- Two digits or more that agree with a week known before, at most four weeks away, in an axis that
-- does not add up: hardly chance.
mixed_lines as (
    select
        this_week.source,
        this_week.week_ending,
        this_week.report_id,
        this_week.known_at,
        'mixed_weeks' as rule,
        format('{} {} is of this week', this_week.dimension, this_week.label) as line,
        null as expected,
        this_week.value as found,
        2 as checked,
        case
            when
                abs(this_week.remainder_usd + this_week.value)
                <= this_week.hard_bound_usd - this_week.half_unit
                then 'unexplained'
            else 'undecidable'
        end as verdict,
        this_week.place as sample,
        format(
            'leave out {}: {} prints the same figure for week {}',
            this_week.label, other.source, other.week_ending
        ) as proposal
    from printed as this_week
    inner join printed as other
        on this_week.dimension = other.dimension
        and this_week.member = other.member
        and this_week.value = other.value
        and this_week.half_unit = other.half_unit
        and this_week.week_ending <> other.week_ending
        and this_week.known_at >= other.known_at
        and abs(this_week.week_ending - other.week_ending) <= 28
    where
        this_week.axis_verdict = 'unexplained'
        and not this_week.is_copy
        and abs(this_week.value) >= 20 * this_week.half_unit
    qualify
        row_number() over (
            partition by
                this_week.source, this_week.week_ending, this_week.dimension, this_week.label
            order by
                abs(this_week.week_ending - other.week_ending), other.week_ending, other.source
        ) = 1
),

-- Three digits or more that agree with those of the week before, but for a power of ten.
slips as (
    select
        this_week.*,
        week_before.value as value_before,
        abs(this_week.remainder_usd) <= this_week.hard_bound_usd as is_closed,
        abs(this_week.remainder_usd + this_week.value - week_before.value)
        <= this_week.hard_bound_usd - this_week.half_unit + week_before.half_unit
            as is_closed_if_repaired
    from printed as this_week
    inner join printed as week_before
        on this_week.source = week_before.source
        and this_week.dimension = week_before.dimension
        and this_week.member = week_before.member
        and this_week.week_ending - 7 = week_before.week_ending
    where
        not this_week.is_copy
        and (
            this_week.value in (
                10 * week_before.value, 100 * week_before.value, 1000 * week_before.value
            )
            or week_before.value in (
                10 * this_week.value, 100 * this_week.value, 1000 * this_week.value
            )
        )
        and least(
            abs(this_week.value) / this_week.half_unit,
            abs(week_before.value) / week_before.half_unit
        ) >= 200
),

slip_lines as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        'unit_slip' as rule,
        format('{} {} is not the week before in another unit', dimension, label) as line,
        value_before as expected,
        value as found,
        2 as checked,
        case
            when is_closed_if_repaired and not is_closed then 'unexplained'
            else 'undecidable'
        end as verdict,
        place as sample,
        format(
            'unit slip: {} ({}) {} instead of {}',
            label, place, ops.shown(value_before), ops.shown(value)
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
