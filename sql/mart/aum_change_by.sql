-- The change of AUM over a week by asset; a view for each dimension.
-- grain: one row a source, week and member
-- kind: view
-- each: dimension with views
select *
from mart.aum_change
where dimension = 'asset'
