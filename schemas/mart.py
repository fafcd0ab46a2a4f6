"""The contracts of schema `mart`: the tables that people query.

Long tables by dimension and member, and a view a dimension with the same columns.
"""

from __future__ import annotations

from typing import Annotated

import pandera.polars as pa
import polars as pl

from schemas.core import Money

Percent = Annotated[pl.Decimal, 18, 6]


class _Member(pa.DataFrameModel):
    source: pl.String = pa.Field(
        description="The publisher's series of reports; sources are never mixed."
    )
    week_ending: pl.Date = pa.Field(description="The week, by the date on which it ends (E31).")
    dimension: pl.String = pa.Field(description="fund, asset, issuer, country or total.")
    member: pl.String = pa.Field(
        description="Code that people use: BTC, ishares, US, ibit-us; `unmapped` if none."
    )
    member_name: pl.String = pa.Field(description="Name for display.")

    class Config:
        """Shape rules: these columns, no others."""

        strict = True


class Flows(_Member):
    """Net flow of every week by fund, asset, issuer, country and in total.

    grain: one row a source, week, dimension and member
    """

    net_flow_usd: Money = pa.Field(
        nullable=True, description="Creations less redemptions; inflow > 0; NULL if not reported."
    )
    basis: pl.String = pa.Field(
        isin=["printed", "sum of funds"], description="Printed by the source, or summed by us."
    )
    method: pl.String = pa.Field(
        nullable=True,
        isin=["printed", "shares", "mixed"],
        description="Flows printed by the source, or made of shares and NAV (F1).",
    )
    country_basis: pl.String = pa.Field(
        nullable=True, description="For countries: listing, domicile or exchange country."
    )
    funds: pl.Int64 = pa.Field(nullable=True, description="Funds summed; NULL if printed so.")
    coverage: Percent = pa.Field(
        nullable=True, ge=0, le=100, description="Funds with a flow, in percent of funds (E37)."
    )
    status: pl.String = pa.Field(
        isin=["final", "preliminary", "partial"],
        description="preliminary while the source fills it, partial if a flow is unknown.",
    )

    class Config(_Member.Config):
        """The grain."""

        unique = ["source", "week_ending", "dimension", "member"]


class AumChange(_Member):
    """The change of AUM over a week, split into flow, market, FX, corporate actions and universe.

    aum_close = aum_open + net_flow + market + fx + corporate action + universe, to the cent (F4).

    grain: one row a source, week, dimension and member
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
        description="What exchange rates did; 0 for funds in USD; NULL where it cannot be told "
        "from the market effect.",
    )
    corporate_action_usd: Money = pa.Field(
        nullable=True, description="Spin-offs, mergers and the like; nets to zero over funds."
    )
    universe_effect_usd: Money = pa.Field(
        nullable=True, description="AUM of funds that enter (+) or leave (-) coverage."
    )
    aum_close_usd: Money = pa.Field(nullable=True, description="AUM at the close of the week.")
    aum_change_usd: Money = pa.Field(nullable=True, description="aum_close - aum_open.")
    aum_change_pct: Percent = pa.Field(
        nullable=True, description="aum_change in percent of aum_open."
    )
    flow_pct_of_aum: Percent = pa.Field(
        nullable=True, description="net_flow in percent of aum_open: sum over sum (F5)."
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

    @pa.dataframe_check(name="closes_to_the_cent", description="the identity of F4 closes")
    def closes_to_the_cent(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """F4: opening AUM and all effects make the closing AUM, wherever the market is known."""
        effects = (
            "net_flow_usd",
            "market_effect_usd",
            "fx_effect_usd",
            "corporate_action_usd",
            "universe_effect_usd",
        )
        explained = pl.sum_horizontal(pl.col(name).fill_null(0) for name in effects)
        return data.lazyframe.select(
            pl.col("market_effect_usd").is_null()
            | (pl.col("aum_open_usd") + explained == pl.col("aum_close_usd"))
        )

    class Config(_Member.Config):
        """The grain."""

        unique = ["source", "week_ending", "dimension", "member"]


class FlowsByAsset(Flows):
    """Net flow of every week by asset. grain: one row a source, week and asset."""


class FlowsByIssuer(Flows):
    """Net flow of every week by issuer. grain: one row a source, week and issuer."""


class FlowsByCountry(Flows):
    """Net flow of every week by country. grain: one row a source, week and country."""


class FlowsByFund(Flows):
    """Net flow of every week by fund. grain: one row a source, week and fund."""


class AumChangeByAsset(AumChange):
    """The change of AUM over a week by asset. grain: one row a source, week and asset."""


class AumChangeByIssuer(AumChange):
    """The change of AUM over a week by issuer. grain: one row a source, week and issuer."""


class AumChangeByCountry(AumChange):
    """The change of AUM over a week by country. grain: one row a source, week and country."""


class AumChangeByFund(AumChange):
    """The change of AUM over a week by fund. grain: one row a source, week and fund."""
