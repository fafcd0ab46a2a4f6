-- Flows that were printed between two positions are in the later one: what positions make is less.
-- Few funds have any: a printed flow on a day without AUM.
with with_gaps as (
    select distinct
        source,
        holder
    from core.fund_session
    where aum_local is null and printed_flow_local is not null
),

printed as (
    select
        source,
        holder,
        trade_date,
        sum(coalesce(printed_flow_local, 0)) over (
            partition by source, holder
            order by trade_date
        ) - coalesce(printed_flow_local, 0) as printed_before,
        coalesce(printed_flow_local, 0) as printed_flow,
        aum_local is not null as is_position
    from core.fund_session
    semi join with_gaps using (source, holder)
),

between_positions as (
    select
        source,
        holder,
        trade_date,
        printed_before - lag(printed_before + printed_flow, 1, 0) over (
            partition by source, holder
            order by trade_date
        ) as printed_between_local
    from printed
    where is_position
),

positions as (
    select
        *,
        lag(
            {
                'trade_date': trade_date,
                'week_ending': week_ending,
                'aum': aum_local,
                'nav': nav_local,
                'shares': shares_outstanding,
                'currency': currency,
                'rate': usd_per_unit,
                'split_new': split_new,
                'split_old': split_old
            }
        ) over (partition by source, holder order by trade_date) as before
    from core.fund_session
    where aum_local is not null
),

neighbours as (
    select
        positions.*,
        coalesce(between_positions.printed_between_local, 0) as printed_between_local
    from positions
    left join between_positions
        on positions.source = between_positions.source
        and positions.holder = between_positions.holder
        and positions.trade_date = between_positions.trade_date
)

select
    source,
    holder,
    fund,
    trade_date,
    before.trade_date as from_date,
    currency,
    aum_local,
    usd_per_unit,
    before.aum as aum_before_local,
    before.currency as currency_before,
    before.rate as usd_per_unit_before,
    printed_between_local,
    nav_local = 0 and aum_local = 0 and before.aum <> 0 as is_closing,
    -- F1: (S - k S before) x NAV, the split factor k from the bases of both days.
    -- Rounded first: a cast to fewer digits alone is three times slower.
    cast(
        round(
            shares_outstanding
            - case
                when split_new = before.split_new and split_old = before.split_old
                    then before.shares
                else cast(
                    before.shares * (split_new * before.split_old) / (split_old * before.split_new)
                    as decimal(28, 6)
                )
            end, 6
        ) as decimal(24, 6)
    ) * cast(nav_local as decimal(18, 10)) as flow_by_shares_local,
    -- F2: what is left of AUM after the NAV's own return, both NAVs on one basis. Of nothing
    -- nothing flows, whatever the NAV of a fund that is liquidated (E75).
    case
        when aum_local = 0 and before.aum = 0 then 0
        when before.currency = currency then aum_local - cast(
            round(
                before.aum
                * (
                    nav_local / nullif(before.nav, 0)
                    * (split_new * before.split_old)
                    / (split_old * before.split_new)
                ),
                4
            ) as decimal(18, 4)
        )
    end as flow_by_assets_local
from neighbours
