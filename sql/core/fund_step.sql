with days as (
    select
        * exclude (printed_flow_local, aum_local, nav_local, is_foreign),
        printed_flow_local as printed_flow,
        aum_local as aum,
        nav_local as nav
    from core.fund_session
),

neighbours as (
    select
        *,
        lag(
            if(
                shares_outstanding is null,
                null,
                {
                    'shares': shares_outstanding,
                    'split_new': split_new,
                    'split_old': split_old
                }
            ) ignore nulls
        ) over by_day as position_before,
        lag(
            if(
                aum is null,
                null,
                {
                    'trade_date': trade_date,
                    'week_ending': week_ending,
                    'aum': aum,
                    'nav': nav,
                    'currency': currency,
                    'rate': usd_per_unit,
                    'split_new': split_new,
                    'split_old': split_old
                }
            ) ignore nulls
        ) over by_day as stock_before,
        lead(if(aum is null and not is_unrated, null, week_ending) ignore nulls) over by_day
            as next_stock_week
    from days
    window by_day as (partition by source, label order by trade_date)
),

measured as (
    select
        *,
        -- F1: (S - k S before) x NAV, the split factor k from the bases of both days.
        -- Rounded first: a cast to fewer digits alone is three times slower.
        cast(
            round(
                shares_outstanding
                - if(
                    split_new = position_before.split_new
                    and split_old = position_before.split_old,
                    position_before.shares,
                    cast(
                        position_before.shares
                        * (split_new * position_before.split_old)
                        / (split_old * position_before.split_new)
                        as decimal(28, 6)
                    )
                ), 6
            ) as decimal(24, 6)
        ) * cast(nav as decimal(18, 10)) as flow_by_shares,
        -- F2: what is left of AUM after the NAV's own return, both NAVs on one basis.
        if(
            stock_before.currency = currency,
            aum - cast(
                round(
                    stock_before.aum
                    * (
                        nav / stock_before.nav
                        * (split_new * stock_before.split_old)
                        / (split_old * stock_before.split_new)
                    ),
                    4
                ) as decimal(18, 4)
            ),
            null
        ) as flow_by_assets
    from neighbours
),

-- Spin-offs and mergers by what the fund that gives was worth on the days around them.
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
    inner join measured as origin
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
        sum(
            coalesce(origin.printed_flow, origin.flow_by_shares, origin.flow_by_assets)
        ) as flow
    from actions
    inner join measured as origin
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
                if(
                    actions.kind = 'spin_off' and actions.aum_after is not null,
                    (actions.aum_after - coalesce(since.flow, 0)) * actions.fraction
                    / nullif(1 - actions.fraction, 0),
                    actions.aum_before * actions.fraction
                ), 4
            ) as decimal(28, 4)
        ) as amount,
        if(
            actions.kind = 'spin_off' and actions.aum_after is not null,
            actions.rate_after,
            actions.rate_before
        ) as rate
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
transfers as (
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
),

transfer_totals as (
    select
        measured.source,
        measured.label,
        measured.trade_date,
        cast(
            round(sum(leg.amount * leg.rate / measured.usd_per_unit), 4) as decimal(28, 4)
        ) as transfer,
        cast(
            round(
                sum(if(leg.moves_shares, leg.amount * leg.rate / measured.usd_per_unit, 0)), 4
            ) as decimal(28, 4)
        ) as share_transfer
    from measured
    inner join transfers as leg
        on measured.source = leg.source
        and measured.fund = leg.fund
        and measured.trade_date >= leg.effective_date
        and leg.effective_date
        > coalesce(measured.stock_before.trade_date, measured.trade_date - 7)
    where measured.aum is not null
    group by all
),

launched as (
    select distinct
        fund,
        effective_date
    from reference.corporate_action
    where kind = 'launch'
),

flowing as (
    select
        measured.*,
        coalesce(transfer_totals.transfer, 0) as transfer,
        coalesce(transfer_totals.share_transfer, 0) as share_transfer,
        measured.stock_before is null
        or (
            measured.stock_before.week_ending < measured.week_ending - 7
            and source.report_covers = 'all funds'
        ) as is_entering,
        -- A file that skips a week says nothing of it: neither AUM nor flow of the step are known.
        coalesce(
            measured.stock_before.week_ending < measured.week_ending - 7
            and source.report_covers = 'one fund',
            false
        ) as is_gap,
        launched.fund is not null or transfer_totals.transfer is not null as is_new
    from measured
    inner join core.source
        on measured.source = source.source
    left join transfer_totals
        on measured.source = transfer_totals.source
        and measured.label = transfer_totals.label
        and measured.trade_date = transfer_totals.trade_date
    left join launched
        on measured.fund = launched.fund
        and measured.stock_before is null
        and measured.trade_date >= launched.effective_date
        and measured.trade_date < launched.effective_date + 7
),

