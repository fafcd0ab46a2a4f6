"""The contracts of schema `core`: what the reports say, brought to one shape.

Nothing here is aggregated over funds; that is `mart`. Each class is a table, its docstring the
table's comment (with its grain), each description a column's comment.
"""

from __future__ import annotations

from typing import Annotated

import pandera.polars as pa
import polars as pl

from schemas.observation import KEY, Amount, Instant
from schemas.observation import Observation as ReadObservation

Money = Annotated[pl.Decimal, 18, 2]


class _Strict(pa.DataFrameModel):
    class Config:
        """Shape rules: these columns, no others."""

        strict = True


class Report(_Strict):
    """Every archived report, what it covers, or the error for which it cannot be used.

    grain: one row a report
    """

    report_id: pl.String = pa.Field(description="sha256 of the report's bytes.")
    source: pl.String = pa.Field(description="The publisher's series of reports.")
    name: pl.String = pa.Field(description="The file's name as received.")
    layout: pl.String = pa.Field(nullable=True, description="The layout that read it.")
    received_at: Instant = pa.Field(description="When it was archived or said to be received.")
    published_at: Instant = pa.Field(nullable=True, description="The publisher's time, if known.")
    known_at: Instant = pa.Field(description="From when it could be known.")
    first_week: pl.Date = pa.Field(nullable=True, description="First week that it covers.")
    last_week: pl.Date = pa.Field(nullable=True, description="Last week that it covers.")
    weeks: pl.Int64 = pa.Field(description="Number of weeks that it covers.")
    error: pl.String = pa.Field(nullable=True, description="Why it cannot be used; NULL if it is.")

    class Config(_Strict.Config):
        """The grain."""

        unique = ["source", "report_id"]


class MemberLabel(_Strict):
    """Every printed label with the member it means, over time.

    grain: one row a dimension, label and span of time
    """

    dimension: pl.String = pa.Field(description="In tables of which dimension.")
    label_key: pl.String = pa.Field(description="The label in lower case.")
    member: pl.String = pa.Field(description="The member that it means.")
    valid_from: pl.Date = pa.Field(description="First day on which it means that.")
    valid_to: pl.Date = pa.Field(description="Last day on which it means that.")

    class Config(_Strict.Config):
        """The grain."""

        unique = ["dimension", "label_key", "valid_from"]


class Member(_Strict):
    """Every member of every dimension with its name for display.

    grain: one row a dimension and member
    """

    dimension: pl.String = pa.Field(description="fund, asset, issuer, country or total.")
    member: pl.String = pa.Field(description="Code that people use.")
    member_name: pl.String = pa.Field(description="Name for display.")

    class Config(_Strict.Config):
        """The grain."""

        unique = ["dimension", "member"]


class Observation(ReadObservation):
    """The newest statement about every printed number, with the member that its label means.

    grain: one row a source, printed table, dimension, label, measure and period
    """

    member: pl.String = pa.Field(
        description="The member that the label means; `unmapped` if the reference has none."
    )

    class Config(ReadObservation.Config):
        """The grain."""

        unique = list(KEY)


