-- The publishers' series of reports that the ledger reads, with what their figures cover.
-- grain: one row a source
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
    price_basis
from input.source
