-- The newest statement about every printed number, with the member that its label means.
-- grain: one row a source, printed table, dimension, label, measure and period
with latest as (
    select said.*
    from facts.observation as said
    inner join facts.report as report
        on said.source = report.source
        and said.report_id = report.report_id
    qualify row_number() over (
        partition by
            said.source,
            said.printed_table,
            said.dimension,
            said.label,
            said.measure,
            said.period,
            said.period_start,
            said.period_end
        order by said.known_at desc, report.received_at desc, said.report_id desc
    ) = 1
)

select
    latest.source,
    latest.report_id,
    latest.layout,
    latest.known_at,
    latest.published_at,
    latest.week_ending,
    latest.period_start,
    latest.period_end,
    latest.printed_table,
    latest.dimension,
    latest.label,
    latest.sublabel,
    latest.measure,
    latest.period,
    latest.value,
    latest.currency,
    latest.unit,
    latest.half_unit,
    latest.printed,
    latest.null_reason,
    latest.status,
    latest.sheet,
    latest.cell,
    case
        when latest.dimension = 'total' or lower(latest.label) = 'total' then 'total'
        when latest.dimension = 'currency' then latest.label
        else coalesce(meant.member, 'unmapped')
    end as member
from latest
left join core.member_label as meant
    -- A footer below a column of a fund is about that fund.
    on if(latest.dimension = 'check', 'fund', latest.dimension) = meant.dimension
    and lower(latest.label) = meant.label_key
    and latest.period_end between meant.valid_from and meant.valid_to
