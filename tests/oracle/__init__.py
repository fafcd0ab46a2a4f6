"""The oracle: the marts once more, from observations and reference rows, in loops and Decimal.

A second opinion that shares no line with the SQL: written from METHODOLOGY and from what the
contracts say of each column, plain enough for an analyst to check by hand. Nothing here imports
`pipelines`, except for `seam`, which builds warehouses for the tests to compare with.

What is computed:

    amounts         how money is rounded
    observed        observations and sources, as a built database holds them
    reference       the rows of sql/reference, as on a day
    rates           US dollars for a unit of a currency
    positions       what a source says about a fund on a day, splits and all
    steps           from one position to the next (F1, F2, F4); exits; with `transfers`
    weeks           a fund's week, or a part of it in which the fund is one thing
    missing_days    days without a row, and what they make doubtful
    reported        weeks that a source prints by member
    book            all of it, source by source
    flows, changes, periods     the rows of the marts

What it is held against: `compare` (keys both ways, then every column), on samples, real reports and
random `worlds` with `fund_worlds`, `weekly_worlds`, `page_worlds`.
"""
