-- Net flow of every week by issuer.
-- grain: one row a source, week and issuer
-- kind: view
select *
from mart.flows
where dimension = 'issuer'
