-- Rows and cells that a contract refused, with the rule, the cell and what to do.
-- grain: one row a refused cell and rule
select
    source,
    week_ending,
    report_id,
    known_at,
    rule,
    printed_table,
    label,
    measure,
    printed,
    reason,
    sheet,
    cell
from facts.quarantine
