-- How a line adds up: exactly, within rounding, or not (F9). A bound that is not known explains
-- nothing.
create macro ops.verdict(residual, hard_bound) as case
    when residual is null then 'unknown'
    when residual = 0 then 'exact'
    when abs(residual) <= hard_bound then 'rounding'
    else 'unexplained'
end;
