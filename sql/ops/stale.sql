select
    source,
    report_id,
    name,
    reason
from input.stale
