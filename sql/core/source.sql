-- The publishers' series of reports that the ledger reads, with what their figures cover.
-- grain: one row a source
select
    source,
    title,
    publisher,
    url,
    universe,
    country_basis,
    week_ends
from facts.source
