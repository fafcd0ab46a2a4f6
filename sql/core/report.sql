-- Every archived report, what it covers, or the error for which it cannot be used.
-- grain: one row a report
select
    report_id,
    source,
    name,
    layout,
    received_at,
    published_at,
    known_at,
    first_week,
    last_week,
    weeks,
    error
from input.report
