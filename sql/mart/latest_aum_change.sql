-- kind: view
with latest as (
    select
        source,
        dimension,
        max(week_ending) as week_ending
    from mart.flows
    where net_flow_usd is not null
    group by all
)

select
    flows.source,
    flows.week_ending,
    flows.dimension,
    flows.member,
    flows.member_name,
    aum_change.aum_open_usd,
    flows.net_flow_usd,
    aum_change.market_effect_usd,
    case
        when
            coalesce(
                aum_change.fx_effect_usd,
                aum_change.corporate_action_usd,
                aum_change.universe_effect_usd
            ) is not null
            then
                coalesce(aum_change.fx_effect_usd, 0)
                + coalesce(aum_change.corporate_action_usd, 0)
                + coalesce(aum_change.universe_effect_usd, 0)
    end as other_effect_usd,
    aum_change.aum_close_usd,
    aum_change.aum_change_pct,
    flows.status
from mart.flows
inner join latest
    on flows.source = latest.source
    and flows.dimension = latest.dimension
    and flows.week_ending = latest.week_ending
left join mart.aum_change
    on flows.source = aum_change.source
    and flows.dimension = aum_change.dimension
    and flows.week_ending = aum_change.week_ending
    and flows.member = aum_change.member
