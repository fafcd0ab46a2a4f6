-- The part of an amount that counts for a member, to the cent; nearly always it is all of it.
create macro ops.share_of(amount, share) as
case when share = 1 then amount else round(cast(amount as decimal(28, 2)) * share, 2) end;
