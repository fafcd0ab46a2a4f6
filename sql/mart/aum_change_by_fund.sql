-- The change of AUM over a week by fund.
-- grain: one row a source, week and fund
-- kind: view
select *
from mart.aum_change
where dimension = 'fund'
