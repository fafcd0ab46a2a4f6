-- kind: view
select *
from mart.aum_change
where dimension = 'sponsor'
