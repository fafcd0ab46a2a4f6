-- Whether a dated row holds on a day: from its first day to its last one, if that is known yet.
create macro ops.is_valid(day, valid_from, valid_to) as
day >= valid_from and day <= coalesce(valid_to, date '9999-12-31');
