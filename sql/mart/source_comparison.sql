with spans as (
    select
        source,
        week_ending,
        min(period_start) as first_day,
        max(period_end) as last_day
    from core.observation
    where period = 'week' and measure = 'net_flow'
    group by all
),

flows as (
    select
        flows.source,
        flows.week_ending,
        flows.dimension,
        flows.member,
        flows.member_name,
        flows.net_flow_usd,
        coalesce(flows.net_flow_half_unit_usd, 0) as half_unit_usd,
        flows.status,
        source.universe,
        source.week_ends,
        -- A publisher's own week may have six or eight days (E32).
        coalesce(spans.first_day, flows.week_ending - 6) as first_day,
        coalesce(spans.last_day, flows.week_ending) as last_day
    from mart.flows as flows
    inner join core.source
        on flows.source = source.source
    inner join core.dimension
        on flows.dimension = dimension.dimension
        and dimension.is_printed
    left join spans
        on flows.source = spans.source
        and flows.week_ending = spans.week_ending
    where
        flows.net_flow_usd is not null
        and flows.member <> 'unmapped'
),

-- Sources without a common asset (iShares' bitcoin, iShares' ether) are not compared.
paired as (
    select distinct
        one.source,
        one.week_ending,
        other.source as other_source,
        other.week_ending as other_week_ending
    from flows as one
    inner join flows as other
        on one.source < other.source
        and one.dimension = other.dimension
        and one.member = other.member
        -- Half of seven days: of all weeks of the other source, the one that overlaps most.
        and other.week_ending between one.week_ending - 3 and one.week_ending + 3
    where one.dimension = 'asset'
),

compared as (
    select
        one.source,
        other.source as other_source,
        one.week_ending,
        other.week_ending as other_week_ending,
        one.dimension,
        one.member,
        one.member_name,
        one.universe,
        other.universe as other_universe,
        one.week_ends,
        other.week_ends as other_week_ends,
        other.first_day,
        other.last_day,
        one.last_day - one.first_day + 1 as days,
        other.last_day - other.first_day + 1 as other_days,
        least(one.last_day, other.last_day) - greatest(one.first_day, other.first_day) + 1
            as overlap_days,
        one.net_flow_usd,
        other.net_flow_usd as other_net_flow_usd,
        other.net_flow_usd - one.net_flow_usd as difference_usd,
        one.half_unit_usd + other.half_unit_usd as hard_bound,
        one.status = 'final' and other.status = 'final' as is_final,
        one.dimension = 'fund' or one.universe = other.universe as is_same_universe
    from paired
    inner join flows as one
        on paired.source = one.source
        and paired.week_ending = one.week_ending
    inner join flows as other
        on paired.other_source = other.source
        and paired.other_week_ending = other.week_ending
        and one.dimension = other.dimension
        and one.member = other.member
),

-- The sessions of the other source's week, each with the one before and after: a source that dates
-- its days at settlement is one off (E06).
sessions as (
    select
        compared.source,
        compared.other_source,
        compared.week_ending,
        compared.dimension,
        compared.member,
        compared.net_flow_usd,
        day.trade_date between compared.first_day and compared.last_day as is_of_week,
        lag(day.net_flow_usd) over session as flow_before,
        lead(day.net_flow_usd) over session as flow_after
    from compared
    inner join core.flow_day as day
        on compared.other_source = day.source
        and compared.dimension = day.dimension
        and compared.member = day.member
        and day.trade_date between compared.first_day - 7 and compared.last_day + 7
    where compared.is_same_universe
    window
        session as (
            partition by
                compared.source,
                compared.other_source,
                compared.week_ending,
                compared.dimension,
                compared.member
            order by day.trade_date
        )
),

lagged as (
    select
        source,
        other_source,
        week_ending,
        dimension,
        member,
        least(abs(net_flow_usd - sum(flow_before)), abs(net_flow_usd - sum(flow_after)))
            as lagged_difference_usd
    from sessions
    where is_of_week
    group by source, other_source, week_ending, dimension, member, net_flow_usd
)

select
    compared.source,
    compared.week_ending,
    compared.other_source,
    compared.other_week_ending,
    compared.dimension,
    compared.member,
    compared.member_name,
    compared.universe,
    compared.other_universe,
    compared.week_ends,
    compared.other_week_ends,
    compared.days,
    compared.other_days,
    compared.overlap_days,
    compared.net_flow_usd,
    compared.other_net_flow_usd,
    cast(compared.difference_usd as decimal(18, 2)) as difference_usd,
    cast(100 * compared.difference_usd / nullif(abs(compared.net_flow_usd), 0) as decimal(28, 6))
        as difference_pct,
    cast(compared.hard_bound as decimal(18, 2)) as hard_bound_usd,
    case
        when compared.difference_usd = 0 then 'equal'
        when abs(compared.difference_usd) <= compared.hard_bound then 'rounding'
        when not compared.is_final then 'incomplete'
        when not compared.is_same_universe then 'universe'
        when compared.overlap_days < greatest(compared.days, compared.other_days) then 'week rule'
        when lagged.lagged_difference_usd <= compared.hard_bound then 'lag'
        else 'unexplained'
    end as explained_by
from compared
left join lagged
    on compared.source = lagged.source
    and compared.other_source = lagged.other_source
    and compared.week_ending = lagged.week_ending
    and compared.dimension = lagged.dimension
    and compared.member = lagged.member
