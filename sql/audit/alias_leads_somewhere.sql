-- Every alias, identifier and membership names a member that exists.
select
    'alias' as file,
    alias.dimension || ' ' || alias.label as label,
    alias.member as points_at
from reference.alias
anti join core.member using (dimension, member)
union all
select
    'fund_identifier' as file,
    fund_identifier.identifier as label,
    fund_identifier.fund as points_at
from reference.fund_identifier
anti join reference.fund using (fund)
union all
select
    'fund_issuer' as file,
    fund_issuer.fund as label,
    fund_issuer.issuer as points_at
from reference.fund_issuer
anti join reference.issuer using (issuer)
union all
-- each attribute of a fund
select
    'fund' as file,
    fund.fund as label,
    fund.asset as points_at
from reference.fund
anti join reference.asset using (asset)
union all
-- end
select
    'issuer_sponsor' as file,
    issuer_sponsor.issuer as label,
    issuer_sponsor.issuer as points_at
from reference.issuer_sponsor
anti join reference.issuer using (issuer)
