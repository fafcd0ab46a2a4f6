-- kind: view
-- each: dimension with views
select *
from mart.aum_change
where dimension = 'asset'
