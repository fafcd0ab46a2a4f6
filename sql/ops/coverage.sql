-- Whether every week that a source was expected to report is there, by its release calendar.
-- grain: one row a source and week
select
    source,
    week_ending,
    expected_by,
    first_known_at,
    state
from input.coverage
