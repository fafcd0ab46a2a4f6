-- On a holiday nobody reports. A day that is still being filled is taken for a session, so that its
-- silence lowers the coverage (E37).
with reported as (
    select
        source,
        trade_date,
        week_ending
    from core.fund_day
    where printed_flow_local is not null or aum_local is not null or status = 'preliminary'
    group by all
),

spans as (
    select
        reported.source,
        source.calendar as market,
        source.week_ends,
        greatest(min(reported.trade_date), market.first_day) as first_day,
        least(max(reported.trade_date), market.last_day) as last_day
    from reported
    inner join core.source
        on reported.source = source.source
    inner join reference.market
        on source.calendar = market.market
    group by reported.source, source.calendar, source.week_ends, market.first_day, market.last_day
),

days as (
    select
        source,
        market,
        week_ends,
        cast(
            unnest(generate_series(first_day, last_day, interval '1 day')) as date
        ) as trade_date
    from spans
),

expected as (
    select
        days.source,
        days.trade_date,
        ops.week_ending(days.trade_date, days.week_ends) as week_ending
    from days
    left join reference.market_exception as exception
        on days.market = exception.market
        and days.trade_date = exception.day
    where coalesce(exception.is_open, isodow(days.trade_date) <= 5)
)

select
    expected.source,
    expected.trade_date,
    expected.week_ending,
    reported.source is not null as is_reported
from expected
left join reported
    on expected.source = reported.source
    and expected.trade_date = reported.trade_date
union all
select
    reported.source,
    reported.trade_date,
    reported.week_ending,
    true as is_reported
from reported
left join spans
    on reported.source = spans.source
where
    spans.source is null
    or reported.trade_date not between spans.first_day and spans.last_day
