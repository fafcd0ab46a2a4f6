-- Net flow of every week by sponsor.
-- grain: one row a source, week and sponsor
-- kind: view
select *
from mart.flows
where dimension = 'sponsor'
