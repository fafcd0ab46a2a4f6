-- Net flow of every week by country.
-- grain: one row a source, week and country
-- kind: view
select *
from mart.flows
where dimension = 'country'
