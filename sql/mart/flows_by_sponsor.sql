-- kind: view
select *
from mart.flows
where dimension = 'sponsor'
