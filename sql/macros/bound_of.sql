-- How far rounding in print can move a sum of amounts (F9): unknown if one of them is computed.
create macro ops.bound_of(amount, half_unit) as
case when count(amount) = count(half_unit) then sum(half_unit) end;
