select
    source,
    week_ending,
    report_id,
    known_at,
    case
        when bool_or(verdict = 'unexplained') then 'unexplained'
        when bool_or(verdict = 'undecidable') then 'undecidable'
        when bool_or(verdict = 'unknown') then 'unknown'
        when bool_or(verdict in ('rounding', 'plausible')) then 'rounding'
        else 'exact'
    end as verdict,
    bool_or(blocking and verdict = 'unexplained') as is_refused,
    count(*) as lines,
    count(*) filter (where verdict = 'exact') as exact,
    count(*) filter (where verdict in ('rounding', 'plausible')) as rounding,
    count(*) filter (where verdict = 'unknown') as unknown,
    count(*) filter (where verdict = 'undecidable') as undecidable,
    count(*) filter (where verdict = 'unexplained') as unexplained,
    count(proposal) as proposals,
    sha256(
        string_agg(
            concat_ws(
                '|',
                source,
                week_ending,
                report_id,
                rule,
                line,
                coalesce(cast(expected as varchar), '-'),
                coalesce(cast(found as varchar), '-'),
                coalesce(cast(hard_bound as varchar), '-'),
                coalesce(cast(soft_bound as varchar), '-'),
                verdict,
                coalesce(proposal, '-')
            ),
            chr(10)
            order by rule, line
        )
    ) as lines_sha256
from ops.certificate
group by all
