-- The change of AUM over a week by issuer_as_is.
-- grain: one row a source, week and issuer_as_is
-- kind: view
select *
from mart.aum_change
where dimension = 'issuer_as_is'
