select
    dimension,
    meaning,
    membership,
    counts_twice,
    is_printed,
    is_axis
from input.dimension
