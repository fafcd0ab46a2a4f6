-- kind: view
-- Of a source that prints all funds, the days on which no fund has a number; of one with a file per
-- fund, those that a file lacks (E74).
select
    session.source,
    null as label,
    session.week_ending,
    session.trade_date
from core.session
inner join core.source
    on session.source = source.source
    and source.report_covers = 'all funds'
where not session.is_reported
union all
select
    missing.source,
    holder.label,
    missing.week_ending,
    missing.trade_date
from core.missing_day as missing
inner join core.holder
    on missing.source = holder.source
    and missing.holder = holder.holder
inner join core.source
    on missing.source = source.source
    and source.report_covers = 'one fund'
-- Not those that are held back, or without a rate.
anti join core.fund_day as day
    on missing.source = day.source
    and missing.holder = day.holder
    and missing.trade_date = day.trade_date
