with superseded as (
    select distinct
        source,
        printed_table,
        dimension,
        label,
        measure,
        period,
        period_start,
        period_end
    from core.observation_history
    where known_to is not null
),

-- Of numbers that were stated more than once, every statement as it was printed.
statements as (
    select
        history.*,
        report.received_at
    from core.observation_history as history
    semi join superseded
        using (source, printed_table, dimension, label, measure, period, period_start, period_end)
    inner join core.report
        on history.source = report.source
        and history.report_id = report.report_id
    -- What a person corrects in a statement later is no revision of the publisher.
    where history.known_from = history.known_at
),

vintages as (
    select
        *,
        row_number() over number as vintage,
        lag(report_id) over number as from_report_id,
        lag(known_at) over number as from_known_at,
        lag(printed_value) over number as from_value,
        lag(half_unit) over number as from_half_unit,
        lag(status) over number as from_status
    from statements
    window
        number as (
            partition by
                source,
                printed_table,
                dimension,
                label,
                measure,
                period,
                period_start,
                period_end
            order by known_at, received_at, report_id
        )
),

changes as (
    select
        *,
        case
            when from_value is null and printed_value is null then 'status'
            when printed_value is null then 'blanked'
            when from_value is null then 'filled'
            when from_value = printed_value and from_half_unit = half_unit then 'status'
            when
                from_half_unit <> half_unit
                and abs(printed_value - from_value) <= greatest(from_half_unit, half_unit)
                then 'finer'
            when from_status = 'preliminary' then 'filled'
            else 'restated'
        end as kind,
        printed_value - from_value as change,
        from_half_unit + half_unit as hard_bound
    from vintages
    where vintage > 1
),

-- Totals to date, each with the one before it of the same month, year or inception.
totals as (
    select
        *,
        case when period = 'since_inception' then 'day' else 'week' end as part_period,
        lag(period_end) over run as from_end,
        lag(report_id) over run as from_report_id,
        lag(known_at) over run as from_known_at,
        lag(printed_value) over run as from_total,
        lag(half_unit) over run as from_half_unit,
        lag(status) over run as from_status
    from core.observation
    where
        measure = 'net_flow'
        and period in ('mtd', 'ytd', 'since_inception')
        and printed_value is not null
    window
        run as (
            partition by source, printed_table, dimension, label, period, period_start
            order by period_end
        )
),

-- The weeks or days between both, as they were believed when the later total was printed.
parts as (
    select
        totals.source,
        totals.printed_table,
        totals.dimension,
        totals.label,
        totals.period,
        totals.period_start,
        totals.period_end,
        part.printed_value,
        part.half_unit,
        part.period_end as part_end,
        part.period_start - coalesce(
            lag(part.period_end) over (
                partition by
                    totals.source,
                    totals.printed_table,
                    totals.dimension,
                    totals.label,
                    totals.period,
                    totals.period_start,
                    totals.period_end
                order by part.period_end
            ),
            totals.from_end
        ) as gap,
        -- A dash in a row of days adds nothing to the publisher's total; a week may not be missing.
        part.printed_value is not null or totals.part_period = 'day' as is_known,
        -- Days of the sessions; a weekend and a holiday may lie between two of them.
        case when totals.part_period = 'day' then 4 else 1 end as longest_gap
    from totals
    inner join core.observation_history as part
        on totals.source = part.source
        and totals.printed_table = part.printed_table
        and totals.label = part.label
        and totals.measure = part.measure
        and totals.part_period = part.period
        and totals.dimension in (part.dimension, 'check')
        and totals.from_end < part.period_end
        and totals.period_end >= part.period_end
        and totals.known_at >= part.known_from
        and (part.known_to is null or totals.known_at < part.known_to)
),

flows as (
    select
        source,
        printed_table,
        dimension,
        label,
        period,
        period_start,
        period_end,
        coalesce(sum(printed_value), 0) as flow,
        coalesce(sum(half_unit), 0) as flow_bound
    from parts
    group by all
    having
        bool_and(is_known and gap <= longest_gap)
        and max(part_end) = period_end
),

-- What was printed about earlier weeks or days in between explains its part of the change.
explained as (
    select
        totals.source,
        totals.printed_table,
        totals.dimension,
        totals.label,
        totals.period,
        totals.period_start,
        totals.period_end,
        sum(coalesce(part.printed_value, 0) - coalesce(part.from_value, 0)) as revised,
        sum(coalesce(part.half_unit, 0) + coalesce(part.from_half_unit, 0)) as revised_bound
    from totals
    inner join changes as part
        on totals.source = part.source
        and totals.printed_table = part.printed_table
        and totals.label = part.label
        and totals.measure = part.measure
        and totals.part_period = part.period
        and totals.dimension in (part.dimension, 'check')
        and totals.period_start <= part.period_end
        and totals.from_end >= part.period_end
        and totals.from_known_at < part.known_at
        and totals.known_at >= part.known_at
    where part.kind <> 'status'
    group by all
),

silent as (
    select
        totals.*,
        'silent' as kind,
        totals.from_total + flows.flow + coalesce(explained.revised, 0) as from_value,
        totals.printed_value
        - (totals.from_total + flows.flow + coalesce(explained.revised, 0)) as change,
        totals.half_unit
        + totals.from_half_unit
        + flows.flow_bound
        + coalesce(explained.revised_bound, 0) as hard_bound
    from totals
    inner join flows
        using (source, printed_table, dimension, label, period, period_start, period_end)
    left join explained
        using (source, printed_table, dimension, label, period, period_start, period_end)
),

revisions as (
    select
        source,
        week_ending,
        printed_table,
        dimension,
        label,
        sublabel,
        member,
        measure,
        period,
        period_start,
        period_end,
        kind,
        from_value,
        printed_value as to_value,
        change,
        hard_bound,
        unit,
        from_status,
        status as to_status,
        from_known_at,
        known_at as to_known_at,
        from_report_id,
        report_id as to_report_id,
        sheet,
        cell
    from changes
    union all
    select
        source,
        week_ending,
        printed_table,
        dimension,
        label,
        sublabel,
        member,
        measure,
        period,
        period_start,
        period_end,
        kind,
        from_value,
        printed_value as to_value,
        change,
        hard_bound,
        unit,
        from_status,
        status as to_status,
        from_known_at,
        known_at as to_known_at,
        from_report_id,
        report_id as to_report_id,
        sheet,
        cell
    from silent
    where abs(change) > hard_bound
)

select
    revisions.*,
    cast(coalesce(nullif(bridge.aum_open_usd, 0), bridge.aum_close_usd) as decimal(18, 2))
        as aum_usd,
    cast(
        100 * revisions.change
        / nullif(coalesce(nullif(bridge.aum_open_usd, 0), bridge.aum_close_usd), 0)
        as decimal(18, 6)
    ) as change_pct_of_aum
from revisions
left join mart.aum_change as bridge
    on revisions.source = bridge.source
    and revisions.week_ending = bridge.week_ending
    and revisions.dimension = bridge.dimension
    and revisions.member = bridge.member
    and revisions.member <> 'unmapped'
    and revisions.unit = 'USD'
