select
    'fund' as dimension,
    fund as member,
    fund_name as member_name
from reference.fund
union all
select
    'asset' as dimension,
    asset as member,
    asset_name as member_name
from reference.asset
union all
select
    'issuer' as dimension,
    issuer as member,
    issuer_name as member_name
from reference.issuer
union all
select
    'country' as dimension,
    country as member,
    country_name as member_name
from reference.country
union all
select
    'issuer_as_is' as dimension,
    issuer as member,
    issuer_name as member_name
from reference.issuer
union all
select distinct
    'sponsor' as dimension,
    sponsor as member,
    sponsor as member_name
from reference.issuer_sponsor
union all
select
    'total' as dimension,
    'total' as member,
    'Total' as member_name
union all
-- What the printed members leave of a printed total.
select
    unnest(['asset', 'issuer', 'country']) as dimension,
    'other-derived' as member,
    'Other (derived)' as member_name
union all
select
    unnest(['fund', 'asset', 'issuer', 'issuer_as_is', 'sponsor', 'country']) as dimension,
    'unmapped' as member,
    'Unmapped' as member_name
