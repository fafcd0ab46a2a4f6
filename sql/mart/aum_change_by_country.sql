-- The change of AUM over a week by country.
-- grain: one row a source, week and country
-- kind: view
select *
from mart.aum_change
where dimension = 'country'
