with counted as (
    select
        member.source,
        member.week_ending,
        member.dimension,
        member.member,
        ops.share_of(week.aum_open_usd, member.share_counted) as aum_open_usd,
        ops.share_of(week.bridge_flow_usd, member.share_counted) as net_flow_usd,
        ops.share_of(week.fx_effect_usd, member.share_counted) as fx_effect_usd,
        ops.share_of(week.corporate_action_usd, member.share_counted) as corporate_action_usd,
        ops.share_of(week.universe_effect_usd, member.share_counted) as universe_effect_usd,
        ops.share_of(week.aum_close_usd, member.share_counted) as aum_close_usd,
        ops.share_of(week.net_flow_half_unit_usd, member.share_counted) as flow_half_unit_usd,
        ops.share_of(week.aum_half_unit_usd, member.share_counted) as aum_half_unit_usd,
        week.aum_open_usd is not null and week.aum_close_usd is not null as is_bridged,
        week.market_effect_usd is not null as is_flow_known,
        week.is_entered,
        case when week.market_effect_usd is null then week.null_reason end as null_reason,
        case
            when week.fund = 'unmapped' and week.status = 'final' then 'partial'
            else week.status
        end as status
    from core.fund_week as week
    inner join core.fund_week_member as member
        using (source, holder, week_ending, members_since)
),

of_funds as (
    select
        source,
        week_ending,
        dimension,
        member,
        sum(aum_open_usd) as aum_open_usd,
        sum(net_flow_usd) as net_flow_usd,
        -- A flow is held against the AUM of the funds that it is of (E80).
        sum(net_flow_usd) filter (where aum_open_usd is not null) as based_flow_usd,
        sum(aum_open_usd) filter (where net_flow_usd is not null) as flow_base_usd,
        -- What is left is the market only if every day's flow is known: never a guess.
        case
            when bool_and(is_flow_known)
                then
                    sum(aum_close_usd)
                    - sum(aum_open_usd)
                    - coalesce(sum(net_flow_usd), 0)
                    - sum(fx_effect_usd)
                    - sum(corporate_action_usd)
                    - sum(universe_effect_usd)
        end as market_effect_usd,
        sum(fx_effect_usd) as fx_effect_usd,
        sum(corporate_action_usd) as corporate_action_usd,
        sum(universe_effect_usd) as universe_effect_usd,
        sum(aum_close_usd) as aum_close_usd,
        ops.bound_of(net_flow_usd, flow_half_unit_usd) as flow_half_unit_usd,
        ops.bound_of(aum_close_usd, aum_half_unit_usd) as aum_half_unit_usd,
        bool_and(is_bridged) as is_bridged,
        'funds' as method,
        100 * sum(
            case when is_flow_known then aum_close_usd else 0 end
        ) / nullif(sum(aum_close_usd), 0) as coverage,
        case
            when bool_or(status = 'preliminary') then 'preliminary'
            when bool_and(is_flow_known and status = 'final') then 'final'
            else 'partial'
        end as status,
        ops.first_reason(null_reason) as null_reason
    from counted
    group by all
    having bool_or(is_entered)
),

reported_weeks as (
    select
        source,
        week_ending,
        dimension,
        member,
        sum(net_flow_usd) as net_flow_usd,
        sum(aum_usd) as aum_close_usd,
        ops.bound_of(net_flow_usd, net_flow_half_unit_usd) as flow_half_unit_usd,
        ops.bound_of(aum_usd, aum_half_unit_usd) as aum_half_unit_usd,
        max(status) as status
    from core.reported_week
    group by all
),

reported as (
    select
        this_week.source,
        this_week.week_ending,
        this_week.dimension,
        this_week.member,
        week_before.aum_close_usd as aum_open_usd,
        this_week.net_flow_usd,
        this_week.net_flow_usd as based_flow_usd,
        week_before.aum_close_usd as flow_base_usd,
        this_week.aum_close_usd - week_before.aum_close_usd - this_week.net_flow_usd
            as market_effect_usd,
        null as fx_effect_usd,
        null as corporate_action_usd,
        null as universe_effect_usd,
        this_week.aum_close_usd,
        this_week.flow_half_unit_usd,
        this_week.aum_half_unit_usd,
        true as is_bridged,
        'reported' as method,
        null as coverage,
        this_week.status,
        case when this_week.net_flow_usd is null then 'flow unknown' else 'no position' end
            as null_reason
    from reported_weeks as this_week
    left join reported_weeks as week_before
        on this_week.source = week_before.source
        and this_week.dimension = week_before.dimension and this_week.member = week_before.member
        and this_week.week_ending - 7 = week_before.week_ending
    where this_week.aum_close_usd is not null and this_week.dimension <> 'fund'
),

-- A change is one of the same funds: of all, or it is none (E77).
combined as (
    select
        *,
        case when is_bridged then aum_close_usd - aum_open_usd end as aum_change_usd
    from (
        select * from of_funds
        anti join reported using (source, week_ending, dimension)
        union all by name
        select * from reported
    ) as both_methods
)

select
    combined.source,
    combined.week_ending,
    combined.dimension,
    combined.member,
    coalesce(member.member_name, combined.member) as member_name,
    cast(combined.aum_open_usd as decimal(18, 2)) as aum_open_usd,
    cast(combined.net_flow_usd as decimal(18, 2)) as net_flow_usd,
    cast(combined.market_effect_usd as decimal(18, 2)) as market_effect_usd,
    cast(combined.fx_effect_usd as decimal(18, 2)) as fx_effect_usd,
    cast(combined.corporate_action_usd as decimal(18, 2)) as corporate_action_usd,
    cast(combined.universe_effect_usd as decimal(18, 2)) as universe_effect_usd,
    cast(combined.aum_close_usd as decimal(18, 2)) as aum_close_usd,
    cast(combined.flow_half_unit_usd as decimal(18, 2)) as net_flow_half_unit_usd,
    cast(combined.aum_half_unit_usd as decimal(18, 2)) as aum_half_unit_usd,
    cast(combined.aum_change_usd as decimal(18, 2)) as aum_change_usd,
    cast(
        100 * combined.aum_change_usd / nullif(combined.aum_open_usd, 0)
        as decimal(28, 6)
    ) as aum_change_pct,
    cast(
        100 * combined.based_flow_usd / nullif(combined.flow_base_usd, 0) as decimal(28, 6)
    ) as flow_pct_of_aum,
    combined.method,
    cast(combined.coverage as decimal(28, 6)) as coverage,
    -- The file of a fund has not been renewed: its AUM is in no sum (E81).
    case
        when combined.status = 'final' and combined.method = 'funds' and missing.source is not null
            then 'partial'
        else combined.status
    end as status,
    case when combined.market_effect_usd is null then combined.null_reason end as null_reason
from combined
left join core.missing_member as missing
    on combined.source = missing.source
    and combined.dimension = missing.dimension
    and combined.member = missing.member
    and combined.week_ending > missing.last_week
left join core.member
    on combined.dimension = member.dimension
    and combined.member = member.member
