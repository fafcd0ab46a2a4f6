-- Whether a printed number is at most another one: true or false only if that holds for all values
-- that the two can have (F9).
create macro ops.is_at_most(low, high, other_low, other_high) as case
    when high <= other_low then 'true'
    when low > other_high then 'false'
    else 'undecidable'
end;
