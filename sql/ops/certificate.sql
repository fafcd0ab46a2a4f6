select
    source,
    week_ending,
    report_id,
    known_at,
    rule,
    line,
    expected,
    found,
    residual,
    hard_bound,
    soft_bound,
    checked,
    failed,
    verdict,
    blocking,
    sample,
    proposal
from input.outcome
where verdict not in ('pass', 'refused')
union all
select * from ops.certificate_footer
union all
select * from ops.certificate_period
union all
select * from ops.certificate_bridge
union all
select * from ops.certificate_copy
