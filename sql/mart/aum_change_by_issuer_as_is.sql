-- kind: view
select *
from mart.aum_change
where dimension = 'issuer_as_is'
