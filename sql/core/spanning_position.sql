-- kind: view
-- Where no calendar is known, a week in between may hide something.
select
    position.source,
    position.holder,
    position.trade_date
from core.fund_position as position
inner join core.missing_day as day
    on position.source = day.source
    and position.holder = day.holder
    and position.from_date < day.trade_date
    and position.trade_date > day.trade_date
union
select
    position.source,
    position.holder,
    position.trade_date
from core.fund_position as position
inner join core.source
    on position.source = source.source
    and source.calendar is null
where
    ops.week_ending(position.from_date, source.week_ends)
    < ops.week_ending(position.trade_date, source.week_ends) - 7
