with steps as (
    select
        source,
        holder,
        label,
        fund,
        trade_date,
        week_ending,
        sampling,
        step_flow_usd / aum_open_usd as flow_return,
        (aum_close_usd - aum_open_usd - step_flow_usd - fx_effect_usd - corporate_action_usd)
        / aum_open_usd as implied_return
    from core.fund_step
    where
        flow_method = 'printed'
        and is_flow_known
        and aum_open_usd > 0
        and aum_close_usd > 0
        and universe_effect_usd = 0
),

-- Median and MAD are not moved by the few days that are wrong (F13).
usual as (
    select
        source,
        holder,
        sampling,
        count(*) as steps,
        median(implied_return) as usual_return,
        5 * 1.4826 * mad(implied_return) as return_bound
    from steps
    group by all
),

against as (
    select
        steps.*,
        usual.steps as history,
        usual.usual_return,
        usual.return_bound
    from steps
    inner join usual
        on steps.source = usual.source
        and steps.holder = usual.holder
        and steps.sampling = usual.sampling
)

select
    source,
    label,
    fund,
    week_ending,
    trade_date,
    cast(100 * flow_return as decimal(18, 6)) as flow_pct_of_aum,
    cast(100 * implied_return as decimal(18, 6)) as implied_return_pct,
    cast(100 * usual_return as decimal(18, 6)) as usual_return_pct,
    cast(100 * return_bound as decimal(18, 6)) as bound_pct,
    history,
    case
        when history < 60 then 'unknown'
        when abs(implied_return - usual_return) <= return_bound then 'plausible'
        else 'disagrees'
    end as verdict
from against
-- The worst day of the week; a fund that changed its sampling has two usual returns.
qualify
    row_number() over (
        partition by source, holder, week_ending
        order by abs(implied_return - usual_return) desc, trade_date
    ) = 1
