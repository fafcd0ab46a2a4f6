-- Whether a printed number is the largest of it and others, given as lists of their ends: true or
-- false only if that holds for all values that they can have (F10, E58).
create macro ops.is_largest(low, high, other_lows, other_highs) as case
    when len(other_lows) = 0 or list_max(other_highs) <= low then 'true'
    when list_max(other_lows) > high then 'false'
    else 'undecidable'
end;
