select
    dimension,
    meaning,
    membership,
    counts_twice,
    is_printed,
    is_axis,
    is_daily
from input.dimension
