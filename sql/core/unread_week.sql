select
    source,
    week_ending,
    known_at
from input.unread_week
