with looked_through as (
    select
        week.source,
        week.week_ending,
        coalesce(weight.asset, member.member) as asset,
        cast(week.net_flow_usd as decimal(20, 2))
        * member.share_counted
        * cast(coalesce(weight.weight, 1) as decimal(12, 10)) as net_flow_usd
    from core.fund_week as week
    inner join core.fund_week_member as member
        on week.source = member.source
        and week.holder = member.holder
        and week.week_ending = member.week_ending
        and week.members_since = member.members_since
        and member.dimension = 'asset'
    left join reference.asset_weight as weight
        on week.fund = weight.fund
        and ops.is_valid(week.week_ending - 7, weight.valid_from, weight.valid_to)
)

select
    source,
    week_ending,
    asset,
    cast(round(sum(net_flow_usd), 2) as decimal(18, 2)) as net_flow_usd
from looked_through
group by all
