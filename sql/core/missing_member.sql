-- kind: view
select
    missing.source,
    member.dimension,
    member.member,
    min(missing.last_week) as last_week
from core.missing_fund as missing
inner join core.fund_week_member as member
    on missing.source = member.source
    and missing.holder = member.holder
    and missing.last_week = member.week_ending
group by missing.source, member.dimension, member.member
