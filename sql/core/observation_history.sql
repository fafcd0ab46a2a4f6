-- Every statement about every printed number, from when and until when it was the newest one.
-- grain: one row a source, printed table, dimension, label, measure, period and report
with said as (
    select
        observation.*,
        lead(observation.known_at) over (
            partition by
                observation.source,
                observation.printed_table,
                observation.dimension,
                observation.label,
                observation.measure,
                observation.period,
                observation.period_start,
                observation.period_end
            order by observation.known_at, report.received_at, observation.report_id
        ) as known_to
    from facts.observation as observation
    inner join facts.report as report
        on observation.source = report.source
        and observation.report_id = report.report_id
)

select
    said.source,
    said.report_id,
    said.layout,
    said.known_at,
    said.published_at,
    said.week_ending,
    said.period_start,
    said.period_end,
    said.printed_table,
    said.dimension,
    said.label,
    said.sublabel,
    said.measure,
    said.period,
    said.value,
    said.currency,
    said.unit,
    said.half_unit,
    said.printed,
    said.null_reason,
    said.status,
    said.sheet,
    said.cell,
    said.known_at as known_from,
    said.known_to,
    case
        when said.dimension = 'total' or lower(said.label) = 'total' then 'total'
        when said.dimension = 'currency' then said.label
        else coalesce(meant.member, 'unmapped')
    end as member
from said
left join core.member_label as meant
    -- A footer below a column of a fund is about that fund.
    on if(said.dimension = 'check', 'fund', said.dimension) = meant.dimension
    and lower(said.label) = meant.label_key
    and said.period_end between meant.valid_from and meant.valid_to
