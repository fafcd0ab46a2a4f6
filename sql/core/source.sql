select
    source,
    title,
    publisher,
    url,
    universe,
    country_basis,
    week_ends,
    report_covers,
    is_split_adjusted,
    price_basis,
    calendar
from input.source
