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
