-- The calendar that a source declares is one of a market that is known.
select
    source.source,
    source.calendar
from core.source
anti join reference.market
    on source.calendar = market.market
where source.calendar is not null
