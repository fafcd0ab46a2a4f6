select
    source,
    holder,
    any_value(fund) as fund,
    any_value(label) as label,
    min(trade_date) as first_day
from core.fund_day
group by source, holder
