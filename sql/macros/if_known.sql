-- A sum from a day on, if nothing before a later day is missing from it.
create macro ops.if_known(amount, from_day, known_since) as
case when known_since is null or from_day >= known_since then cast(amount as decimal(18, 2)) end;
