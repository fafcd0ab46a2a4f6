-- The change of AUM over a week by sponsor.
-- grain: one row a source, week and sponsor
-- kind: view
select *
from mart.aum_change
where dimension = 'sponsor'
