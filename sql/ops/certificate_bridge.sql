with reports as (
    select
        source,
        week_ending,
        first(report_id order by known_at desc, report_id asc) as report_id,
        max(known_at) as known_at
    from core.observation
    group by all
),

-- Flows by shares and by assets agree where both can be made (E02).
methods as (
    select
        step.source,
        step.week_ending,
        observation.report_id,
        observation.known_at,
        step.label,
        min_by(step.trade_date, row(-abs(step.flow_difference_usd), step.trade_date))
            as worst_day,
        0 as expected,
        min_by(
            step.flow_difference_usd, row(-abs(step.flow_difference_usd), step.trade_date)
        ) as found,
        -found as residual,
        -- NAV rounded by half a unit moves both NAVs and so the return of the whole AUM.
        max(
            step.aum_open_usd * 2 * observation.half_unit / observation.value
            + abs(step.net_flow_usd) * observation.half_unit / observation.value
            + 0.01
        ) as hard_bound,
        count(*) as checked
    from core.fund_step as step
    inner join core.observation
        on step.source = observation.source
        and step.label = observation.label
        and step.trade_date = observation.period_end
        and observation.measure = 'nav'
        and observation.value > 0
    where step.flow_difference_usd is not null and step.aum_open_usd > 0
    group by all
),

method_lines as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        'flow_methods' as rule,
        label || ': flow by shares = flow by assets; worst day ' || worst_day as line,
        expected,
        found,
        residual,
        cast(hard_bound as decimal(38, 10)) as hard_bound,
        null as soft_bound,
        checked,
        cast(abs(residual) > hard_bound as integer) as failed,
        ops.verdict(residual, hard_bound) as verdict
    from methods
),

-- The week before it is where a reported week opens.
reported as (
    select
        this_week.*,
        week_before.aum_usd as aum_open_usd,
        week_before.aum_half_unit_usd as aum_open_half_unit_usd
    from core.reported_week as this_week
    left join core.reported_week as week_before
        on this_week.source = week_before.source
        and this_week.dimension = week_before.dimension
        and this_week.label = week_before.label
        and this_week.week_ending - 7 = week_before.week_ending
),

bridge_lines as (
    select
        bridge.source,
        bridge.week_ending,
        report.report_id,
        report.known_at,
        'bridge' as rule,
        'change of AUM = flow + market + FX + corporate actions + universe' as line,
        bridge.aum_change_usd as expected,
        coalesce(bridge.net_flow_usd, 0)
        + bridge.market_effect_usd
        + coalesce(bridge.fx_effect_usd, 0)
        + coalesce(bridge.corporate_action_usd, 0)
        + coalesce(bridge.universe_effect_usd, 0) as found,
        bridge.aum_change_usd - found as residual,
        0 as hard_bound,
        null as soft_bound,
        1 as checked,
        case when residual <> 0 then 1 else 0 end as failed,
        ops.verdict(residual, 0) as verdict
    from mart.aum_change as bridge
    inner join reports as report
        on bridge.source = report.source
        and bridge.week_ending = report.week_ending
    where bridge.dimension = 'total' and bridge.aum_open_usd is not null
),

-- In percent of the opening AUM, the worst fund of the week (E61).
implied as (
    select
        *,
        row_number() over (
            partition by source, week_ending
            order by
                verdict = 'disagrees' desc,
                abs(implied_return_pct - usual_return_pct) - bound_pct desc,
                label
        ) as place,
        count(*) over (partition by source, week_ending) as checked,
        count(*) filter (where verdict = 'disagrees') over (
            partition by source, week_ending
        ) as failed
    from ops.implied_return
),

market_lines as (
    select
        worst.source,
        worst.week_ending,
        report.report_id,
        report.known_at,
        'market_effect' as rule,
        format(
            'market effect as usual, % of AUM; farthest from it: {} on {}',
            worst.label, worst.trade_date
        ) as line,
        worst.usual_return_pct as expected,
        worst.implied_return_pct as found,
        worst.usual_return_pct - worst.implied_return_pct as residual,
        null as hard_bound,
        worst.bound_pct as soft_bound,
        worst.checked,
        worst.failed,
        case worst.verdict
            when 'disagrees' then 'unexplained'
            else worst.verdict
        end as verdict
    from implied as worst
    inner join reports as report
        on worst.source = report.source
        and worst.week_ending = report.week_ending
    where worst.place = 1
    union all
    -- A weekly report has no days that could be counted.
    select
        week.source,
        week.week_ending,
        report.report_id,
        report.known_at,
        'market_effect' as rule,
        'market effect of the week, % of AUM' as line,
        null as expected,
        cast(
            100 * (week.aum_usd - week.aum_open_usd - week.net_flow_usd) / week.aum_open_usd
            as decimal(18, 6)
        ) as found,
        null as residual,
        cast(
            100
            * (
                week.aum_half_unit_usd
                + week.aum_open_half_unit_usd
                + week.net_flow_half_unit_usd
            )
            / week.aum_open_usd
            as decimal(18, 6)
        ) as hard_bound,
        null as soft_bound,
        3 as checked,
        0 as failed,
        'unknown' as verdict
    from reported as week
    inner join reports as report
        on week.source = report.source
        and week.week_ending = report.week_ending
    where
        week.dimension = 'total'
        and week.aum_open_usd > 0
        and week.aum_usd is not null
        and week.net_flow_usd is not null
),

