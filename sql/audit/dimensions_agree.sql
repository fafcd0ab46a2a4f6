-- Summed over funds, every dimension of a source and week has the same net flow: funds and
-- countries keep what is counted twice, all others count it once (E20).
with summed as (
    select
        source,
        week_ending,
        dimension in ('fund', 'country') as counts_twice,
        dimension,
        sum(net_flow_usd) as net_flow_usd
    from mart.flows
    where basis = 'sum of funds' and dimension <> 'total'
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
