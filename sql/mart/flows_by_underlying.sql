-- kind: view
select
    flows.source,
    flows.week_ending,
    coalesce(asset.underlying, flows.member) as underlying,
    sum(flows.net_flow_usd) as net_flow_usd,
    sum(flows.exposure_flow_usd) as exposure_flow_usd
from mart.flows
left join reference.asset
    on flows.member = asset.asset
where flows.dimension = 'asset'
group by all
