with issued as (
    select
        step.* exclude (is_flow_known),
        step.is_flow_known
        and (
            spanning.source is null
            or coalesce(step.flow_method in ('shares', 'assets', 'closure'), false)
        ) as is_flow_known,
        spanning.source is not null as is_spanning,
        coalesce(issuer_now.issuer, 'unmapped') as issuer,
        case
            when step.from_date is null then null
            else coalesce(issuer_then.issuer, 'unmapped')
        end as issuer_before
    from core.fund_step as step
    left join core.spanning_position as spanning
        on step.source = spanning.source
        and step.label = spanning.label
        and step.trade_date = spanning.trade_date
        and step.aum_close_usd is not null
    left join reference.fund_issuer as issuer_now
        on step.fund = issuer_now.fund
        and ops.is_valid(step.trade_date, issuer_now.valid_from, issuer_now.valid_to)
    left join reference.fund_issuer as issuer_then
        on step.fund = issuer_then.fund
        and ops.is_valid(step.from_date, issuer_then.valid_from, issuer_then.valid_to)
),

switching as (
    select
        step.source,
        step.label,
        step.fund,
        step.trade_date,
        step.net_flow_usd,
        lag(step.trade_date) over (
            partition by step.source, step.label order by step.trade_date
        ) as day_before
    from core.fund_step as step
    where
        step.fund in (
            select action.fund
            from reference.corporate_action as action
            where action.kind = 'structural'
        )
),

structural as (
    select
        switching.source,
        switching.label,
        switching.trade_date,
        sum(action.amount_usd) as amount_usd
    from switching
    inner join reference.corporate_action as action
        on switching.fund = action.fund
        and action.kind = 'structural'
        and switching.trade_date >= action.effective_date
        and action.effective_date > coalesce(switching.day_before, switching.trade_date - 7)
    where switching.net_flow_usd is not null
    group by all
),

flagged as (
    select
        issued.*,
        coalesce(structural.amount_usd, 0) as structural_flow_usd
    from issued
    left join structural
        on issued.source = structural.source
        and issued.label = structural.label
        and issued.trade_date = structural.trade_date
),

moves as (
    select
        source,
        label,
        fund,
        week_ending,
        issuer,
        net_flow_usd,
        seed_flow_usd,
        structural_flow_usd,
        step_flow_usd,
        fx_effect_usd,
        corporate_action_usd,
        universe_effect_usd,
        aum_close_usd - aum_open_usd as aum_change_usd,
        flow_method,
        sampling,
        is_session,
        -- What flowed on the day of a first position is unknown, too (E86).
        is_session
        and net_flow_usd is null
        and (not is_flow_known or (from_date is null and aum_close_usd is not null))
            as is_without_flow,
        aum_close_usd is not null as has_aum,
        is_flow_known,
        status
    from flagged
    union all
    -- A fund that changes its issuer takes its AUM along: it leaves one and enters the other.
    select
        source,
        label,
        fund,
        week_ending,
        unnest([issuer_before, issuer]) as issuer,
        null as net_flow_usd,
        0 as seed_flow_usd,
        0 as structural_flow_usd,
        null as step_flow_usd,
        0 as fx_effect_usd,
        0 as corporate_action_usd,
        unnest([-aum_open_usd, aum_open_usd]) as universe_effect_usd,
        unnest([-aum_open_usd, aum_open_usd]) as aum_change_usd,
        null as flow_method,
        sampling,
        false as is_session,
        false as is_without_flow,
        true as has_aum,
        true as is_flow_known,
        'final' as status
    from flagged
    where issuer <> issuer_before and aum_close_usd is not null
),

summed as (
    select
        source,
        label,
        fund,
        week_ending,
        issuer,
        sum(net_flow_usd) as net_flow_usd,
        sum(seed_flow_usd) as seed_flow_usd,
        sum(structural_flow_usd) as structural_flow_usd,
        sum(step_flow_usd) as bridge_flow_usd,
        sum(fx_effect_usd) as fx_effect_usd,
        sum(corporate_action_usd) as corporate_action_usd,
        sum(universe_effect_usd) as universe_effect_usd,
        sum(aum_change_usd) as aum_change_usd,
        case
            when count(distinct flow_method) > 1 then 'mixed'
            else max(flow_method)
        end as flow_method,
        max(sampling) as sampling,
        count(*) filter (where is_session) as days,
        count(*) filter (where is_without_flow) as days_without_flow,
        coalesce(bool_and(is_flow_known) filter (where has_aum), false) as is_flow_known,
        bool_or(status = 'preliminary') as is_preliminary
    from moves
    group by all
),

