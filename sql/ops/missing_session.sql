-- kind: view
-- Of a source with a file per fund, the sessions between the first and the last row of each (E74).
with spans as (
    select
        day.source,
        if(source.report_covers = 'one fund', day.label, null) as label,
        min(day.trade_date) as first_day,
        max(day.trade_date) as last_day
    from core.fund_day as day
    inner join core.source
        on day.source = source.source
    where source.calendar is not null
    group by all
)

select
    session.source,
    spans.label,
    session.week_ending,
    session.trade_date
from spans
inner join core.session
    on spans.source = session.source
    and session.trade_date between spans.first_day and spans.last_day
anti join core.fund_day as day
    on session.source = day.source
    and session.trade_date = day.trade_date
    and coalesce(spans.label, day.label) = day.label
