-- The days from which any of it is otherwise than before.
with moments as (
    select
        fund,
        date '1900-01-01' as moment
    from reference.fund
    union
    select
        fund,
        unnest([valid_from, valid_to + 1]) as moment
    from reference.fund
    union
    select
        fund,
        unnest([valid_from, valid_to + 1]) as moment
    from reference.fund_issuer
    union
    select
        issued.fund,
        unnest([sponsor.valid_from, sponsor.valid_to + 1]) as moment
    from reference.fund_issuer as issued
    inner join reference.issuer_sponsor as sponsor
        on issued.issuer = sponsor.issuer
),

spans as (
    select
        fund,
        moment as valid_from,
        coalesce(lead(moment) over (partition by fund order by moment) - 1, date '9999-12-31')
            as valid_to
    from moments
    where moment is not null
)

select
    span.fund,
    span.valid_from,
    span.valid_to,
    coalesce(fund.fund_name, span.fund) as fund_name,
    -- each attribute of a fund
    coalesce(fund.asset, 'unmapped') as asset,
    -- end
    coalesce(issued.issuer, 'unmapped') as issuer,
    coalesce(sponsor.sponsor, 'unmapped') as sponsor,
    coalesce(fund.listing_country, 'unmapped') as listing_country,
    coalesce(fund.domicile, 'unmapped') as domicile,
    fund.currency,
    coalesce(fund.leverage * fund.direction, 1) as exposure,
    coalesce(fund.underlying_currency = 'USD' and not fund.is_hedged, false) as is_dollar_priced
from spans as span
left join reference.fund
    on span.fund = fund.fund
    and ops.is_valid(span.valid_from, fund.valid_from, fund.valid_to)
left join reference.fund_issuer as issued
    on span.fund = issued.fund
    and ops.is_valid(span.valid_from, issued.valid_from, issued.valid_to)
left join reference.issuer_sponsor as sponsor
    on issued.issuer = sponsor.issuer
    and ops.is_valid(span.valid_from, sponsor.valid_from, sponsor.valid_to)
