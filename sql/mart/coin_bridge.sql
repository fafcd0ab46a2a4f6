with held as (
    select
        source,
        holder,
        label,
        fund,
        trade_date,
        week_ending,
        coins_held,
        coins_earned,
        shares_outstanding,
        split_new,
        split_old,
        lag(
            {
                'trade_date': trade_date,
                'coins': coins_held,
                'shares': shares_outstanding,
                'split_new': split_new,
                'split_old': split_old
            }
        ) over (partition by source, holder order by trade_date) as before
    from core.fund_day
    where coins_held is not null and not is_held
),

flowing as (
    select
        *,
        cast(
            round(
                (
                    shares_outstanding
                    - before.shares * (split_new * before.split_old)
                    / (split_old * before.split_new)
                ) * coins_held / nullif(shares_outstanding, 0),
                8
            ) as decimal(28, 8)
        ) as coin_flow
    from held
)

select
    source,
    label,
    fund,
    trade_date,
    week_ending,
    cast(before.coins as decimal(28, 8)) as coins_open,
    coin_flow as net_flow_coins,
    cast(coalesce(coins_earned, 0) as decimal(28, 8)) as earned_coins,
    cast(before.coins + coin_flow + coalesce(coins_earned, 0) - coins_held as decimal(28, 8))
        as fee_coins,
    cast(coins_held as decimal(28, 8)) as coins_close
from flowing
