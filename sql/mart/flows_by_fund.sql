-- Net flow of every week by fund.
-- grain: one row a source, week and fund
-- kind: view
select *
from mart.flows
where dimension = 'fund'
