-- What a source says about a fund on a day, and the net flow that follows from it (F1).
-- grain: one row a source, label and trade date
with printed as (
    select
        source,
        label,
        member as fund,
        period_end as trade_date,
        week_ending,
        max(value) filter (where measure = 'net_flow' and period = 'day') as flow,
        max(value) filter (where measure = 'aum') as aum,
        max(value) filter (where measure = 'nav') as nav,
        max(value) filter (where measure = 'shares_outstanding') as shares,
        bool_or(status = 'preliminary') as is_preliminary
    from core.observation
    where dimension = 'fund' and period in ('day', 'close') and measure <> 'seed'
    group by all
),

-- A fund is in the count from the first day on which anything is reported of it: the dashes that
-- a page prints before a fund is listed are not missing flows (E07).
listed as (
    select *
    from printed
    qualify
        trade_date >= min(trade_date) filter (where coalesce(flow, aum, nav, shares) is not null)
            over (partition by source, label)
),

stepped as (
    select
        *,
        lag(shares) over by_day as shares_before,
        coalesce(
            trade_date = min(trade_date) filter (where aum is not null)
                over (partition by source, label),
            false
        ) as is_first_day
    from listed
    window by_day as (partition by source, label order by trade_date)
)

select
    source,
    label,
    fund,
    trade_date,
    week_ending,
    cast(round(coalesce(flow, (shares - shares_before) * nav), 2) as decimal(18, 2))
        as net_flow_usd,
    case
        when flow is not null then 'printed'
        when (shares - shares_before) * nav is not null then 'shares'
    end as flow_method,
    cast(round(aum, 2) as decimal(18, 2)) as aum_usd,
    nav as nav_usd,
    shares as shares_outstanding,
    is_first_day,
    if(is_preliminary, 'preliminary', 'final') as status
from stepped
