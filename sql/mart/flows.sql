with counted as (
    select
        member.source,
        member.week_ending,
        member.dimension,
        member.member,
        ops.share_of(week.net_flow_usd, member.share_counted) as net_flow_usd,
        ops.share_of(week.net_flow_half_unit_usd, member.share_counted) as half_unit_usd,
        ops.share_of(week.seed_flow_usd, member.share_counted) as seed_flow_usd,
        ops.share_of(week.structural_flow_usd, member.share_counted) as structural_flow_usd,
        coalesce(fund.exposure, 1) as exposure,
        week.days,
        week.days - week.days_without_flow as days_with_flow,
        week.flow_method,
        week.status,
        week.fund = 'unmapped' as is_unmapped,
        week.holder,
        week.null_reason
    from core.fund_week as week
    inner join core.fund_week_member as member
        using (source, holder, week_ending, members_since)
    left join core.membership as fund
        on week.fund = fund.fund
        and week.members_since = fund.valid_from
    where week.days > 0 or week.net_flow_usd is not null
),

of_funds as (
    select
        source,
        week_ending,
        dimension,
        member,
        sum(net_flow_usd) as net_flow_usd,
        ops.bound_of(net_flow_usd, half_unit_usd) as half_unit_usd,
        sum(net_flow_usd - seed_flow_usd) as net_flow_ex_seed_usd,
        sum(net_flow_usd - structural_flow_usd) as net_flow_ex_structural_usd,
        sum(net_flow_usd * exposure) as exposure_flow_usd,
        'sum of funds' as basis,
        case when count(distinct flow_method) > 1 then 'mixed' else max(flow_method) end as method,
        count(distinct holder) as funds,
        coalesce(
            100 * sum(days_with_flow) / nullif(sum(days), 0),
            100 * count(net_flow_usd) / count(*)
        ) as coverage,
        case
            when bool_or(status = 'preliminary') then 'preliminary'
            when bool_or(status = 'partial' or net_flow_usd is null) then 'partial'
            else 'final'
        end as status,
        bool_or(is_unmapped) as has_unmapped,
        ops.first_reason(null_reason) as null_reason
    from counted
    group by all
),

-- Totals of days that the source itself prints stand for those days, instead of our sum.
printed_totals as (
    select
        source,
        week_ending,
        bool_or(status = 'preliminary') as is_preliminary
    from core.observation
    where dimension = 'total' and measure = 'net_flow' and period = 'day'
    group by all
),

week_totals as (
    select
        day.source,
        printed.week_ending,
        printed.is_preliminary,
        sum(day.net_flow_usd) as net_flow_usd,
        ops.bound_of(day.net_flow_usd, day.net_flow_half_unit_usd) as half_unit_usd
    from printed_totals as printed
    inner join core.flow_day as day
        on printed.source = day.source
        and day.trade_date between printed.week_ending - 6 and printed.week_ending
    where day.dimension = 'total'
    group by all
),

with_totals as (
    select
        of_funds.source,
        of_funds.week_ending,
        of_funds.dimension,
        of_funds.member,
        coalesce(printed.net_flow_usd, of_funds.net_flow_usd) as net_flow_usd,
        case
            when printed.net_flow_usd is null then of_funds.half_unit_usd
            else printed.half_unit_usd
        end as half_unit_usd,
        of_funds.net_flow_ex_seed_usd
        + coalesce(printed.net_flow_usd - of_funds.net_flow_usd, 0) as net_flow_ex_seed_usd,
        of_funds.net_flow_ex_structural_usd
        + coalesce(printed.net_flow_usd - of_funds.net_flow_usd, 0)
            as net_flow_ex_structural_usd,
        of_funds.exposure_flow_usd,
        case when printed.net_flow_usd is null then of_funds.basis else 'printed' end as basis,
        case when printed.net_flow_usd is null then of_funds.method else 'printed' end as method,
        of_funds.funds,
        of_funds.coverage,
        case
            when printed.is_preliminary then 'preliminary'
            -- The file of a fund has not been renewed (E81).
            when of_funds.status = 'final' and missing.source is not null then 'partial'
            -- An unmapped fund may be one that is there already: our sum may have it twice (E103).
            when
                of_funds.status = 'final' and of_funds.has_unmapped
                and printed.net_flow_usd is null
                then 'partial'
            else of_funds.status
        end as status,
        of_funds.null_reason
    from of_funds
    left join week_totals as printed
        on of_funds.source = printed.source
        and of_funds.week_ending = printed.week_ending and of_funds.dimension = 'total'
    left join core.missing_member as missing
        on of_funds.source = missing.source
        and of_funds.dimension = missing.dimension
        and of_funds.member = missing.member
        and of_funds.week_ending > missing.last_week
),

reported as (
    select
        week.source,
        week.week_ending,
        week.dimension,
        week.member,
        sum(week.net_flow_usd) as net_flow_usd,
        ops.bound_of(week.net_flow_usd, week.net_flow_half_unit_usd) as half_unit_usd,
        null as net_flow_ex_seed_usd,
        null as net_flow_ex_structural_usd,
        sum(week.net_flow_usd * asset.direction) as exposure_flow_usd,
        max(week.basis) as basis,
        'printed' as method,
        null as funds,
        null as coverage,
        case
            when bool_or(week.status = 'preliminary') then 'preliminary'
            when bool_or(week.net_flow_usd is null or week.status = 'partial') then 'partial'
            else 'final'
        end as status,
        'flow unknown' as null_reason
    from core.reported_week as week
    left join reference.asset
        on week.dimension = 'asset' and week.member = asset.asset
    where week.dimension <> 'fund'
    group by all
),

-- What the printed members leave unexplained of the printed total, so that parts add up (E49).
derived as (
    select
        axis.source,
        axis.week_ending,
        axis.dimension,
        'other-derived' as member,
        axis.remainder_usd as net_flow_usd,
        axis.hard_bound_usd as half_unit_usd,
        null as net_flow_ex_seed_usd,
        null as net_flow_ex_structural_usd,
        null as exposure_flow_usd,
        'derived' as basis,
        null as method,
        null as funds,
        null as coverage,
        axis.status,
        null as null_reason
    from core.reported_axis as axis
    where axis.verdict = 'unexplained'
),

combined as (
    select * from with_totals
    anti join reported using (source, week_ending, dimension)
    union all
    select * from reported
    union all
    select * from derived
)

select
    combined.source,
    combined.week_ending,
    combined.dimension,
    combined.member,
    coalesce(member.member_name, combined.member) as member_name,
    cast(round(combined.net_flow_usd, 2) as decimal(18, 2)) as net_flow_usd,
    cast(combined.half_unit_usd as decimal(18, 2)) as net_flow_half_unit_usd,
    cast(round(combined.net_flow_ex_seed_usd, 2) as decimal(18, 2)) as net_flow_ex_seed_usd,
    cast(round(combined.net_flow_ex_structural_usd, 2) as decimal(18, 2))
        as net_flow_ex_structural_usd,
    cast(round(combined.exposure_flow_usd, 2) as decimal(18, 2)) as exposure_flow_usd,
    combined.basis,
    combined.method,
    case when combined.dimension = 'country' then source.country_basis end as country_basis,
    combined.funds,
    cast(combined.coverage as decimal(18, 6)) as coverage,
    combined.status,
    case when combined.net_flow_usd is null then combined.null_reason end as null_reason
from combined
inner join core.source
    on combined.source = source.source
left join core.member
    on combined.dimension = member.dimension
    and combined.member = member.member