lacking as (
    select
        source,
        label,
        week_ending,
        issuer,
        count(*) as days
    from core.missing_day
    group by all
),

-- What a refused position hides may have flowed until the next one (E105).
days_in_a_row as (
    select
        *,
        printed_flow_local is null as is_position,
        lag(is_refused, 1, false) over (
            partition by source, label order by trade_date
        ) as is_refused_before
    from core.fund_day
),

doubtful as (
    select distinct
        source,
        label,
        week_ending
    from days_in_a_row
    where is_held or is_refused or usd_per_unit is null or (is_refused_before and is_position)
    union
    select
        source,
        label,
        week_ending
    from lacking
    union
    select
        source,
        label,
        week_ending
    from issued
    where is_spanning
),

-- A week is unfinished until the source, or the fund's own file, has a day at its end (E37).
newest as (
    select
        step.source,
        case when source.report_covers = 'one fund' then step.label else '' end as scope,
        max(step.trade_date) as last_day
    from core.fund_step as step
    inner join core.source
        on step.source = source.source
    where step.is_session
    group by all
),

-- The stock at both ends of the week, under the issuer of that day.
ends as (
    select
        source,
        label,
        week_ending,
        arg_min({ 'usd': aum_open_usd }, trade_date).usd as aum_open_usd,
        arg_min(coalesce(issuer_before, issuer), trade_date) as issuer_open,
        arg_max(aum_close_usd, trade_date) as aum_close_usd,
        arg_max(issuer, trade_date) as issuer_close
    from issued
    where aum_close_usd is not null
    group by all
)

select
    summed.source,
    summed.label,
    summed.fund,
    summed.week_ending,
    summed.issuer,
    cast(
        case
            when summed.issuer = ends.issuer_open then ends.aum_open_usd
            else 0 * ends.aum_open_usd
        end
        as decimal(18, 2)
    ) as aum_open_usd,
    cast(summed.net_flow_usd as decimal(18, 2)) as net_flow_usd,
    cast(coalesce(summed.seed_flow_usd, 0) as decimal(18, 2)) as seed_flow_usd,
    cast(coalesce(summed.structural_flow_usd, 0) as decimal(18, 2)) as structural_flow_usd,
    cast(summed.bridge_flow_usd as decimal(18, 2)) as bridge_flow_usd,
    cast(
        case
            when summed.is_flow_known
                then
                    summed.aum_change_usd
                    - coalesce(summed.bridge_flow_usd, 0)
                    - coalesce(summed.fx_effect_usd, 0)
                    - coalesce(summed.corporate_action_usd, 0)
                    - coalesce(summed.universe_effect_usd, 0)
        end as decimal(18, 2)
    ) as market_effect_usd,
    cast(summed.fx_effect_usd as decimal(18, 2)) as fx_effect_usd,
    cast(summed.corporate_action_usd as decimal(18, 2)) as corporate_action_usd,
    cast(summed.universe_effect_usd as decimal(18, 2)) as universe_effect_usd,
    cast(
        case
            when summed.issuer = ends.issuer_close then ends.aum_close_usd
            else 0 * ends.aum_close_usd
        end
        as decimal(18, 2)
    ) as aum_close_usd,
    summed.flow_method,
    summed.sampling,
    summed.days + case when summed.days > 0 then coalesce(lacking.days, 0) else 0 end as days,
    summed.days_without_flow + case when summed.days > 0 then coalesce(lacking.days, 0) else 0 end
        as days_without_flow,
    case
        when summed.is_preliminary or summed.week_ending > newest.last_day then 'preliminary'
        when summed.days_without_flow > 0 or doubtful.source is not null then 'partial'
        else 'final'
    end as status
from summed
left join newest
    on summed.source = newest.source
    and newest.scope in (summed.label, '')
left join lacking
    on summed.source = lacking.source
    and summed.label = lacking.label
    and summed.week_ending = lacking.week_ending
    and summed.issuer = lacking.issuer
left join doubtful
    on summed.source = doubtful.source
    and summed.label = doubtful.label
    and summed.week_ending = doubtful.week_ending
left join ends
    on summed.source = ends.source
    and summed.label = ends.label
    and summed.week_ending = ends.week_ending
