-- Net flow of every week by fund, asset, issuer, country and in total.
-- grain: one row a source, week, dimension and member
with of_funds as (
    select
        member.source,
        member.week_ending,
        member.dimension,
        member.member,
        sum(week.net_flow_usd) as net_flow_usd,
        'sum of funds' as basis,
        if(count(distinct week.flow_method) > 1, 'mixed', max(week.flow_method)) as method,
        count(*) as funds,
        100 * count(week.net_flow_usd) / count(*) as coverage,
        case
            when bool_or(week.status = 'preliminary') then 'preliminary'
            when bool_or(week.status = 'partial' or week.net_flow_usd is null) then 'partial'
            else 'final'
        end as status
    from core.fund_week as week
    inner join core.fund_week_member as member
        using (source, label, week_ending)
    where week.days > 0
    group by all
),

-- Totals of days that the source itself prints stand for the week, instead of our sum.
printed_totals as (
    select
        source,
        week_ending,
        sum(value) as net_flow_usd,
        bool_or(status = 'preliminary') as is_preliminary
    from core.observation
    where dimension = 'total' and measure = 'net_flow' and period = 'day'
    group by all
),

with_totals as (
    select
        of_funds.source,
        of_funds.week_ending,
        of_funds.dimension,
        of_funds.member,
        coalesce(printed.net_flow_usd, of_funds.net_flow_usd) as net_flow_usd,
        if(printed.net_flow_usd is null, of_funds.basis, 'printed') as basis,
        if(printed.net_flow_usd is null, of_funds.method, 'printed') as method,
        of_funds.funds,
        of_funds.coverage,
        if(printed.is_preliminary, 'preliminary', of_funds.status) as status
    from of_funds
    left join printed_totals as printed
        on of_funds.source = printed.source
        and of_funds.week_ending = printed.week_ending
        and of_funds.dimension = 'total'
),

reported as (
    select
        source,
        week_ending,
        dimension,
        member,
        sum(net_flow_usd) as net_flow_usd,
        'printed' as basis,
        'printed' as method,
        null as funds,
        null as coverage,
        if(bool_or(status = 'preliminary'), 'preliminary', 'final') as status
    from core.reported_week
    group by all
),

combined as (
    select * from with_totals
    union all by name
    select * from reported
)

select
    combined.source,
    combined.week_ending,
    combined.dimension,
    combined.member,
    coalesce(member.member_name, combined.member) as member_name,
    cast(round(combined.net_flow_usd, 2) as decimal(18, 2)) as net_flow_usd,
    combined.basis,
    combined.method,
    if(combined.dimension = 'country', source.country_basis, null) as country_basis,
    combined.funds,
    cast(combined.coverage as decimal(18, 6)) as coverage,
    combined.status
from combined
inner join core.source
    on combined.source = source.source
left join core.member
    on combined.dimension = member.dimension
    and combined.member = member.member
