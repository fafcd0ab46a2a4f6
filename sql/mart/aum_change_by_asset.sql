-- The change of AUM over a week by asset.
-- grain: one row a source, week and asset
-- kind: view
select *
from mart.aum_change
where dimension = 'asset'
