with last_rows as (
    select
        step.source,
        step.holder,
        arg_max(step.fund, step.trade_date) as fund,
        max(step.trade_date) as last_day,
        max(step.week_ending) as last_week,
        arg_max({ 'usd': step.aum_close_usd }, step.trade_date).usd as aum_usd
    from core.fund_step as step
    inner join core.source
        on step.source = source.source
        and source.report_covers = 'one fund'
    group by step.source, step.holder
),

newest as (
    select
        *,
        max(last_week) over (partition by source) as newest_week
    from last_rows
)

select
    source,
    holder,
    fund,
    last_day,
    last_week,
    aum_usd
from newest
where last_week < newest_week and aum_usd is distinct from 0
