-- kind: view
select *
from mart.flows
where dimension = 'issuer_as_is'
