-- Sources that print neither weeks nor funds: their days are summed as those of funds are (E114).
with elsewhere as (
    select
        source,
        week_ending
    from core.printed_usd
    where period = 'week'
    union
    select
        source,
        week_ending
    from core.fund_day
),

printed as (
    select
        money.source,
        money.week_ending,
        money.period_end as trade_date,
        money.dimension,
        money.label,
        money.member,
        arg_min(value_usd, row(half_unit_usd, printed_table)) filter (
            where measure = 'net_flow' and not (value_usd = 0 and status = 'preliminary')
        ) as net_flow_usd,
        min(half_unit_usd) filter (where measure = 'net_flow') as net_flow_half_unit_usd,
        arg_min(value_usd, row(half_unit_usd, printed_table)) filter (where measure = 'aum')
            as aum_usd,
        min(half_unit_usd) filter (where measure = 'aum') as aum_half_unit_usd,
        bool_or(status = 'preliminary') as is_preliminary
    from core.printed_usd as money
    anti join elsewhere
        on money.source = elsewhere.source
        and money.week_ending = elsewhere.week_ending
    where money.period in ('day', 'close')
    group by all
),

with_totals as (
    select distinct
        source,
        trade_date
    from printed
    where dimension = 'total'
),

-- Of several breakdowns of one total, one makes it (E117).
broken_down as (
    select *
    from printed
    anti join with_totals
        using (source, trade_date)
    qualify
        list_position(['asset', 'issuer', 'country'], dimension)
        = min(list_position(['asset', 'issuer', 'country'], dimension))
            over (partition by source, week_ending)
),

totals as (
    select
        source,
        week_ending,
        trade_date,
        'total' as dimension,
        'total' as label,
        'total' as member,
        sum(net_flow_usd) as net_flow_usd,
        sum(net_flow_half_unit_usd) as net_flow_half_unit_usd,
        case when count(aum_usd) = count(*) then sum(aum_usd) end as aum_usd,
        sum(aum_half_unit_usd) as aum_half_unit_usd,
        bool_or(is_preliminary) as is_preliminary,
        count(net_flow_usd) as flows,
        bool_or(member = 'unmapped') as has_unmapped,
        count(*) as members
    from broken_down
    group by all
),

-- A member that has no row on a day is missing from the total of that day.
whole as (
    select
        * exclude (flows, members, aum_usd, has_unmapped),
        max(members) over (partition by source, week_ending) as all_members,
        -- What is unmapped may be another's part, or one that is there already (E103).
        flows = all_members and not has_unmapped as is_complete,
        case when members = all_members then aum_usd end as aum_usd
    from totals
)

select
    source,
    week_ending,
    trade_date,
    dimension,
    label,
    member,
    net_flow_usd,
    net_flow_half_unit_usd,
    aum_usd,
    aum_half_unit_usd,
    is_preliminary,
    net_flow_usd is not null as is_complete,
    'printed' as basis
from printed
union all
select
    source,
    week_ending,
    trade_date,
    dimension,
    label,
    member,
    net_flow_usd,
    net_flow_half_unit_usd,
    aum_usd,
    aum_half_unit_usd,
    is_preliminary,
    is_complete,
    'derived' as basis
from whole
