-- The part of an amount that counts for a member, to the cent; nearly always it is all of it.
create macro ops.share_of(amount, share) as
if(share = 1, amount, round(cast(amount as decimal(28, 2)) * share, 2));
