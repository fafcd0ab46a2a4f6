-- The change of AUM over a week by issuer.
-- grain: one row a source, week and issuer
-- kind: view
select *
from mart.aum_change
where dimension = 'issuer'
