-- Spin-offs and mergers by what the fund that gives was worth on the days around them.
with days as (
    select
        day.source,
        day.fund,
        day.trade_date,
        day.usd_per_unit,
        day.aum_local as aum,
        coalesce(
            day.printed_flow_local,
            position.flow_by_shares_local - position.printed_between_local,
            position.flow_by_assets_local - position.printed_between_local
        ) as flow
    from core.fund_session as day
    left join core.fund_position as position
        on day.source = position.source
        and day.holder = position.holder
        and day.trade_date = position.trade_date
    where
        day.fund in (
            select action.fund
            from reference.corporate_action as action
            where action.kind in ('spin_off', 'merger')
        )
),

actions as (
    select
        origin.source,
        action.kind,
        action.fund as giver,
        action.counterpart as receiver,
        action.effective_date,
        action.fraction,
        arg_max(origin.aum, origin.trade_date) filter (
            where origin.trade_date < action.effective_date
        ) as aum_before,
        arg_max(origin.usd_per_unit, origin.trade_date) filter (
            where origin.trade_date < action.effective_date and origin.aum is not null
        ) as rate_before,
        arg_min(origin.aum, origin.trade_date) filter (
            where origin.trade_date >= action.effective_date
        ) as aum_after,
        arg_min(origin.usd_per_unit, origin.trade_date) filter (
            where origin.trade_date >= action.effective_date and origin.aum is not null
        ) as rate_after,
        min(origin.trade_date) filter (
            where origin.trade_date >= action.effective_date and origin.aum is not null
        ) as day_after
    from reference.corporate_action as action
    inner join days as origin
        on action.fund = origin.fund
        and origin.trade_date < action.effective_date + 7
    where action.kind in ('spin_off', 'merger')
    group by all
),

since as (
    select
        actions.source,
        actions.giver,
        actions.receiver,
        actions.effective_date,
        sum(origin.flow) as flow
    from actions
    inner join days as origin
        on actions.source = origin.source
        and actions.giver = origin.fund
        and origin.trade_date between actions.effective_date and actions.day_after
    group by all
),

-- What is spun off is worth its part of what both are worth at the first close after it, flows of
-- the giver apart: the market and the currency of that day are no transfer (E13). A merger moves
-- the last AUM of the fund that ends (E17).
amounts as (
    select
        actions.*,
        cast(
            round(
                case
                    when actions.kind = 'spin_off' and actions.aum_after is not null
                        then
                            (actions.aum_after - coalesce(since.flow, 0)) * actions.fraction
                            / nullif(1 - actions.fraction, 0)
                    else actions.aum_before * actions.fraction
                end, 4
            ) as decimal(28, 4)
        ) as amount,
        case
            when actions.kind = 'spin_off' and actions.aum_after is not null then actions.rate_after
            else actions.rate_before
        end as rate
    from actions
    left join since
        on actions.source = since.source
        and actions.giver = since.giver
        and actions.receiver = since.receiver
        and actions.effective_date = since.effective_date
    where actions.aum_before is not null
),

-- Pairs net to zero. Shares move along with the assets, except that a spin-off leaves the shares
-- of the giver as they were and lowers its NAV.
legs as (
    select
        source,
        giver as fund,
        effective_date,
        -amount as amount,
        rate,
        kind = 'merger' as moves_shares
    from amounts
    union all
    select
        source,
        receiver as fund,
        effective_date,
        amount,
        rate,
        true as moves_shares
    from amounts
)

select
    position.source,
    position.holder,
    position.trade_date,
    cast(
        round(sum(leg.amount * leg.rate / position.usd_per_unit), 4) as decimal(28, 4)
    ) as transfer_local,
    cast(
        round(
            sum(
                case
                    when leg.moves_shares then leg.amount * leg.rate / position.usd_per_unit else 0
                end
            ), 4
        ) as decimal(28, 4)
    ) as share_transfer_local
from core.fund_position as position
inner join legs as leg
    on position.source = leg.source
    and position.fund = leg.fund
    and position.trade_date >= leg.effective_date
    and leg.effective_date > coalesce(position.from_date, position.trade_date - 7)
group by all
