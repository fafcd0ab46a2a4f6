"""Contracts of schema `core`: which funds a source prints, what they are, and what nobody has read.

What they did is in `core_steps`.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.observation import BySource, Instant, Strict


class Holder(Strict):
    """The funds that a source prints, each by its id or, unmapped, by its label (E94).

    grain: one row per source and holder
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    holder: pl.String = pa.Field(
        description="The fund; its label as printed if it is unmapped (E94)."
    )
    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    label: pl.String = pa.Field(description="Its label as printed; of several the first by name.")
    first_day: pl.Date = pa.Field(description="The first day with a number.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "holder"]


class UnreadWeek(BySource):
    """The weeks that archived reports cover and that nobody has read yet (E107).

    A sum over one of them is NULL, and what a fund had before its first week that was read is not
    known.

    grain: one row per source and week
    """

    known_at: Instant = pa.Field(description="When the first report of the week could be known.")

    class Config(BySource.Config):
        """The grain."""

        unique = ["source", "week_ending"]


class Membership(Strict):
    """What a fund is and whose, over time: its asset, issuer, country and more (E39, E84, E109).

    A week in which a span ends is cut there: the fund takes its AUM along.

    grain: one row per fund and span of time
    """

    fund: pl.String = pa.Field(description="The fund.")
    valid_from: pl.Date = pa.Field(description="First day of the span.")
    valid_to: pl.Date = pa.Field(description="Last day of the span.")
    fund_name: pl.String = pa.Field(description="Name for display.")
    asset: pl.String = pa.Field(description="What it holds.")
    product_type: pl.String = pa.Field(description="Its type of product.")
    issuer: pl.String = pa.Field(description="Its issuer.")
    sponsor: pl.String = pa.Field(description="The firm behind the issuer (E40).")
    listing_country: pl.String = pa.Field(description="Country of the primary listing.")
    domicile: pl.String = pa.Field(description="Country of domicile.")
    currency: pl.String = pa.Field(nullable=True, description="Currency of the share class.")
    exposure: pl.Int64 = pa.Field(description="Leverage x direction (E23, E24).")
    is_dollar_priced: pl.Boolean = pa.Field(
        description="Unhedged, and what it holds is priced in US dollars (E28)."
    )

    class Config(Strict.Config):
        """The grain."""

        unique = ["fund", "valid_from"]
