-- kind: view
with steps as (
    select move.* exclude (is_unrated)
    from core.fund_move as move
    -- On its last day a fund has one row: the one that ends it. Dashes after its last position say
    -- nothing.
    anti join core.fund_exit as exit
        on move.source = exit.source
        and move.holder = exit.holder
        and move.aum_close_usd is null
        and (
            move.trade_date = exit.trade_date
            or (move.trade_date > exit.from_date and move.net_flow_usd is null)
        )
    union all by name
    select
        source,
        holder,
        fund,
        trade_date,
        week_ending,
        from_date,
        sampling,
        flow_method,
        null as fx_basis,
        net_flow_usd,
        null as net_flow_half_unit_usd,
        0 as seed_flow_usd,
        null as flow_difference_usd,
        aum_open_usd,
        step_flow_usd,
        0 as fx_effect_usd,
        corporate_action_usd,
        universe_effect_usd,
        0 as aum_close_usd,
        0 as aum_half_unit_usd,
        true as is_flow_known,
        false as is_session,
        'final' as status
    from core.fund_exit
)

select
    steps.*,
    holder.label
from steps
inner join core.holder
    on steps.source = holder.source
    and steps.holder = holder.holder
