"""The contracts of schema `mart`: the tables that people query.

Long tables by dimension and member, and a view per dimension with the same columns.
"""

from __future__ import annotations

from typing import Annotated

import pandera.polars as pa
import polars as pl

from schemas.core import NULL_REASONS, Money, closes
from schemas.dimensions import DIMENSIONS, NAMES, PRINTED, listed
from schemas.observation import BySource, Strict

Percent = Annotated[pl.Decimal, 28, 6]
Coins = Annotated[pl.Decimal, 28, 8]


class _Member(BySource):
    dimension: pl.String = pa.Field(
        isin=list(NAMES), description=f"{listed(NAMES)}; see core.dimension."
    )
    member: pl.String = pa.Field(
        description="Code that people use: BTC, ishares, US, ibit-us; `unmapped` if none."
    )
    member_name: pl.String = pa.Field(description="Name for display.")


class Flows(_Member):
    """Net flow of every week by fund, asset, issuer, country and in total.

    grain: one row per source, week, dimension and member
    """

    net_flow_usd: Money = pa.Field(
        nullable=True, description="Creations less redemptions; inflow > 0; NULL if not reported."
    )
    net_flow_half_unit_usd: Money = pa.Field(
        nullable=True,
        ge=0,
        description="How far rounding in print can move the flow (E87); NULL if it is computed.",
    )
    net_flow_ex_seed_usd: Money = pa.Field(
        nullable=True, description="Net flow without the money that funds started with (E15)."
    )
    net_flow_ex_structural_usd: Money = pa.Field(
        nullable=True, description="Net flow without money that only changed vehicles (E18)."
    )
    exposure_flow_usd: Money = pa.Field(
        nullable=True,
        description="Net flow x leverage x direction: what it means for the market (E23, E24).",
    )
    basis: pl.String = pa.Field(
        isin=["printed", "sum of funds", "derived"],
        description="Printed by the source, or summed by us; derived: what printed members leave "
        "unexplained of the printed total, printed nowhere (E49).",
    )
    method: pl.String = pa.Field(
        nullable=True,
        isin=["printed", "shares", "assets", "launch", "closure", "mixed"],
        description="Flows printed by the source, or made of shares (F1) or assets (F2); NULL if "
        "derived.",
    )
    country_basis: pl.String = pa.Field(
        nullable=True, description="For countries: listing, domicile or exchange country."
    )
    funds: pl.Int64 = pa.Field(nullable=True, description="Funds summed; NULL if printed so.")
    coverage: Percent = pa.Field(
        nullable=True, ge=0, le=100, description="Fund-days with a known flow, in percent (E37)."
    )
    status: pl.String = pa.Field(
        isin=["final", "preliminary", "partial"],
        description="preliminary while the source fills it, partial if a flow is unknown.",
    )
    null_reason: pl.String = pa.Field(
        nullable=True,
        isin=list(NULL_REASONS),
        description="Why there is no net flow: see docs/glossary.md.",
    )

    class Config(_Member.Config):
        """The grain."""

        unique = ["source", "week_ending", "dimension", "member"]


