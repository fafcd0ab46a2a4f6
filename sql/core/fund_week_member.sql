-- Which member of every dimension a fund's week counts for, by the identity of that week (E39).
-- grain: one row a source, label, week and dimension
with identified as (
    select
        fund_week.source,
        fund_week.label,
        fund_week.week_ending,
        fund_week.fund,
        coalesce(fund.asset, 'unmapped') as asset,
        coalesce(fund_issuer.issuer, 'unmapped') as issuer,
        coalesce(fund.listing_country, 'unmapped') as country,
        'total' as total
    from core.fund_week
    left join reference.fund
        on fund_week.fund = fund.fund
    left join reference.fund_issuer
        on fund_week.fund = fund_issuer.fund
        and fund_week.week_ending >= fund_issuer.valid_from
        and fund_week.week_ending <= coalesce(fund_issuer.valid_to, date '9999-12-31')
)

select
    source,
    label,
    week_ending,
    dimension,
    member
from identified
unpivot (member for dimension in (fund, asset, issuer, country, total))
