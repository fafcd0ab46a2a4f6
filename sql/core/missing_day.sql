-- Of a fund with a file of its own the sessions are known where the market is.
with listed as (
    select
        step.source,
        step.holder,
        arg_max(step.fund, step.trade_date) as fund,
        min(step.trade_date) as first_day,
        max(step.trade_date) as last_day
    from core.fund_step as step
    inner join core.source
        on step.source = source.source
        and (source.report_covers = 'all funds' or source.calendar is not null)
    where step.is_session
    group by all
),

-- Days of a listed fund without a row that counts: the day was left out, its cell refused, or the
-- day held back (E11, E74).
without_row as (
    select
        listed.source,
        listed.holder,
        listed.fund,
        session.week_ending,
        session.trade_date
    from listed
    inner join core.session
        on listed.source = session.source
        and session.trade_date between listed.first_day and listed.last_day
    anti join core.fund_step as step
        on listed.source = step.source
        and listed.holder = step.holder
        and session.trade_date = step.trade_date
    union
    select
        day.source,
        day.holder,
        day.fund,
        day.week_ending,
        day.trade_date
    from core.fund_day as day
    anti join core.fund_step as step
        on day.source = step.source
        and day.holder = step.holder
        and day.trade_date = step.trade_date
    where day.is_held or day.usd_per_unit is null
)

select
    day.source,
    day.holder,
    day.fund,
    day.week_ending,
    day.trade_date,
    coalesce(span.valid_from, date '1900-01-01') as members_since
from without_row as day
left join core.membership as span
    on day.fund = span.fund
    and day.trade_date between span.valid_from and span.valid_to
