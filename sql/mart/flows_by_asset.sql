-- Net flow of every week by asset.
-- grain: one row a source, week and asset
-- kind: view
select *
from mart.flows
where dimension = 'asset'
