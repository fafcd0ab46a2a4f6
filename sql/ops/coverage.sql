select
    source,
    week_ending,
    expected_by,
    first_known_at,
    state
from input.coverage
