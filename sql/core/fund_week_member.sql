-- A feeder's money is its master's, and a fund of funds holds part of another fund: where the
-- source covers both, the world counts it once, a fund or a country keeps it (E20, E21).
with covered as (
    select distinct
        source,
        fund,
        week_ending
    from core.fund_week
),

held as (
    select
        holder.source,
        holder.fund,
        holder.week_ending,
        sum(holding.weight) as weight
    from covered as holder
    inner join reference.fund_holding as holding
        on holder.fund = holding.fund
        and ops.is_valid(holder.week_ending, holding.valid_from, holding.valid_to)
    inner join covered as held_fund
        on holding.holds = held_fund.fund
        and holder.source = held_fund.source
        and holder.week_ending = held_fund.week_ending
    group by all
),

identified as (
    select
        week.source,
        week.holder,
        week.week_ending,
        week.members_since,
        1 - coalesce(held.weight, 0) as world_share,
        week.fund,
        -- each attribute of a fund
        coalesce(span.asset, 'unmapped') as asset,
        -- end
        coalesce(span.issuer, 'unmapped') as issuer,
        coalesce(issuer_today.issuer, 'unmapped') as issuer_as_is,
        coalesce(span.sponsor, 'unmapped') as sponsor,
        coalesce(
            case
                when source.country_basis = 'domicile' then span.domicile
                else span.listing_country
            end, 'unmapped'
        ) as country,
        'total' as total
    from core.fund_week as week
    inner join core.source
        on week.source = source.source
    left join core.membership as span
        on week.fund = span.fund
        and week.members_since = span.valid_from
    left join reference.fund_issuer as issuer_today
        on week.fund = issuer_today.fund
        and issuer_today.valid_to is null
    left join held
        on week.source = held.source
        and week.fund = held.fund
        and week.week_ending = held.week_ending
),

melted as (
    select
        source,
        holder,
        week_ending,
        members_since,
        dimension,
        member,
        world_share
    from identified
    unpivot (
        member for dimension in (
            fund,
            -- each attribute of a fund
            asset,
            -- end
            issuer,
            issuer_as_is,
            sponsor,
            country,
            total
        )
    )
)

select
    melted.source,
    melted.holder,
    melted.week_ending,
    melted.members_since,
    melted.dimension,
    melted.member,
    case when dimension.counts_twice then 1 else melted.world_share end as share_counted
from melted
inner join core.dimension
    on melted.dimension = dimension.dimension
