-- Summed over funds, every dimension of a source and week has the same net flow: funds and
-- countries keep what is counted twice, all others count it once (E20).
with summed as (
    select
        flows.source,
        flows.week_ending,
        dimension.counts_twice,
        flows.dimension,
        sum(flows.net_flow_usd) as net_flow_usd
    from mart.flows
    inner join core.dimension
        on flows.dimension = dimension.dimension
    where flows.basis = 'sum of funds' and flows.dimension <> 'total'
    group by all
)

select
    source,
    week_ending,
    counts_twice,
    min(net_flow_usd) as lowest,
    max(net_flow_usd) as highest
from summed
group by all
having min(net_flow_usd) <> max(net_flow_usd)
