-- A label means one member at a time; a fund is one thing and has one issuer at a time (E39, E41,
-- E109).
with spans as (
    select
        dimension || ' ' || label_key as subject,
        valid_from,
        valid_to
    from core.member_label
    union all
    select
        'issuer of ' || fund as subject,
        valid_from,
        coalesce(valid_to, date '9999-12-31') as valid_to
    from reference.fund_issuer
    union all
    select
        'attributes of ' || fund as subject,
        valid_from,
        coalesce(valid_to, date '9999-12-31') as valid_to
    from reference.fund
)

select
    subject,
    valid_from,
    valid_to
from spans
qualify valid_from <= lag(valid_to) over (partition by subject order by valid_from, valid_to)
