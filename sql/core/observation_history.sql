with statements as materialized (
    select
        observation.*,
        row_number() over () as statement,
        lead(observation.known_at) over (
            partition by
                observation.source,
                observation.printed_table,
                observation.dimension,
                observation.label,
                observation.measure,
                observation.period,
                observation.period_start,
                observation.period_end
            order by observation.known_at, report.received_at, observation.report_id
        ) as stated_until
    from input.observation as observation
    inner join input.report as report
        on observation.source = report.source
        and observation.report_id = report.report_id
),

-- A correction is known when its day is over (E38).
ledger as (
    select
        *,
        cast(corrected_on + 1 as timestamptz) - interval 1 microsecond as holds_from,
        cast(withdrawn_on + 1 as timestamptz) - interval 1 microsecond as holds_to
    from reference.correction
),

patched as (
    select
        statements.statement,
        statements.known_at,
        statements.stated_until,
        ledger.correction,
        ledger.corrected_value,
        ledger.half_unit,
        ledger.holds_from,
        ledger.holds_to
    from statements
    inner join ledger
        on statements.source = ledger.source
        and statements.printed_table = ledger.printed_table
        and statements.dimension = ledger.dimension
        and statements.label = ledger.label
        and statements.measure = ledger.measure
        and statements.period = ledger.period
        and statements.period_end = ledger.period_end
        and statements.value = ledger.expected_value
),

-- The moments from which a statement is read otherwise than before.
moments as (
    select distinct
        statement,
        known_at,
        stated_until,
        unnest([known_at, holds_from, holds_to]) as moment
    from patched
),

spans as (
    select
        statement,
        moment as known_from,
        coalesce(lead(moment) over (partition by statement order by moment), stated_until)
            as known_to
    from moments
    where moment >= known_at and (stated_until is null or moment < stated_until)
),

corrected as (
    select
        spans.*,
        patched.correction,
        patched.corrected_value,
        patched.half_unit
    from spans
    left join patched
        on spans.statement = patched.statement
        and spans.known_from >= patched.holds_from
        and (patched.holds_to is null or spans.known_from < patched.holds_to)
)

select
    statements.source,
    statements.report_id,
    statements.layout,
    statements.known_at,
    statements.published_at,
    statements.week_ending,
    statements.period_start,
    statements.period_end,
    statements.printed_table,
    statements.dimension,
    statements.label,
    statements.sublabel,
    statements.measure,
    statements.period,
    coalesce(corrected.corrected_value, statements.value) as value,
    statements.currency,
    statements.unit,
    coalesce(corrected.half_unit, statements.half_unit) as half_unit,
    statements.printed,
    statements.null_reason,
    statements.status,
    statements.sheet,
    statements.cell,
    statements.value as printed_value,
    corrected.correction,
    coalesce(corrected.known_from, statements.known_at) as known_from,
    case
        when corrected.statement is null then statements.stated_until
        else corrected.known_to
    end as known_to,
    case
        when statements.dimension = 'total' or lower(statements.label) = 'total' then 'total'
        when statements.dimension = 'currency' then statements.label
        else coalesce(meant.member, 'unmapped')
    end as member
from statements
left join corrected
    on statements.statement = corrected.statement
left join core.member_label as meant
    -- A footer below a column of a fund is about that fund.
    on case
        when statements.dimension = 'check' then 'fund'
        else statements.dimension
    end = meant.dimension
    and lower(statements.label) = meant.label_key
    and statements.period_end between meant.valid_from and meant.valid_to