class FundDay(_Strict):
    """What a source says about a fund on a day, and the net flow that follows from it.

    grain: one row a source, label and trade date
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    label: pl.String = pa.Field(description="The fund's label as printed.")
    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    trade_date: pl.Date = pa.Field(description="The day, as printed.")
    week_ending: pl.Date = pa.Field(description="The week that the day is in.")
    net_flow_usd: Money = pa.Field(
        nullable=True, description="Creations less redemptions; inflow > 0; NULL if not reported."
    )
    flow_method: pl.String = pa.Field(
        nullable=True,
        isin=["printed", "shares"],
        description="printed by the source, or shares: (S - S of the day before) x NAV (F1).",
    )
    aum_usd: Money = pa.Field(nullable=True, description="Assets under management at the close.")
    nav_usd: Amount = pa.Field(nullable=True, description="NAV of one share at the close.")
    shares_outstanding: Amount = pa.Field(nullable=True, description="Shares in issue.")
    is_first_day: pl.Boolean = pa.Field(description="First day on which the source has its AUM.")
    status: pl.String = pa.Field(isin=["final", "preliminary"], description="See observation.")

    class Config(_Strict.Config):
        """The grain."""

        unique = ["source", "label", "trade_date"]


class FundWeek(_Strict):
    """A fund's week in one source: AUM at both ends, net flow, and what is left to explain.

    grain: one row a source, label and week
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    label: pl.String = pa.Field(description="The fund's label as printed.")
    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    week_ending: pl.Date = pa.Field(description="The week, by the date on which it ends.")
    aum_open_usd: Money = pa.Field(
        nullable=True, description="AUM at the close of the week before; 0 on entering coverage."
    )
    net_flow_usd: Money = pa.Field(nullable=True, description="Sum of the reported days' flows.")
    universe_effect_usd: Money = pa.Field(
        nullable=True, description="AUM with which the fund enters (+) or leaves (-) coverage."
    )
    aum_close_usd: Money = pa.Field(nullable=True, description="AUM at the last close.")
    flow_method: pl.String = pa.Field(nullable=True, description="printed or shares (F1).")
    days: pl.Int64 = pa.Field(description="Days of the week on which anything is reported.")
    days_without_flow: pl.Int64 = pa.Field(description="Days with AUM for which no flow is known.")
    status: pl.String = pa.Field(
        isin=["final", "preliminary", "partial"],
        description="preliminary while it fills, partial if a day's flow is unknown, else final.",
    )

    class Config(_Strict.Config):
        """The grain."""

        unique = ["source", "label", "week_ending"]


class ReportedWeek(_Strict):
    """A week as weekly reports print it: flow of the week, month and year, and AUM by member.

    grain: one row a source, week, dimension and label
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    week_ending: pl.Date = pa.Field(description="The week, by the date on which it ends.")
    dimension: pl.String = pa.Field(description="asset, issuer, country, fund or total.")
    label: pl.String = pa.Field(description="The label as printed.")
    member: pl.String = pa.Field(description="The member that it means; `unmapped` if none.")
    net_flow_usd: Money = pa.Field(nullable=True, description="Net flow of the week.")
    mtd_net_flow_usd: Money = pa.Field(nullable=True, description="Printed month to date.")
    ytd_net_flow_usd: Money = pa.Field(nullable=True, description="Printed year to date.")
    aum_usd: Money = pa.Field(nullable=True, description="AUM at the end of the week.")
    status: pl.String = pa.Field(isin=["final", "preliminary"], description="See observation.")

    class Config(_Strict.Config):
        """The grain."""

        unique = ["source", "week_ending", "dimension", "label"]


class Source(_Strict):
    """The publishers' series of reports that the ledger reads, with what their figures cover.

    grain: one row a source
    """

    source: pl.String = pa.Field(unique=True, description="The source's code.")
    title: pl.String = pa.Field(description="What it reports.")
    publisher: pl.String = pa.Field(description="Who publishes it.")
    url: pl.String = pa.Field(description="Where it is published.")
    universe: pl.String = pa.Field(description="Which products the figures cover.")
    country_basis: pl.String = pa.Field(description="listing, domicile or exchange country.")
    week_ends: pl.String = pa.Field(description="The weekday on which its weeks end (E31).")


class FundWeekMember(_Strict):
    """Which member of every dimension a fund's week counts for, by the identity of that week.

    grain: one row a source, label, week and dimension
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    label: pl.String = pa.Field(description="The fund's label as printed.")
    week_ending: pl.Date = pa.Field(description="The week, by the date on which it ends.")
    dimension: pl.String = pa.Field(description="fund, asset, issuer, country or total.")
    member: pl.String = pa.Field(description="The member; `unmapped` if the reference has none.")

    class Config(_Strict.Config):
        """The grain."""

        unique = ["source", "label", "week_ending", "dimension"]
