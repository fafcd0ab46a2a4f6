-- Every correction finds the printed number that it expects.
select
    ledger.correction,
    concat_ws(
        ' ',
        ledger.source,
        ledger.printed_table,
        ledger.label,
        ledger.measure,
        'of the',
        ledger.period,
        'to',
        ledger.period_end
    ) as number,
    ledger.expected_value,
    coalesce(
        rtrim(rtrim(cast(newest.printed_value as varchar), '0'), '.'),
        newest.null_reason,
        'no such number'
    ) as found,
    ledger.withdrawn_on is not null as is_withdrawn
from reference.correction as ledger
left join core.observation as newest
    using (source, printed_table, dimension, label, measure, period, period_end)
where
    -- As of a past day a line may be outdated and not yet withdrawn.
    (select as_of from ops.build) is null
    and case
        when ledger.withdrawn_on is null then newest.correction is distinct from ledger.correction
        else ledger.correction not in (
            select correction
            from core.observation_history
            where correction is not null
        )
    end
order by all
