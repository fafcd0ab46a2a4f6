-- kind: view
with newest as (
    select
        result.source,
        result.week_ending,
        result.rule,
        result.outcome
    from ops.check_result as result
    inner join core.report
        on result.source = report.source
        and result.report_id = report.report_id
    qualify
        rank() over (
            partition by result.source, result.week_ending
            order by result.known_at desc, report.received_at desc, result.report_id desc
        ) = 1
)

select
    source,
    week_ending,
    string_agg(rule, ', ' order by rule) as rules
from newest
where outcome = 'fail'
group by all
