with fixings as (
    select
        label as currency,
        period_end as fixing_date,
        arg_max(value, row(known_at, source)) as per_euro
    from core.observation
    where dimension = 'currency' and measure = 'fx_rate' and value > 0
    group by all
),

in_dollars as (
    select
        fixings.currency,
        fixings.fixing_date,
        cast(round(dollar.per_euro / fixings.per_euro, 10) as decimal(18, 10)) as usd_per_unit
    from fixings
    inner join fixings as dollar
        on fixings.fixing_date = dollar.fixing_date
        and dollar.currency = 'USD'
    union all
    select
        'EUR' as currency,
        fixing_date,
        cast(per_euro as decimal(18, 10)) as usd_per_unit
    from fixings
    where currency = 'USD'
),

spans as (
    select
        currency,
        fixing_date,
        usd_per_unit,
        coalesce(
            lead(fixing_date) over (partition by currency order by fixing_date),
            fixing_date + 6
        ) as next_date
    from in_dollars
),

days as (
    select
        currency,
        fixing_date,
        usd_per_unit,
        cast(unnest(range(fixing_date, next_date, interval 1 day)) as date) as rate_date
    from spans
)

select
    days.currency,
    days.rate_date,
    days.usd_per_unit,
    days.fixing_date,
    case when days.rate_date = days.fixing_date then 'fixing' else 'last fixing' end as basis
from days
left join reference.fx_holiday as holiday
    on days.rate_date = holiday.holiday
where
    days.rate_date = days.fixing_date
    or isodow(days.rate_date) > 5
    or holiday.holiday is not null