class AumChange(_Member):
    """The change of AUM over a week, split into flow, market, FX, corporate actions and universe.

    The flow is that of mart.flows. Change and market are NULL if a fund lacks AUM at one end (E77).
    aum_close = aum_open + net_flow + market + fx + corporate action + universe, to the cent (F4).

    grain: one row per source, week, dimension and member
    """

    aum_open_usd: Money = pa.Field(
        nullable=True, description="AUM at the close of the week before; NULL if not reported."
    )
    net_flow_usd: Money = pa.Field(
        nullable=True, description="Creations less redemptions; inflow > 0; NULL if not reported."
    )
    market_effect_usd: Money = pa.Field(
        nullable=True,
        description="What prices did; gain > 0. Holds FX too where fx_effect_usd is NULL. NULL if "
        "the flow of a day is unknown: never a guess.",
    )
    fx_effect_usd: Money = pa.Field(
        nullable=True,
        description="What exchange rates did; 0 for funds in USD; NULL where the market "
        "effect contains it.",
    )
    corporate_action_usd: Money = pa.Field(
        nullable=True, description="Spin-offs, mergers and the like; nets to zero over funds."
    )
    universe_effect_usd: Money = pa.Field(
        nullable=True, description="AUM of funds that enter (+) or leave (-) coverage."
    )
    aum_close_usd: Money = pa.Field(nullable=True, description="AUM at the close of the week.")
    net_flow_half_unit_usd: Money = pa.Field(
        nullable=True,
        ge=0,
        description="How far rounding in print can move the flow (E87); NULL if it is computed.",
    )
    aum_half_unit_usd: Money = pa.Field(
        nullable=True,
        ge=0,
        description="How far rounding in print can move closing AUM; NULL if it is computed.",
    )
    aum_change_usd: Money = pa.Field(
        nullable=True, description="aum_close - aum_open; NULL if a fund lacks one of them (E77)."
    )
    aum_change_pct: Percent = pa.Field(
        nullable=True, description="aum_change in percent of aum_open."
    )
    flow_pct_of_aum: Percent = pa.Field(
        nullable=True,
        description="net_flow in percent of the aum_open of funds whose flow is known (F5, E80).",
    )
    method: pl.String = pa.Field(
        isin=["funds", "reported"], description="Summed over funds, or from printed AUM and flow."
    )
    coverage: Percent = pa.Field(
        nullable=True, ge=0, le=100, description="AUM with a known flow, in percent of AUM (E37)."
    )
    status: pl.String = pa.Field(
        isin=["final", "preliminary", "partial"],
        description="preliminary while the source fills it, partial if a flow is unknown.",
    )
    null_reason: pl.String = pa.Field(
        nullable=True,
        isin=list(NULL_REASONS),
        description="Why there is no market effect: see docs/glossary.md.",
    )

    @pa.dataframe_check(name="closes_to_the_cent", description="the identity of F4 closes")
    def closes_to_the_cent(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """F4: opening AUM and all effects make the closing AUM, wherever the market is known."""
        return data.lazyframe.select(closes("net_flow_usd"))

    class Config(_Member.Config):
        """The grain."""

        unique = ["source", "week_ending", "dimension", "member"]


class LatestAumChange(_Member):
    """The last week of every source that has a net flow: the change of AUM in short.

    Flow and status are those of mart.flows, the rest of mart.aum_change.

    grain: one row per source, dimension and member
    """

    aum_open_usd: Money = pa.Field(nullable=True, description="AUM when the week opened.")
    net_flow_usd: Money = pa.Field(nullable=True, description="Net flow of the week; inflow > 0.")
    market_effect_usd: Money = pa.Field(nullable=True, description="What prices did; gain > 0.")
    other_effect_usd: Money = pa.Field(
        nullable=True, description="FX, corporate actions and universe; NULL if none is known."
    )
    aum_close_usd: Money = pa.Field(nullable=True, description="AUM at the close of the week.")
    aum_change_pct: Percent = pa.Field(nullable=True, description="In percent of aum_open.")
    status: pl.String = pa.Field(description="final, preliminary or partial; see mart.flows.")

    class Config(_Member.Config):
        """The grain."""

        unique = ["source", "dimension", "member"]


def _by(contract: type[_Member], sentence: str, meaning: str) -> type[_Member]:
    """Return the contract of a view that holds one dimension of a table."""
    grain = "one row per source, week and member"
    text = {"__doc__": f"{sentence} by {meaning}.\n\ngrain: {grain}", "__module__": __name__}
    return type(contract.__name__, (contract,), text)


BY_DIMENSION: dict[str, type[pa.DataFrameModel]] = {
    f"mart.{table}_by_{dimension.name}": _by(contract, sentence, dimension.meaning)
    for table, contract, sentence in (
        ("flows", Flows, "Net flow of every week"),
        ("aum_change", AumChange, "The change of AUM over a week"),
    )
    for dimension in DIMENSIONS
    if dimension.has_views
}
"""The contracts of the views of a dimension, by name: the columns of their table."""


class FundBridge(BySource):
    """The bridge of every fund and week from opening to closing AUM, with both currency lenses.

    aum_close = aum_open + net_flow + market + fx + corporate action + universe, to the cent (F4).

    grain: one row per source, label, fund, week and issuer
    """

    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    label: pl.String = pa.Field(description="The fund's label as printed.")
    issuer: pl.String = pa.Field(description="The fund's issuer on those days (E39).")
    fund_name: pl.String = pa.Field(description="Name for display.")
    aum_open_usd: Money = pa.Field(
        nullable=True, description="AUM at the last close before; NULL if that session had none."
    )
    net_flow_usd: Money = pa.Field(
        nullable=True, description="Creations less redemptions; inflow > 0."
    )
    market_effect_usd: Money = pa.Field(
        nullable=True, description="What prices did in the listing's currency; gain > 0."
    )
    fx_effect_usd: Money = pa.Field(
        nullable=True, description="What the listing's currency did; gain > 0 (E27)."
    )
    corporate_action_usd: Money = pa.Field(nullable=True, description="Spin-offs and mergers.")
    universe_effect_usd: Money = pa.Field(
        nullable=True, description="AUM entering (+) or leaving (-) coverage or the issuer."
    )
    aum_close_usd: Money = pa.Field(
        nullable=True, description="AUM at the last session's close; NULL if it has none (E77)."
    )
    net_flow_half_unit_usd: Money = pa.Field(
        nullable=True,
        ge=0,
        description="How far rounding in print can move the flow (E87); NULL if it is computed.",
    )
    aum_half_unit_usd: Money = pa.Field(
        nullable=True,
        ge=0,
        description="How far rounding in print can move closing AUM; NULL if it is computed.",
    )
    underlying_market_effect_usd: Money = pa.Field(
        nullable=True, description="What the underlying's price in USD did (E28)."
    )
    underlying_fx_effect_usd: Money = pa.Field(
        nullable=True, description="FX that holders bear: 0 if unhedged and priced in USD (E28)."
    )
    seed_flow_usd: Money = pa.Field(description="Part of the flow that started the fund (E15).")
    structural_flow_usd: Money = pa.Field(description="Part that only changed vehicles (E18).")
    distributed_usd: Money = pa.Field(
        ge=0,
        description="Paid out to holders, per share x shares on the ex-date; it lowers NAV, so it "
        "stands in the market effect and is no outflow (E12).",
    )
    flow_method: pl.String = pa.Field(nullable=True, description="See core.fund_step, or mixed.")
    sampling: pl.String = pa.Field(nullable=True, description="daily or weekly steps (E05).")
    status: pl.String = pa.Field(
        isin=["final", "preliminary", "partial"], description="See core.fund_week."
    )
    null_reason: pl.String = pa.Field(
        nullable=True,
        isin=list(NULL_REASONS),
        description="Why there is no market effect: see docs/glossary.md.",
    )

    @pa.dataframe_check(name="closes_to_the_cent", description="the identity of F4 closes")
    def closes_to_the_cent(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """F4, to the cent, wherever the market effect is known."""
        return data.lazyframe.select(closes("net_flow_usd"))

    class Config(BySource.Config):
        """The grain."""

        unique = ["source", "label", "fund", "week_ending", "issuer"]


class PeriodFlows(_Member):
    """Net flow to the end of every week: of the month, quarter, year, since inception, rolling.

    Calendar periods are sums of days, never of weeks that straddle their edge (F17).

    grain: one row per source, week, dimension and member
    """

    net_flow_usd: Money = pa.Field(nullable=True, description="Net flow of the week; inflow > 0.")
    mtd_net_flow_usd: Money = pa.Field(
        nullable=True, description="Days of the month, to the week's end; NULL if days are unknown."
    )
    qtd_net_flow_usd: Money = pa.Field(
        nullable=True, description="Days of the quarter, to the week's end."
    )
    ytd_net_flow_usd: Money = pa.Field(
        nullable=True, description="Days of the year, to the week's end."
    )
    since_inception_net_flow_usd: Money = pa.Field(
        nullable=True, description="All days that the ledger has."
    )
    rolling_4w_net_flow_usd: Money = pa.Field(
        nullable=True, description="This week and the three before (E36: never add these)."
    )
    rolling_13w_net_flow_usd: Money = pa.Field(
        nullable=True, description="This week and the twelve before."
    )
    rolling_52w_net_flow_usd: Money = pa.Field(
        nullable=True, description="This week and the 51 before."
    )
    printed_mtd_net_flow_usd: Money = pa.Field(
        nullable=True, description="Month to date as the source prints it."
    )
    printed_ytd_net_flow_usd: Money = pa.Field(
        nullable=True, description="Year to date as the source prints it."
    )
    status: pl.String = pa.Field(
        isin=["final", "preliminary", "partial"], description="Of the week, see mart.flows."
    )

    class Config(_Member.Config):
        """The grain."""

        unique = ["source", "week_ending", "dimension", "member"]


class FlowsByUnderlying(BySource):
    """Net flow of every week by what it is about: short products count against their coin (E23).

    grain: one row per source, week and underlying
    """

    underlying: pl.String = pa.Field(
        description="The coin or index: BTC for SHORT-BTC too; other and unmapped as they are."
    )
    net_flow_usd: Money = pa.Field(nullable=True, description="Money: creations less redemptions.")
    exposure_flow_usd: Money = pa.Field(
        nullable=True, description="Money x leverage x direction (E23, E24)."
    )


class FlowsLookThrough(BySource):
    """Net flow of every week by asset, multi-asset funds split by what they held before (E22).

    grain: one row per source, week and asset
    """

    asset: pl.String = pa.Field(description="The asset.")
    net_flow_usd: Money = pa.Field(
        nullable=True, description="Net flow, of multi-asset funds by weight."
    )

    class Config(BySource.Config):
        """The grain."""

        unique = ["source", "week_ending", "asset"]


class CoinBridge(BySource):
    """Coins of every fund from one reported day to the next: flow, staking, fees (F6, E30).

    coins_close = coins_open + net_flow + earned - fee.

    grain: one row per source, label and day
    """

    label: pl.String = pa.Field(description="The fund's label as printed.")
    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    trade_date: pl.Date = pa.Field(description="The day on which the step ends.")
    coins_open: Coins = pa.Field(nullable=True, description="Coins on the reported day before.")
    net_flow_coins: Coins = pa.Field(
        nullable=True, description="Coins created less redeemed: (S - k S before) x coins a share."
    )
    earned_coins: Coins = pa.Field(description="Staking rewards.")
    fee_coins: Coins = pa.Field(
        nullable=True, description="Coins that left without a redemption: fees and drift."
    )
    coins_close: Coins = pa.Field(description="Coins at the end of the day.")

    class Config(BySource.Config):
        """The grain."""

        unique = ["source", "label", "trade_date"]


class SourceComparison(Strict):
    """Two sources side by side: net flow of a member in the weeks that overlap most (E62).

    Only sources that have an asset in common in that week. Nothing is mixed or chosen: the row says
    how far they are apart, and the first of the known reasons that can explain it.

    grain: one row per pair of sources, week, dimension and member
    """

    source: pl.String = pa.Field(description="One source, the first of both by name.")
    week_ending: pl.Date = pa.Field(description="Its week, by the date on which it ends (E31).")
    other_source: pl.String = pa.Field(description="The other source.")
    other_week_ending: pl.Date = pa.Field(description="Its week that overlaps most.")
    dimension: pl.String = pa.Field(isin=list(PRINTED), description="What is compared.")
    member: pl.String = pa.Field(description="Code that people use: BTC, ishares, US, ibit-us.")
    member_name: pl.String = pa.Field(description="Name for display.")
    universe: pl.String = pa.Field(description="Which products the source's figures cover.")
    other_universe: pl.String = pa.Field(description="Which products the other's cover.")
    week_ends: pl.String = pa.Field(description="The weekday on which its weeks end.")
    other_week_ends: pl.String = pa.Field(description="The weekday on which the other's end.")
    days: pl.Int64 = pa.Field(gt=0, description="Days of its week (E32).")
    other_days: pl.Int64 = pa.Field(gt=0, description="Days of the other's week.")
    overlap_days: pl.Int64 = pa.Field(gt=0, description="Days that are in both weeks.")
    net_flow_usd: Money = pa.Field(description="Net flow in the source; inflow > 0.")
    other_net_flow_usd: Money = pa.Field(description="Net flow in the other source.")
    difference_usd: Money = pa.Field(description="other_net_flow - net_flow.")
    difference_pct: Percent = pa.Field(
        nullable=True, description="difference in percent of net_flow, without its sign."
    )
    hard_bound_usd: Money = pa.Field(
        ge=0, description="The largest difference that the rounding of printed flows leaves (F9)."
    )
    explained_by: pl.String = pa.Field(
        isin=["equal", "rounding", "incomplete", "universe", "week rule", "lag", "unexplained"],
        description="The first that can: rounding; a week that is not final; other products; other "
        "days; the other's days one day off; else unexplained.",
    )

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "other_source", "week_ending", "dimension", "member"]
