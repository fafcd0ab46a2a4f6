-- Net flow of every week by issuer_as_is.
-- grain: one row a source, week and issuer_as_is
-- kind: view
select *
from mart.flows
where dimension = 'issuer_as_is'