-- No more can leave than was there, and no more can have come than is there or was (E52).
flows as (
    select
        source,
        week_ending,
        label,
        trade_date as flow_date,
        abs(net_flow_usd) as flow_usd,
        0.01 as flow_half_unit_usd,
        case
            when net_flow_usd < 0 then aum_open_usd
            else greatest(aum_open_usd, aum_close_usd)
        end as stock_usd,
        0.01 as stock_half_unit_usd
    from core.fund_step
    where aum_open_usd > 0 and net_flow_usd is not null
    union all
    select
        source,
        week_ending,
        dimension || ' ' || label as label,
        week_ending as flow_date,
        abs(net_flow_usd) as flow_usd,
        net_flow_half_unit_usd as flow_half_unit_usd,
        case
            when net_flow_usd < 0 then coalesce(aum_open_usd, aum_usd)
            else greatest(aum_open_usd, aum_usd)
        end as stock_usd,
        coalesce(aum_open_half_unit_usd, aum_half_unit_usd) as stock_half_unit_usd
    from reported
    where net_flow_usd is not null and coalesce(aum_open_usd, aum_usd) > 0
),

compared as (
    select
        *,
        ops.is_at_most(
            flow_usd - flow_half_unit_usd,
            flow_usd + flow_half_unit_usd,
            stock_usd - stock_half_unit_usd,
            stock_usd + stock_half_unit_usd
        ) as is_within,
        row_number() over (
            partition by source, week_ending order by stock_usd - flow_usd, label, flow_date
        ) as place,
        count(*) over (partition by source, week_ending) as checked
    from flows
),

stock_lines as (
    select
        worst.source,
        worst.week_ending,
        report.report_id,
        report.known_at,
        'flow_within_aum' as rule,
        format(
            'flows no larger than the AUM; nearest to it: {} on {}', worst.label, worst.flow_date
        ) as line,
        worst.stock_usd as expected,
        worst.flow_usd as found,
        worst.stock_usd - worst.flow_usd as residual,
        worst.flow_half_unit_usd + worst.stock_half_unit_usd as hard_bound,
        null as soft_bound,
        worst.checked,
        cast(worst.is_within = 'false' as integer) as failed,
        case worst.is_within
            when 'true' then 'exact'
            when 'false' then 'unexplained'
            else 'undecidable'
        end as verdict
    from compared as worst
    inner join reports as report
        on worst.source = report.source
        and worst.week_ending = report.week_ending
    where worst.place = 1
),

-- What is not known is no error, and no zero (E37).
known as (
    select
        source,
        week_ending,
        'net flow is known, % of funds and days' as line,
        coverage,
        funds as checked
    from mart.flows
    where dimension = 'total' and coverage is not null
    union all
    select
        source,
        week_ending,
        'net flow is printed, % of the rows' as line,
        cast(100 * count(net_flow_usd) / count(*) as decimal(18, 6)) as coverage,
        count(*) as checked
    from core.reported_week
    where dimension <> 'total'
    group by all
),

coverage_lines as (
    select
        known.source,
        known.week_ending,
        report.report_id,
        report.known_at,
        'coverage' as rule,
        known.line,
        100 as expected,
        known.coverage as found,
        100 - known.coverage as residual,
        null as hard_bound,
        null as soft_bound,
        known.checked,
        0 as failed,
        case when known.coverage = 100 then 'exact' else 'unknown' end as verdict
    from known
    inner join reports as report
        on known.source = report.source
        and known.week_ending = report.week_ending
),

lines as (
    select * from method_lines
    union all
    select * from bridge_lines
    union all
    select * from market_lines
    union all
    select * from stock_lines
    union all
    select * from coverage_lines
)

select
    source,
    week_ending,
    report_id,
    known_at,
    rule,
    line,
    cast(expected as decimal(38, 10)) as expected,
    cast(found as decimal(38, 10)) as found,
    cast(residual as decimal(38, 10)) as residual,
    cast(hard_bound as decimal(38, 10)) as hard_bound,
    cast(soft_bound as decimal(38, 10)) as soft_bound,
    checked,
    failed,
    verdict,
    false as blocking,
    null as sample,
    null as proposal
from lines
