-- Flows that were printed between two positions are in the later one: what positions make is less.
with running as (
    select
        *,
        sum(coalesce(printed_flow_local, 0)) over (
            partition by source, label
            order by trade_date
        ) as printed_until
    from core.fund_session
),

positions as (
    select
        *,
        lag(trade_date) over by_day as date_before,
        lag(week_ending) over by_day as week_before,
        lag(aum_local) over by_day as aum_before_local,
        lag(nav_local) over by_day as nav_before,
        lag(shares_outstanding) over by_day as shares_before,
        lag(currency) over by_day as currency_before,
        lag(split_new) over by_day as split_new_before,
        lag(split_old) over by_day as split_old_before,
        coalesce(
            printed_until - coalesce(printed_flow_local, 0) - lag(printed_until) over by_day,
            0
        ) as printed_between_local
    from running
    where aum_local is not null
    window by_day as (partition by source, label order by trade_date)
),

-- In a source that prints all funds, one that a week lacks has left, and enters again when it is
-- back (E16). A week of which the source has nothing says nothing of it (E76).
source_weeks as (
    select distinct
        positions.source,
        positions.week_ending
    from positions
    inner join core.source
        on positions.source = source.source
        and source.report_covers = 'all funds'
),

absences as (
    select
        positions.source,
        positions.label,
        positions.trade_date,
        min(source_weeks.week_ending) as left_in_week
    from positions
    inner join source_weeks
        on positions.source = source_weeks.source
        and positions.week_before < source_weeks.week_ending
        and positions.week_ending > source_weeks.week_ending
    where positions.week_ending > positions.week_before + 7
    group by all
),

neighbours as (
    select
        positions.* exclude (aum_before_local),
        absences.left_in_week,
        if(absences.left_in_week is null, positions.date_before, null) as from_date,
        if(absences.left_in_week is null, positions.aum_before_local, null) as aum_before_local
    from positions
    left join absences
        on positions.source = absences.source
        and positions.label = absences.label
        and positions.trade_date = absences.trade_date
)

select
    source,
    label,
    fund,
    trade_date,
    from_date,
    left_in_week,
    date_before,
    currency,
    aum_local,
    usd_per_unit,
    aum_before_local,
    printed_between_local,
    nav_local = 0 and aum_local = 0 and aum_before_local <> 0 as is_closing,
    -- F1: (S - k S before) x NAV, the split factor k from the bases of both days.
    -- Rounded first: a cast to fewer digits alone is three times slower.
    if(from_date is null, null, cast(
        round(
            shares_outstanding
            - if(
                split_new = split_new_before and split_old = split_old_before,
                shares_before,
                cast(
                    shares_before * (split_new * split_old_before) / (split_old * split_new_before)
                    as decimal(28, 6)
                )
            ), 6
        ) as decimal(24, 6)
    )) * cast(nav_local as decimal(18, 10)) as flow_by_shares_local,
    -- F2: what is left of AUM after the NAV's own return, both NAVs on one basis. Of nothing
    -- nothing flows, whatever the NAV of a fund that is liquidated (E75).
    case
        when aum_local = 0 and aum_before_local = 0 then 0
        when currency_before = currency then aum_local - cast(
            round(
                aum_before_local
                * (
                    nav_local / nullif(nav_before, 0)
                    * (split_new * split_old_before)
                    / (split_old * split_new_before)
                ),
                4
            ) as decimal(18, 4)
        )
    end as flow_by_assets_local
from neighbours
