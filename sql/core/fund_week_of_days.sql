with issued as (
    select
        step.* exclude (is_flow_known),
        step.is_flow_known
        and (
            spanning.source is null
            or coalesce(step.flow_method in ('shares', 'assets', 'closure'), false)
        ) as is_flow_known,
        coalesce(span_now.valid_from, date '1900-01-01') as members_since,
        case
            when step.from_date is null then null
            else coalesce(span_then.valid_from, date '1900-01-01')
        end as members_since_before
    from core.fund_step as step
    left join core.spanning_position as spanning
        on step.source = spanning.source
        and step.holder = spanning.holder
        and step.trade_date = spanning.trade_date
        and step.aum_close_usd is not null
    left join core.membership as span_now
        on step.fund = span_now.fund
        and step.trade_date between span_now.valid_from and span_now.valid_to
    left join core.membership as span_then
        on step.fund = span_then.fund
        and step.from_date between span_then.valid_from and span_then.valid_to
),

switching as (
    select
        step.source,
        step.holder,
        step.fund,
        step.trade_date,
        step.net_flow_usd,
        lag(step.trade_date) over (
            partition by step.source, step.holder order by step.trade_date
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
        switching.holder,
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
        and issued.holder = structural.holder
        and issued.trade_date = structural.trade_date
),

moves as (
    select
        source,
        holder,
        label,
        fund,
        week_ending,
        members_since,
        net_flow_usd,
        net_flow_half_unit_usd,
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
    -- A fund that changes its issuer, country or another member takes its AUM along: it leaves one
    -- and enters the other (E39, E84, E109).
    select
        source,
        holder,
        label,
        fund,
        week_ending,
        unnest([members_since_before, members_since]) as members_since,
        null as net_flow_usd,
        null as net_flow_half_unit_usd,
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
    where members_since <> members_since_before and aum_close_usd is not null
    union all
    -- A week without a row of a fund that is there before and after it: nothing of it is known.
    select distinct
        day.source,
        day.holder,
        holder.label,
        day.fund,
        day.week_ending,
        day.members_since,
        null as net_flow_usd,
        null as net_flow_half_unit_usd,
        0 as seed_flow_usd,
        0 as structural_flow_usd,
        null as step_flow_usd,
        null as fx_effect_usd,
        null as corporate_action_usd,
        null as universe_effect_usd,
        null as aum_change_usd,
        null as flow_method,
        'daily' as sampling,
        false as is_session,
        false as is_without_flow,
        false as has_aum,
        false as is_flow_known,
        'final' as status
    from core.missing_day as day
    inner join core.holder
        on day.source = holder.source
        and day.holder = holder.holder
    anti join core.fund_step as step
        on day.source = step.source
        and day.holder = step.holder
        and day.week_ending = step.week_ending
),

summed as (
    select
        source,
        holder,
        label,
        fund,
        week_ending,
        members_since,
        sum(net_flow_usd) as net_flow_usd,
        ops.bound_of(net_flow_usd, net_flow_half_unit_usd) as net_flow_half_unit_usd,
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
        holder,
        week_ending,
        members_since,
        count(*) as days
    from core.missing_day
    group by all
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

entered as (
    select
        source,
        holder,
        min(week_ending) as first_week
    from core.fund_week_aum
    group by all
)

select
    summed.source,
    summed.holder,
    summed.label,
    summed.fund,
    summed.week_ending,
    summed.members_since,
    cast(
        case
            when summed.members_since = ends.members_since_open then ends.aum_open_usd
            else 0 * ends.aum_open_usd
        end
        as decimal(18, 2)
    ) as aum_open_usd,
    cast(summed.net_flow_usd as decimal(18, 2)) as net_flow_usd,
    cast(summed.net_flow_half_unit_usd as decimal(18, 2)) as net_flow_half_unit_usd,
    cast(coalesce(summed.seed_flow_usd, 0) as decimal(18, 2)) as seed_flow_usd,
    cast(coalesce(summed.structural_flow_usd, 0) as decimal(18, 2)) as structural_flow_usd,
    cast(
        case
            when ends.aum_open_usd is null or ends.aum_close_usd is null then summed.net_flow_usd
            else coalesce(summed.bridge_flow_usd, summed.net_flow_usd)
        end as decimal(18, 2)
    ) as bridge_flow_usd,
    cast(
        case
            when summed.is_flow_known and ends.aum_open_usd + ends.aum_close_usd is not null
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
            when summed.members_since = ends.members_since_close then ends.aum_close_usd
            else 0 * ends.aum_close_usd
        end
        as decimal(18, 2)
    ) as aum_close_usd,
    cast(
        case
            when summed.members_since = ends.members_since_close then ends.aum_half_unit_usd
            else 0 * ends.aum_half_unit_usd
        end
        as decimal(18, 2)
    ) as aum_half_unit_usd,
    summed.flow_method,
    summed.sampling,
    summed.days + coalesce(lacking.days, 0) as days,
    summed.days_without_flow + coalesce(lacking.days, 0) as days_without_flow,
    case
        when summed.is_preliminary or summed.week_ending > newest.last_day then 'preliminary'
        when summed.days_without_flow > 0 or doubtful.source is not null then 'partial'
        else 'final'
    end as status,
    coalesce(entered.first_week <= summed.week_ending, false) as is_entered,
    case
        when
            summed.net_flow_usd is not null
            and summed.is_flow_known
            and ends.aum_open_usd + ends.aum_close_usd is not null
            then null
        when entered.first_week = summed.week_ending and ends.aum_open_usd is null then 'not read'
        when doubtful.reason is not null then doubtful.reason
        when summed.days_without_flow > 0 and entered.first_week = summed.week_ending
            then 'first week'
        when summed.net_flow_usd is null then 'flow unknown'
        when ends.aum_open_usd + ends.aum_close_usd is null then 'no position'
        else 'flow unknown'
    end as null_reason
from summed
left join newest
    on summed.source = newest.source
    and newest.scope in (summed.label, '')
left join lacking
    on summed.source = lacking.source
    and summed.holder = lacking.holder
    and summed.week_ending = lacking.week_ending
    and summed.members_since = lacking.members_since
left join core.doubtful_week as doubtful
    on summed.source = doubtful.source
    and summed.holder = doubtful.holder
    and summed.week_ending = doubtful.week_ending
left join core.fund_week_aum as ends
    on summed.source = ends.source
    and summed.holder = ends.holder
    and summed.week_ending = ends.week_ending
left join entered
    on summed.source = entered.source
    and summed.holder = entered.holder
