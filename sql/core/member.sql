-- each dimension with names
select
    'asset' as dimension,
    asset as member,
    asset_name as member_name
from reference.asset
union all
-- end
select
    'fund' as dimension,
    fund as member,
    arg_max(fund_name, valid_from) as member_name
from reference.fund
group by fund
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
    dimension,
    'other-derived' as member,
    'Other (derived)' as member_name
from core.dimension
where is_axis
union all
select
    dimension,
    'unmapped' as member,
    'Unmapped' as member_name
from core.dimension
where dimension <> 'total'