chosen as (
    select
        *,
        case
            when printed_flow is not null then 'printed'
            when is_gap then null
            when is_entering and is_new and aum is not null then 'launch'
            when flow_by_shares is not null and not is_entering then 'shares'
            when flow_by_assets is not null and not is_entering then 'assets'
        end as flow_method,
        trade_date - stock_before.trade_date > 4 as is_weekly
    from flowing
),

-- Flows whose days are unknown are converted at the average of the fixings (E26).
averaged as (
    select
        chosen.source,
        chosen.label,
        chosen.trade_date,
        cast(avg(fx.usd_per_unit) as decimal(18, 10)) as flow_rate
    from chosen
    inner join core.fx_day as fx
        on chosen.currency = fx.currency
        and fx.basis = 'fixing'
        and chosen.stock_before.trade_date < fx.rate_date
        and chosen.trade_date >= fx.rate_date
    where
        chosen.is_weekly
        and chosen.currency <> 'USD'
        and chosen.printed_flow is null
    group by all
),

valued as (
    select
        chosen.*,
        case chosen.flow_method
            when 'printed' then chosen.printed_flow
            when 'launch' then chosen.aum - chosen.share_transfer
            when 'shares' then chosen.flow_by_shares - chosen.share_transfer
            when 'assets' then chosen.flow_by_assets - chosen.share_transfer
        end as flow,
        coalesce(averaged.flow_rate, chosen.usd_per_unit) as flow_rate
    from chosen
    left join averaged
        on chosen.source = averaged.source
        and chosen.label = averaged.label
        and chosen.trade_date = averaged.trade_date
),

converted as (
    select
        *,
        cast(round(if(currency = 'USD', flow, flow * flow_rate), 2) as decimal(18, 2))
            as flow_usd,
        is_session and flow is null and not (is_entering and aum is not null)
            as is_flow_missing
    from valued
),

-- Flows of days without AUM belong to the step that ends on the next day that has it. Most funds
-- have no such day, and each of their days is a step.
without_aum as (
    select distinct
        source,
        label
    from converted
    where aum is null
),

numbered as (
    select
        converted.source,
        converted.label,
        converted.trade_date,
        converted.flow_usd,
        converted.is_flow_missing,
        count(converted.aum) over (
            partition by converted.source, converted.label
            order by converted.trade_date desc
            rows between unbounded preceding and current row
        ) as step_number
    from converted
    inner join without_aum
        on converted.source = without_aum.source
        and converted.label = without_aum.label
),

grouped as (
    select
        source,
        label,
        trade_date,
        sum(flow_usd) over by_step as step_flow_usd,
        count(*) filter (where is_flow_missing) over by_step as missing_flows
    from numbered
    window by_step as (partition by source, label, step_number)
),

summed as (
    select
        converted.*,
        -- A fund that enters brings its AUM with it; flows of the days before are not of this step.
        if(
            converted.is_entering or grouped.trade_date is null,
            converted.flow_usd,
            grouped.step_flow_usd
        ) as step_flow_usd,
        coalesce(grouped.missing_flows, if(converted.is_flow_missing, 1, 0)) as missing_flows
    from converted
    left join grouped
        on converted.source = grouped.source
        and converted.label = grouped.label
        and converted.trade_date = grouped.trade_date
),

stepped as (
    select
        *,
        cast(round(if(currency = 'USD', aum, aum * usd_per_unit), 2) as decimal(18, 2))
            as close_usd,
        case
            when is_entering then 0
            when is_gap then null
            when stock_before.currency = 'USD'
                then cast(round(stock_before.aum, 2) as decimal(18, 2))
            else cast(round(stock_before.aum * stock_before.rate, 2) as decimal(18, 2))
        end as open_usd,
        cast(round(transfer * usd_per_unit, 2) as decimal(18, 2)) as transfer_usd,
        -- X = A0 (e1 - e0) + (F + M + C) (e1 - e_flow), in one currency only (E27, E29).
        if(
            is_entering or currency = 'USD' or stock_before.currency <> currency,
            0,
            cast(
                round(
                    stock_before.aum * (usd_per_unit - stock_before.rate)
                    + (aum - stock_before.aum) * (usd_per_unit - flow_rate),
                    2
                ) as decimal(18, 2)
            )
        ) as fx_usd
    from summed
),

reported as materialized (
    select
        source,
        label,
        fund,
        trade_date,
        week_ending,
        if(is_entering, null, stock_before.trade_date) as from_date,
        if(is_weekly, 'weekly', 'daily') as sampling,
        flow_method,
        fx_basis,
        flow_usd as net_flow_usd,
        cast(if(flow_method = 'launch', flow_usd, 0) as decimal(18, 2)) as seed_flow_usd,
        cast(
            round(
                if(
                    currency = 'USD',
                    flow_by_shares - flow_by_assets,
                    (flow_by_shares - flow_by_assets) * flow_rate
                ),
                2
            ) as decimal(18, 2)
        ) as flow_difference_usd,
        cast(open_usd as decimal(18, 2)) as aum_open_usd,
        cast(if(close_usd is null, null, step_flow_usd) as decimal(18, 2)) as step_flow_usd,
        cast(fx_usd as decimal(18, 2)) as fx_effect_usd,
        cast(if(close_usd is null, null, transfer_usd) as decimal(18, 2)) as corporate_action_usd,
        cast(
            if(
                is_entering and close_usd is not null,
                close_usd - coalesce(step_flow_usd, 0) - transfer_usd,
                if(close_usd is null, null, 0)
            ) as decimal(18, 2)
        ) as universe_effect_usd,
        close_usd as aum_close_usd,
        missing_flows = 0 and status = 'final' as is_flow_known,
        is_session,
        next_stock_week,
        status
    from stepped
),

