with totals as (
    select
        source,
        week_ending,
        arg_min(net_flow_usd, row(net_flow_half_unit_usd, label)) as total_usd,
        min(net_flow_half_unit_usd) as half_unit_usd
    from core.reported_week
    where dimension = 'total' and net_flow_usd is not null
    group by all
),

summed as (
    select
        member.source,
        member.week_ending,
        member.dimension,
        total.total_usd,
        sum(member.net_flow_usd) as members_usd,
        sum(member.net_flow_half_unit_usd) + max(total.half_unit_usd) as hard_bound_usd,
        case
            when bool_or(member.status = 'preliminary') then 'preliminary'
            else 'final'
        end as status
    from core.reported_week as member
    inner join totals as total
        on member.source = total.source
        and member.week_ending = total.week_ending
    inner join core.dimension
        on member.dimension = dimension.dimension
        and dimension.is_axis
    where member.net_flow_usd is not null
    group by all
)

select
    source,
    week_ending,
    dimension,
    total_usd,
    members_usd,
    total_usd - members_usd as remainder_usd,
    hard_bound_usd,
    ops.verdict(total_usd - members_usd, hard_bound_usd) as verdict,
    status
from summed
