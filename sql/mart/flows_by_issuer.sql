-- kind: view
select *
from mart.flows
where dimension = 'issuer'
