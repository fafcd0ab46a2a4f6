-- kind: view
-- each: dimension with views
select *
from mart.flows
where dimension = 'asset'