-- The weeks in which a source has AUM of any fund. In a source with a file per fund, a fund that
-- has none is one whose file has not been renewed.
source_weeks as (
    select distinct
        reported.source,
        reported.week_ending
    from reported
    inner join core.source
        on reported.source = source.source
        and source.report_covers = 'all funds'
    where reported.aum_close_usd is not null
),

last_stock as (
    select *
    from reported
    where
        aum_close_usd is not null
        and (next_stock_week is null or next_stock_week > week_ending + 7)
),

-- A fund ends on the day of its closure or merger; else it leaves coverage in the first week in
-- which its source has AUM of others, but not of it (E16, E17).
ended as (
    select
        last_stock.source,
        last_stock.label,
        last_stock.fund,
        last_stock.week_ending as last_week,
        min(action.effective_date) as action_date,
        last_stock.trade_date as from_date,
        last_stock.sampling,
        arg_min(action.kind, row(action.effective_date, action.kind)) as kind,
        last_stock.aum_close_usd as aum_open_usd
    from last_stock
    left join reference.corporate_action as action
        on last_stock.fund = action.fund
        and action.kind in ('closure', 'merger')
        and last_stock.trade_date < action.effective_date + 7
    where last_stock.aum_close_usd <> 0
    group by all
),

dated as (
    select
        *,
        if(action_date is null, last_week + 7, greatest(action_date, from_date + 1))
            as trade_date
    from ended
),

leaving as (
    select
        ended.*,
        ops.week_ending(ended.trade_date, source.week_ends) as week_ending
    from dated as ended
    inner join core.source
        on ended.source = source.source
),

ends as (
    select
        leaving.source,
        leaving.label,
        leaving.fund,
        leaving.trade_date,
        leaving.week_ending,
        leaving.from_date,
        leaving.sampling,
        if(leaving.kind = 'closure', 'closure', null) as flow_method,
        if(leaving.kind = 'closure', -leaving.aum_open_usd, null) as net_flow_usd,
        leaving.aum_open_usd,
        if(leaving.kind = 'closure', -leaving.aum_open_usd, 0) as step_flow_usd,
        if(leaving.kind = 'merger', -leaving.aum_open_usd, 0) as corporate_action_usd,
        if(leaving.kind is null, -leaving.aum_open_usd, 0) as universe_effect_usd
    from leaving
    left join source_weeks
        on leaving.source = source_weeks.source
        and leaving.week_ending = source_weeks.week_ending
    where leaving.kind is not null or source_weeks.source is not null
),

last_aum as (
    select
        source,
        label,
        max(trade_date) as last_aum_date
    from last_stock
    group by all
),

over_and_gone as (
    select
        ends.source,
        ends.label,
        ends.trade_date,
        if(ends.trade_date > last_aum.last_aum_date, last_aum.last_aum_date, null)
            as last_aum_date
    from ends
    inner join last_aum
        on ends.source = last_aum.source
        and ends.label = last_aum.label
)

select
    source,
    label,
    fund,
    trade_date,
    week_ending,
    from_date,
    sampling,
    flow_method,
    fx_basis,
    net_flow_usd,
    seed_flow_usd,
    flow_difference_usd,
    aum_open_usd,
    step_flow_usd,
    fx_effect_usd,
    corporate_action_usd,
    universe_effect_usd,
    aum_close_usd,
    is_flow_known,
    is_session,
    status
from reported
-- On its last day a fund has one row: the one that ends it. Dashes after that day say nothing.
anti join over_and_gone as gone
    on reported.source = gone.source
    and reported.label = gone.label
    and reported.aum_close_usd is null
    and (
        reported.trade_date = gone.trade_date
        or (reported.trade_date > gone.last_aum_date and reported.net_flow_usd is null)
    )
union all
select
    source,
    label,
    fund,
    trade_date,
    week_ending,
    from_date,
    sampling,
    flow_method,
    null as fx_basis,
    net_flow_usd,
    0 as seed_flow_usd,
    null as flow_difference_usd,
    aum_open_usd,
    step_flow_usd,
    0 as fx_effect_usd,
    corporate_action_usd,
    universe_effect_usd,
    0 as aum_close_usd,
    true as is_flow_known,
    false as is_session,
    'final' as status
from ends
