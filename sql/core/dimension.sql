-- Every dimension by which money is counted, and what makes a fund a member.
-- grain: one row a dimension
select
    dimension,
    meaning,
    membership,
    counts_twice,
    is_printed,
    is_axis,
    is_daily
from input.dimension
