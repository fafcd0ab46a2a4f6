-- The bridge of every fund and week from opening to closing AUM, with both currency lenses (F4).
-- grain: one row a source, label, week and issuer
select
    week.source,
    week.week_ending,
    week.fund,
    week.label,
    week.issuer,
    coalesce(fund.fund_name, week.label) as fund_name,
    week.aum_open_usd,
    week.bridge_flow_usd as net_flow_usd,
    week.market_effect_usd,
    week.fx_effect_usd,
    week.corporate_action_usd,
    week.universe_effect_usd,
    week.aum_close_usd,
    -- The underlying lens: a coin is priced in dollars, so an unhedged class has no FX (E28).
    if(
        fund.underlying_currency = 'USD' and not fund.is_hedged,
        week.market_effect_usd + week.fx_effect_usd,
        week.market_effect_usd
    ) as underlying_market_effect_usd,
    if(
        fund.underlying_currency = 'USD' and not fund.is_hedged,
        0 * week.market_effect_usd,
        week.fx_effect_usd
    ) as underlying_fx_effect_usd,
    week.seed_flow_usd,
    week.structural_flow_usd,
    week.flow_method,
    week.sampling,
    week.status
from core.fund_week as week
left join reference.fund
    on week.fund = fund.fund
where week.aum_open_usd is not null and week.aum_close_usd is not null
