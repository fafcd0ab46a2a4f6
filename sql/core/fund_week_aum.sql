-- A week closes on its last session, unless a flow came after it.
with sessions as (
    select
        source,
        holder,
        week_ending,
        trade_date,
        aum_close_usd is not null as is_position
    from core.fund_step
    where is_session or aum_close_usd is not null or net_flow_usd <> 0
    union all
    select
        source,
        holder,
        week_ending,
        trade_date,
        false as is_position
    from core.missing_day
),

closes as (
    select
        source,
        holder,
        week_ending,
        max(trade_date) as close_date
    from sessions
    group by all
    having arg_max(is_position, trade_date)
),

ends as (
    select
        source,
        holder,
        fund,
        week_ending,
        arg_min({ 'usd': aum_open_usd }, trade_date).usd as aum_open_usd,
        arg_min({ 'day': from_date }, trade_date).day as open_date,
        min(trade_date) as first_date,
        arg_max(aum_close_usd, trade_date) as aum_close_usd,
        arg_max({ 'usd': aum_half_unit_usd }, trade_date).usd as aum_half_unit_usd,
        max(trade_date) as close_date
    from core.fund_step
    where aum_close_usd is not null
    group by all
)

select
    ends.source,
    ends.holder,
    ends.week_ending,
    case when ends.open_date is null or opened.source is not null then ends.aum_open_usd end
        as aum_open_usd,
    coalesce(span_open.valid_from, date '1900-01-01') as members_since_open,
    case when closed.source is not null then ends.aum_close_usd end as aum_close_usd,
    case when closed.source is not null then ends.aum_half_unit_usd end as aum_half_unit_usd,
    coalesce(span_close.valid_from, date '1900-01-01') as members_since_close
from ends
left join closes as opened
    on ends.source = opened.source
    and ends.holder = opened.holder
    and ends.open_date = opened.close_date
left join closes as closed
    on ends.source = closed.source
    and ends.holder = closed.holder
    and ends.close_date = closed.close_date
left join core.membership as span_open
    on ends.fund = span_open.fund
    and coalesce(ends.open_date, ends.first_date)
    between span_open.valid_from and span_open.valid_to
left join core.membership as span_close
    on ends.fund = span_close.fund
    and ends.close_date between span_close.valid_from and span_close.valid_to
