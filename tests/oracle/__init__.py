"""The oracle: the marts once more, from observations and reference rows, in loops and Decimal.

A second opinion that shares no line with the SQL: written from METHODOLOGY and from what the
contracts say of each column, plain enough for an analyst to check by hand. Nothing here imports
`pipelines`, except for the one module that builds warehouses for the tests to compare with.

    observed      observations and sources, as a built database holds them
    reference     the rows of sql/reference, as on a day
    rates         US dollars for a unit of a currency
    positions     what a source says about a fund on a day
    steps         from one position to the next; transfers; exits
    weeks         a fund's week, by the issuer (or sponsor) that it then had
    reported      weeks that a source prints by member
    flows, changes, periods   the four marts, row by row
    faults        where the SQL is known to be wrong
    compare       oracle against mart: keys both ways, then every column
"""
