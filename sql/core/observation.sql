-- The newest statement about every printed number, with the member that its label means.
-- grain: one row a source, printed table, dimension, label, measure and period
select
    source,
    report_id,
    layout,
    known_at,
    published_at,
    week_ending,
    period_start,
    period_end,
    printed_table,
    dimension,
    label,
    sublabel,
    measure,
    period,
    value,
    currency,
    unit,
    half_unit,
    printed,
    null_reason,
    status,
    sheet,
    cell,
    printed_value,
    correction,
    member
from core.observation_history
where known_to is null
