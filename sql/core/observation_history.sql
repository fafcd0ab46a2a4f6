-- Every statement about every printed number, from when and until when it was the newest one, with
-- the corrections of the ledger in force.
-- grain: one row a source, printed table, dimension, label, measure, period, report and known_from
with said as materialized (
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
        ) as said_until
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
        said.statement,
        said.known_at,
        said.said_until,
        ledger.correction,
        ledger.corrected_value,
        ledger.half_unit,
        ledger.holds_from,
        ledger.holds_to
    from said
    inner join ledger
        on said.source = ledger.source
        and said.printed_table = ledger.printed_table
        and said.dimension = ledger.dimension
        and said.label = ledger.label
        and said.measure = ledger.measure
        and said.period = ledger.period
        and said.period_end = ledger.period_end
        and said.value = ledger.expected_value
),

-- The moments from which a statement is read otherwise than before.
moments as (
    select distinct
        statement,
        known_at,
        said_until,
        unnest([known_at, holds_from, holds_to]) as moment
    from patched
),

spans as (
    select
        statement,
        moment as known_from,
        coalesce(lead(moment) over (partition by statement order by moment), said_until)
            as known_to
    from moments
    where moment >= known_at and (said_until is null or moment < said_until)
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
    said.source,
    said.report_id,
    said.layout,
    said.known_at,
    said.published_at,
    said.week_ending,
    said.period_start,
    said.period_end,
    said.printed_table,
    said.dimension,
    said.label,
    said.sublabel,
    said.measure,
    said.period,
    coalesce(corrected.corrected_value, said.value) as value,
    said.currency,
    said.unit,
    coalesce(corrected.half_unit, said.half_unit) as half_unit,
    said.printed,
    said.null_reason,
    said.status,
    said.sheet,
    said.cell,
    said.value as printed_value,
    corrected.correction,
    coalesce(corrected.known_from, said.known_at) as known_from,
    if(corrected.statement is null, said.said_until, corrected.known_to) as known_to,
    case
        when said.dimension = 'total' or lower(said.label) = 'total' then 'total'
        when said.dimension = 'currency' then said.label
        else coalesce(meant.member, 'unmapped')
    end as member
from said
left join corrected
    on said.statement = corrected.statement
left join core.member_label as meant
    -- A footer below a column of a fund is about that fund.
    on if(said.dimension = 'check', 'fund', said.dimension) = meant.dimension
    and lower(said.label) = meant.label_key
    and said.period_end between meant.valid_from and meant.valid_to
