"""Contracts of schema `core`: money of any currency becomes US dollars, or nothing (E26, E99)."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.core import FundOnDay, FundWeek, Money, Rate
from schemas.dimensions import PRINTED, listed
from schemas.observation import KEY, BySource


class FundSession(FundOnDay):
    """A day of a fund that counts: not held back, and with a rate if its week has any.

    grain: one row per source, holder and trade date
    """

    split_new: pl.Int64 = pa.Field(description="See core.fund_day.")
    split_old: pl.Int64 = pa.Field(description="See core.fund_day.")
    usd_per_unit: Rate = pa.Field(nullable=True, description="US dollars for a unit of currency.")
    fx_basis: pl.String = pa.Field(nullable=True, description="Where the rate is from.")
    status: pl.String = pa.Field(isin=["final", "preliminary"], description="See observation.")
    is_session: pl.Boolean = pa.Field(description="Whether it is one: see core.session.")
    is_foreign: pl.Boolean = pa.Field(
        description="Its NAV is in another currency than reference.fund has, on all days (E118)."
    )
    is_unrated: pl.Boolean = pa.Field(
        description="Foreign, or no day of its week has a rate: NULL, never dollars (E99)."
    )

    class Config(FundOnDay.Config):
        """The grain."""

        unique = ["source", "holder", "trade_date"]


class PrintedUsd(BySource):
    """Money that sources print by week or member, in dollars at the rates of its period (E26).

    grain: one row per source, printed table, dimension, label, measure and period
    """

    report_id: pl.String = pa.Field(description="sha256 of the report's bytes.")
    period_start: pl.Date = pa.Field(description="First day that the number is about.")
    period_end: pl.Date = pa.Field(description="Last day that the number is about.")
    printed_table: pl.String = pa.Field(description="Which printed table, by the layout's name.")
    dimension: pl.String = pa.Field(description=f"{listed(PRINTED)}.")
    label: pl.String = pa.Field(description="The label as printed.")
    member: pl.String = pa.Field(description="The member that it means; `unmapped` if none.")
    measure: pl.String = pa.Field(isin=["net_flow", "aum"], description="What is measured.")
    period: pl.String = pa.Field(description="What span of time, as in core.observation.")
    currency: pl.String = pa.Field(
        nullable=True, description="Currency in which it is printed; NULL if it was refused."
    )
    value_usd: Money = pa.Field(
        nullable=True, description="In US dollars; NULL without a rate, never another currency's."
    )
    half_unit_usd: Money = pa.Field(
        nullable=True, description="Half of the last printed digit, in US dollars (F9)."
    )
    fx_basis: pl.String = pa.Field(
        nullable=True,
        isin=["usd", "fixing", "last fixing", "average"],
        description="The rate of the day, or the average of the fixings of the period (F3).",
    )
    null_reason: pl.String = pa.Field(
        nullable=True, description="Why there is no value: as printed, or fx_rate_missing."
    )
    status: pl.String = pa.Field(isin=["final", "preliminary"], description="See observation.")

    class Config(BySource.Config):
        """The grain."""

        unique = [*KEY]


class ReportedWeek(BySource):
    """A week as reports print it, or as their days by member make it (E114): flows, and AUM.

    grain: one row per source, week, dimension and label
    """

    dimension: pl.String = pa.Field(description=f"{listed(PRINTED)}.")
    label: pl.String = pa.Field(description="The label as printed.")
    member: pl.String = pa.Field(description="The member that it means; `unmapped` if none.")
    net_flow_usd: Money = pa.Field(nullable=True, description="Net flow of the week.")
    net_flow_half_unit_usd: Money = pa.Field(
        nullable=True, description="Half of its last printed digit (F9)."
    )
    mtd_net_flow_usd: Money = pa.Field(nullable=True, description="Printed month to date.")
    ytd_net_flow_usd: Money = pa.Field(nullable=True, description="Printed year to date.")
    aum_usd: Money = pa.Field(nullable=True, description="AUM at the end of the week.")
    aum_half_unit_usd: Money = pa.Field(
        nullable=True, description="Half of its last printed digit (F9)."
    )
    status: pl.String = pa.Field(
        isin=["final", "preliminary", "partial"], description="See mart.flows."
    )
    basis: pl.String = pa.Field(
        isin=["printed", "derived"], description="derived: a total that is not printed."
    )

    class Config(BySource.Config):
        """The grain."""

        unique = ["source", "week_ending", "dimension", "label"]


class FundWeekOfDays(FundWeek):
    """A fund's week as its days make it, whether or not the week itself is printed (E115).

    grain: one row per source, holder, week and span of membership
    """


class MemberDay(BySource):
    """A day of a source that prints days by asset, issuer or country, not by fund (E114).

    grain: one row per source, day, dimension and label
    """

    trade_date: pl.Date = pa.Field(description="The day, as printed.")
    dimension: pl.String = pa.Field(description=f"{listed(PRINTED)}; never fund.")
    label: pl.String = pa.Field(description="The label as printed; `total` of a derived total.")
    member: pl.String = pa.Field(description="The member that it means; `unmapped` if none.")
    net_flow_usd: Money = pa.Field(nullable=True, description="Net flow of the day.")
    net_flow_half_unit_usd: Money = pa.Field(
        nullable=True, description="Half of its last printed digit (F9)."
    )
    aum_usd: Money = pa.Field(nullable=True, description="AUM at the close of the day.")
    aum_half_unit_usd: Money = pa.Field(
        nullable=True, description="Half of its last printed digit (F9)."
    )
    is_preliminary: pl.Boolean = pa.Field(description="The publisher is still filling it (E37).")
    is_complete: pl.Boolean = pa.Field(description="Its flow is known, of a total that of all.")
    basis: pl.String = pa.Field(
        isin=["printed", "derived"],
        description="derived: the sum of assets, else issuers, else countries, where no total is.",
    )

    class Config(BySource.Config):
        """The grain."""

        unique = ["source", "trade_date", "dimension", "label"]
