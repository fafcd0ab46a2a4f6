with contract_rules as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        rule,
        case
            when verdict = 'pass' then 'pass'
            when blocking then 'fail'
            else 'warn'
        end as outcome,
        checked,
        failed,
        null as worst_residual,
        sample
    from input.outcome
    where verdict in ('pass', 'refused')
),

sums as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        rule,
        case
            when not bool_or(verdict in ('unexplained', 'undecidable')) then 'pass'
            when bool_or(verdict = 'unexplained' and blocking) then 'fail'
            else 'warn'
        end as outcome,
        count(*) as checked,
        count(*) filter (where verdict in ('unexplained', 'undecidable')) as failed,
        max(abs(residual)) filter (where verdict = 'unexplained') as worst_residual,
        string_agg(
            line || coalesce(' (' || sample || ')', '') || coalesce(': ' || proposal || '?', ''),
            '; '
            order by line, sample
        ) filter (where verdict in ('unexplained', 'undecidable')) as sample
    from ops.certificate
    group by all
),

labels as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        'label_mapped' as rule,
        case when bool_or(member = 'unmapped') then 'warn' else 'pass' end as outcome,
        count(distinct dimension || ' ' || label) as checked,
        count(distinct dimension || ' ' || label) filter (where member = 'unmapped') as failed,
        null as worst_residual,
        string_agg(distinct dimension || ' ' || label, '; ' order by dimension || ' ' || label)
        filter (where member = 'unmapped') as sample
    from core.observation
    -- A dash below a ticker that is not in use yet means nothing that would have to be mapped, nor
    -- does a footer or a subtotal.
    where value is not null and dimension <> 'check'
    group by all
),

-- Days that the build holds back, though every cell of them was readable.
held as (
    select
        source,
        week_ending,
        report_id,
        known_at,
        rule,
        case when rule = 'split_half_applied' then 'warn' else 'fail' end as outcome,
        count(*) as checked,
        count(*) as failed,
        null as worst_residual,
        string_agg(sheet || '!' || cell || ' ' || printed, '; ' order by sheet, cell) as sample
    from ops.quarantine
    where rule in ('fx_rate_missing', 'currency_not_of_fund', 'split_half_applied')
    group by all
)

select * from contract_rules
union all
select * from held
union all
select * from sums
union all
select * from labels
