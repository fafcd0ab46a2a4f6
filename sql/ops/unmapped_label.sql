-- kind: view
select
    source,
    dimension,
    label,
    min(period_start) as since
from core.observation
where member = 'unmapped' and dimension <> 'check' and value is not null
group by all
