-- Weeks and members only: the days of funds have their rate in core.fund_day.
with weekly as (
    select distinct
        source,
        week_ending
    from core.observation
    where period = 'week'
),

printed as (
    select observation.*
    from core.observation
    left join weekly
        on observation.source = weekly.source
        and observation.week_ending = weekly.week_ending
    where
        observation.measure in ('net_flow', 'aum')
        and observation.dimension not in ('check', 'currency')
        and (observation.dimension <> 'fund' or weekly.source is not null)
),

spans as (
    select distinct
        currency,
        period,
        period_start,
        period_end
    from printed
    where currency <> 'USD'
),

-- A day and a close have the rate of that day, flows of unknown days the average (F3, E26).
rates as (
    select
        spans.currency,
        spans.period,
        spans.period_start,
        spans.period_end,
        cast(
            case
                when spans.period in ('day', 'close')
                    then any_value(fx.usd_per_unit) filter (where fx.rate_date = spans.period_end)
                else avg(fx.usd_per_unit) filter (where fx.basis = 'fixing')
            end as decimal(18, 10)
        ) as usd_per_unit,
        case
            when spans.period in ('day', 'close')
                then any_value(fx.basis) filter (where fx.rate_date = spans.period_end)
            else 'average'
        end as fx_basis
    from spans
    inner join core.fx_day as fx
        on spans.currency = fx.currency
        and fx.rate_date between spans.period_start and spans.period_end
    group by spans.currency, spans.period, spans.period_start, spans.period_end
)

select
    printed.source,
    printed.report_id,
    printed.week_ending,
    printed.period_start,
    printed.period_end,
    printed.printed_table,
    printed.dimension,
    printed.label,
    printed.member,
    printed.measure,
    printed.period,
    printed.currency,
    case
        when printed.currency = 'USD' then printed.value
        else cast(
            round(cast(printed.value as decimal(24, 4)) * rates.usd_per_unit, 10)
            as decimal(38, 10)
        )
    end as value_usd,
    case
        when printed.currency = 'USD' then printed.half_unit
        else cast(
            round(cast(printed.half_unit as decimal(24, 6)) * rates.usd_per_unit, 10)
            as decimal(38, 10)
        )
    end as half_unit_usd,
    case when printed.currency = 'USD' then 'usd' else rates.fx_basis end as fx_basis,
    case
        when printed.value is not null and printed.currency <> 'USD' and rates.usd_per_unit is null
            then 'fx_rate_missing'
        else printed.null_reason
    end as null_reason,
    printed.status
from printed
left join rates
    on printed.currency = rates.currency
    and printed.period = rates.period
    and printed.period_start = rates.period_start
    and printed.period_end = rates.period_end
