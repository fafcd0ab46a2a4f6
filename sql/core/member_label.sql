with labels as (
    select
        dimension,
        label,
        member,
        valid_from,
        valid_to
    from reference.alias
    union all
    select
        'fund' as dimension,
        identifier as label,
        fund as member,
        valid_from,
        valid_to
    from reference.fund_identifier
)

select
    dimension,
    lower(label) as label_key,
    member,
    valid_from,
    coalesce(valid_to, date '9999-12-31') as valid_to
from labels
