with held as (
    select
        observation.source,
        observation.week_ending,
        observation.report_id,
        observation.known_at,
        case when day.is_held then 'split_half_applied' else 'fx_rate_missing' end as rule,
        observation.printed_table,
        observation.label,
        observation.measure,
        observation.printed,
        case
            when day.is_held
                then
                    'NAV and shares stand on different sides of a split: the day is held back (E11)'
            else
                'no rate of ' || day.currency || ' for ' || day.trade_date
                || ': add the euro reference rates of that day'
        end as reason,
        observation.sheet,
        observation.cell
    from core.fund_day as day
    inner join core.observation
        on day.source = observation.source
        and (day.label = observation.label or day.fund = observation.member)
        and day.trade_date = observation.period_end
        and observation.dimension = 'fund'
        and observation.period in ('day', 'close')
        and observation.value is not null
    where day.is_held or day.usd_per_unit is null
),

not_of_fund as (
    select
        observation.source,
        observation.week_ending,
        observation.report_id,
        observation.known_at,
        'currency_not_of_fund' as rule,
        observation.printed_table,
        observation.label,
        observation.measure,
        observation.printed,
        'NAV in ' || observation.currency || ', but the fund is in ' || fund.currency
        || ': correct the unit in the layout, or the currency in fund.csv' as reason,
        observation.sheet,
        observation.cell
    from core.fund_session as day
    inner join core.observation
        on day.source = observation.source
        and (day.label = observation.label or day.fund = observation.member)
        and day.trade_date = observation.period_end
        and observation.dimension = 'fund'
        and observation.measure in ('nav', 'market_price')
        and observation.value is not null
    inner join core.membership as fund
        on day.fund = fund.fund and day.trade_date between fund.valid_from and fund.valid_to
    where day.is_foreign
),

unrated as (
    select
        observation.source,
        observation.week_ending,
        observation.report_id,
        observation.known_at,
        'fx_rate_missing' as rule,
        observation.printed_table,
        observation.label,
        observation.measure,
        observation.printed,
        'no rate of ' || observation.currency || ' from ' || observation.period_start || ' to '
        || observation.period_end || ': add the euro reference rates of these days' as reason,
        observation.sheet,
        observation.cell
    from core.printed_usd as money
    inner join core.observation
        using (
            source, printed_table, dimension, label, measure, period, period_start, period_end
        )
    where
        money.null_reason = 'fx_rate_missing'
        and not (money.dimension = 'fund' and money.period in ('day', 'close'))
)

select
    source,
    week_ending,
    report_id,
    known_at,
    rule,
    printed_table,
    label,
    measure,
    printed,
    reason,
    sheet,
    cell
from input.quarantine
union all
select
    source,
    week_ending,
    report_id,
    known_at,
    rule,
    printed_table,
    label,
    measure,
    printed,
    reason,
    sheet,
    cell
from held
union all
select *
from not_of_fund
union all
select *
from unrated
