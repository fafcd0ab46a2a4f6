-- Net flow of every week by asset; a view for each dimension.
-- grain: one row a source, week and member
-- kind: view
-- each: dimension with views
select *
from mart.flows
where dimension = 'asset'
