-- NAV is in the currency of the share class. A source that has printed it in another one only, and
-- never in that of the fund, means another class, or its layout another currency (E118, E29).
with foreign_funds as (
    select
        day.source,
        day.holder
    from core.fund_day as day
    inner join core.membership as fund
        on day.fund = fund.fund
        and day.trade_date between fund.valid_from and fund.valid_to
    where day.nav_local is not null
    group by all
    having not bool_or(day.currency = fund.currency)
),

-- A day without a rate is left out. If its week has no other, it stays as a day of which nothing
-- is known, so that the fund is not missing from totals that are called final (E99).
days as (
    select
        day.*,
        session.source is not null as is_session,
        foreign_funds.source is not null as is_foreign,
        day.usd_per_unit is null or foreign_funds.source is not null as is_unrated
    from core.fund_day as day
    left join core.session as session
        on day.source = session.source
        and day.trade_date = session.trade_date
    left join foreign_funds
        on day.source = foreign_funds.source
        and day.holder = foreign_funds.holder
    where not day.is_held
    qualify
        day.usd_per_unit is not null
        or max(day.usd_per_unit) over (partition by day.source, day.holder, day.week_ending) is null
)

select
    source,
    holder,
    label,
    fund,
    trade_date,
    week_ending,
    currency,
    case when not is_unrated then printed_flow_local end as printed_flow_local,
    printed_flow_half_unit_local,
    case when not is_unrated then aum_local end as aum_local,
    aum_half_unit_local,
    case when not is_unrated then nav_local end as nav_local,
    case when not is_unrated then shares_outstanding end as shares_outstanding,
    split_new,
    split_old,
    usd_per_unit,
    fx_basis,
    status,
    is_session,
    is_foreign,
    is_unrated
from days
