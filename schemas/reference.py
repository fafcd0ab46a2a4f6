"""The contracts of the reference tables: members, aliases and identities, as dated rows.

The rows stand in `sql/reference/*.csv`, and of one source in its folder, reviewed like code. A row
is valid from a date until a date; an empty `valid_to` is still valid.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import pandera.polars as pa
import polars as pl

from schemas.dimensions import AXES, LABELLED
from schemas.measures import MEASURES, PERIODS
from schemas.observation import KEY, Amount, Strict

Fraction = Annotated[pl.Decimal, 28, 10]
Money = Annotated[pl.Decimal, 18, 2]


class _Dated(Strict):
    valid_from: pl.Date = pa.Field(description="First day on which the row holds.")
    valid_to: pl.Date = pa.Field(nullable=True, description="Last day; NULL while it still holds.")

    @pa.dataframe_check(name="valid_to_not_before_valid_from")
    def valid_in_order(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """A row does not end before it begins."""
        return data.lazyframe.select(
            pl.col("valid_to").is_null() | (pl.col("valid_to") >= pl.col("valid_from"))
        )


class Asset(Strict):
    """What a fund holds: a coin, or a bucket such as multi-asset or short products.

    grain: one row per asset
    """

    asset: pl.String = pa.Field(unique=True, description="Code that people use: BTC.")
    asset_name: pl.String = pa.Field(description="Name for display.")
    asset_class: pl.String = pa.Field(
        isin=["crypto", "bucket", "equity", "broad"],
        description="crypto; bucket; equity; broad: a class of all funds of a market.",
    )
    underlying: pl.String = pa.Field(description="What it is about: BTC for SHORT-BTC too (E23).")
    direction: pl.Int64 = pa.Field(isin=[1, -1], description="-1 for short products (E23).")


class Issuer(Strict):
    """The brand under which a fund is issued.

    grain: one row per issuer
    """

    issuer: pl.String = pa.Field(unique=True, description="Code that people use: ishares.")
    issuer_name: pl.String = pa.Field(description="Name for display.")


class IssuerSponsor(_Dated):
    """The brand of an issuer and the firm behind it, over time (E40).

    grain: one row per issuer and span of time
    """

    issuer: pl.String = pa.Field(description="The issuer.")
    brand: pl.String = pa.Field(description="The brand as it is written.")
    sponsor: pl.String = pa.Field(description="The firm behind the brand.")

    class Config(_Dated.Config):
        """The grain."""

        unique = ["issuer", "valid_from"]


class Country(Strict):
    """Countries of listing, domicile or exchange.

    grain: one row per country
    """

    country: pl.String = pa.Field(unique=True, description="ISO 3166 alpha-2, or OTHER.")
    country_name: pl.String = pa.Field(description="Name for display.")


class ProductType(Strict):
    """Types of product that a fund can be.

    grain: one row per product type
    """

    product_type: pl.String = pa.Field(
        unique=True, str_matches="^[a-z_]+$", description="Code that people use: spot_etf."
    )
    product_type_name: pl.String = pa.Field(description="Name for display.")


class Fund(_Dated):
    """Funds by an internal id that never changes, and what they are, over time (E41, E109).

    grain: one row per fund and span of time
    """

    fund: pl.String = pa.Field(
        str_matches="^[a-z0-9]+-[a-z]{2}$", description="Internal id: ibit-us."
    )
    fund_name: pl.String = pa.Field(description="Name for display.")
    asset: pl.String = pa.Field(description="What the fund holds.")
    currency: pl.String = pa.Field(description="Currency of the share class, ISO 4217.")
    listing_country: pl.String = pa.Field(description="Country of the primary listing.")
    domicile: pl.String = pa.Field(nullable=True, description="Country of domicile.")
    product_type: pl.String = pa.Field(description="Its type of product (E14).")
    leverage: pl.Int64 = pa.Field(ge=1, description="Exposure per dollar of AUM (E24).")
    direction: pl.Int64 = pa.Field(isin=[1, -1], description="-1 for short products (E23).")
    is_hedged: pl.Boolean = pa.Field(
        description="Whether the share class is hedged into its currency (E28)."
    )
    underlying_currency: pl.String = pa.Field(
        description="Currency in which what the fund holds is priced: USD for coins (E28)."
    )
    inception_date: pl.Date = pa.Field(
        nullable=True, description="First trading day as this product; NULL if not ascertained."
    )
    closed_date: pl.Date = pa.Field(nullable=True, description="Last trading day (E16).")

    class Config(_Dated.Config):
        """The grain."""

        unique = ["fund", "valid_from"]


class FundIssuer(_Dated):
    """Which issuer a fund belonged to, over time (E39).

    grain: one row per fund and span of time
    """

    fund: pl.String = pa.Field(description="The fund.")
    issuer: pl.String = pa.Field(description="Its issuer.")

    class Config(_Dated.Config):
        """The grain."""

        unique = ["fund", "valid_from"]


class FundIdentifier(_Dated):
    """Tickers, ISINs, CUSIPs and labels of funds, over time (E41).

    grain: one row per kind, identifier and span of time
    """

    fund: pl.String = pa.Field(description="The fund.")
    kind: pl.String = pa.Field(
        isin=["ticker", "isin", "cusip", "label"], description="Kind of identifier."
    )
    identifier: pl.String = pa.Field(description="The identifier as printed.")

    class Config(_Dated.Config):
        """The grain."""

        unique = ["kind", "identifier", "valid_from"]


class Alias(_Dated):
    """Printed labels that mean a member, in tables of a dimension (E42).

    grain: one row per dimension, label and span of time
    """

    dimension: pl.String = pa.Field(isin=list(AXES), description="In tables of which dimension.")
    label: pl.String = pa.Field(description="The label as printed, compared without case.")
    member: pl.String = pa.Field(description="The member that it means.")
    note: pl.String = pa.Field(nullable=True, description="Why, where it is not obvious.")

    class Config(_Dated.Config):
        """The grain."""

        unique = ["dimension", "label", "valid_from"]


class CorporateAction(Strict):
    """Splits, spin-offs, mergers, launches, closures and the like, as dated facts (E09-E18).

    grain: one row per kind, day, fund and counterpart
    """

    kind: pl.String = pa.Field(
        isin=[
            "split",
            "distribution",
            "spin_off",
            "merger",
            "conversion",
            "launch",
            "closure",
            "structural",
        ],
        description="What happened.",
    )
    effective_date: pl.Date = pa.Field(description="First day on the new basis.")
    fund: pl.String = pa.Field(description="The fund; of a spin-off or merger the one that gives.")
    counterpart: pl.String = pa.Field(nullable=True, description="The fund that receives.")
    shares_new: pl.Int64 = pa.Field(nullable=True, gt=0, description="Split: new shares ...")
    shares_old: pl.Int64 = pa.Field(nullable=True, gt=0, description="... for so many old ones.")
    fraction: Fraction = pa.Field(
        nullable=True, gt=0, le=1, description="Part of the AUM that moves: 0.10; a merger 1."
    )
    amount_usd: Money = pa.Field(
        nullable=True, description="Structural: the flow that only changed vehicles (E18)."
    )
    per_share: Fraction = pa.Field(
        nullable=True, description="Distribution for one share, in the class's currency (E12)."
    )
    read_from: pl.String = pa.Field(description="Where it was read.")

    @pa.dataframe_check(name="has_what_its_kind_needs")
    def has_what_its_kind_needs(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """A split has its ratio, a transfer its counterpart and fraction, and so on."""
        needs = {
            "split": ["shares_new", "shares_old"],
            "distribution": ["per_share"],
            "spin_off": ["counterpart", "fraction"],
            "merger": ["counterpart", "fraction"],
            "structural": ["amount_usd"],
        }
        rules = [
            (pl.col("kind") != kind) | pl.all_horizontal(pl.col(columns).is_not_null())
            for kind, columns in needs.items()
        ]
        return data.lazyframe.select(pl.all_horizontal(rules))


class FundHolding(_Dated):
    """Funds that hold other funds: feeders (weight 1) and funds of funds (E20, E21).

    grain: one row per holder, held fund and span of time
    """

    fund: pl.String = pa.Field(description="The fund that holds.")
    holds: pl.String = pa.Field(description="The fund that is held.")
    weight: Fraction = pa.Field(gt=0, le=1, description="Part of the holder's money; feeder: 1.")


class Listing(_Dated):
    """Where a fund is listed; its money counts once, in the country of its primary listing (E19).

    grain: one row per fund, exchange and span of time
    """

    fund: pl.String = pa.Field(description="The fund.")
    country: pl.String = pa.Field(description="Country of the exchange.")
    exchange: pl.String = pa.Field(description="The exchange.")
    ticker: pl.String = pa.Field(nullable=True, description="Ticker on that exchange.")
    is_primary: pl.Boolean = pa.Field(description="Whether it is the primary listing.")


class AssetWeight(_Dated):
    """What multi-asset funds hold, for looking through them (E22).

    grain: one row per fund, asset and span of time
    """

    fund: pl.String = pa.Field(description="The multi-asset fund.")
    asset: pl.String = pa.Field(description="An asset that it holds.")
    weight: Fraction = pa.Field(gt=0, le=1, description="Part of the fund's AUM.")


class FxHoliday(Strict):
    """Days on which euro reference rates are not fixed, apart from weekends.

    grain: one row per day
    """

    holiday: pl.Date = pa.Field(unique=True, description="The day.")
    name: pl.String = pa.Field(description="Its name.")


class Market(Strict):
    """The markets whose calendars are known; `sql/sessions.py` writes them (decision 23).

    grain: one row per market
    """

    market: pl.String = pa.Field(unique=True, description="Its MIC (ISO 10383): XNYS.")
    market_name: pl.String = pa.Field(description="Name for display.")
    country: pl.String = pa.Field(description="ISO 3166 code of its country.")
    time_zone: pl.String = pa.Field(description="IANA name of its time zone.")
    first_day: pl.Date = pa.Field(description="First day of which its sessions are known.")
    last_day: pl.Date = pa.Field(description="Last day of which its sessions are known.")


class MarketException(Strict):
    """The days on which a market is not as it is from Monday to Friday, and on weekends.

    grain: one row per market and day
    """

    market: pl.String = pa.Field(description="Its MIC.")
    day: pl.Date = pa.Field(description="A closed weekday, or a session on a weekend.")
    is_open: pl.Boolean = pa.Field(description="Whether it is a session.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["market", "day"]


class Correction(Strict):
    """What a person patches in printed numbers: why, from which source, and what stood there.

    A line applies only while the printed number is the one that it expects; a build whose newest
    printed number is another one, or none, is not published. A line that has done its duty gets a
    `withdrawn_on` and stays, so that what was believed in between can still be asked.

    grain: one row per correction
    """

    correction: pl.String = pa.Field(
        unique=True,
        str_matches="^[a-z0-9-]+$",
        description="Name of the line, shown beside values.",
    )
    source: pl.String = pa.Field(description="The source whose number is patched.")
    printed_table: pl.String = pa.Field(description="Key of the number, as in core.observation.")
    dimension: pl.String = pa.Field(isin=list(LABELLED), description="Key of the number.")
    label: pl.String = pa.Field(description="Key of the number: the label as printed.")
    measure: pl.String = pa.Field(isin=list(MEASURES), description="Key of the number.")
    period: pl.String = pa.Field(isin=list(PERIODS), description="Key of the number: week, day...")
    period_end: pl.Date = pa.Field(description="Key of the number: the week's or day's end.")
    expected_value: Amount = pa.Field(description="The printed value, in the base unit (USD).")
    corrected_value: Amount = pa.Field(description="The value to go by, in the base unit.")
    half_unit: Amount = pa.Field(
        nullable=True, ge=0, description="Half of its last digit (F9); NULL: as printed."
    )
    reason: pl.String = pa.Field(description="Why the printed number is wrong.")
    read_from: pl.String = pa.Field(description="Where the corrected value was read.")
    corrected_by: pl.String = pa.Field(description="Who decided.")
    corrected_on: pl.Date = pa.Field(description="When: known from the end of that day, in UTC.")
    withdrawn_on: pl.Date = pa.Field(
        nullable=True, description="No longer applied from the end of that day; NULL: in force."
    )

    @pa.dataframe_check(name="withdrawn_after_corrected")
    def withdrawn_after_corrected(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """A line holds for a day at least."""
        return data.lazyframe.select(
            pl.col("withdrawn_on").is_null() | (pl.col("withdrawn_on") > pl.col("corrected_on"))
        )

    @pa.dataframe_check(name="corrects_something")
    def corrects_something(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """The corrected value is another one than the printed one."""
        return data.lazyframe.select(pl.col("corrected_value") != pl.col("expected_value"))

    @pa.dataframe_check(name="one_line_at_a_time")
    def one_line_at_a_time(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """Of two lines about one number, the first is withdrawn before the second holds."""
        of = [name for name in KEY if name != "period_start"]
        lines = data.lazyframe.select(*of, "corrected_on", "withdrawn_on").sort("corrected_on")
        following = pl.col("corrected_on").shift(-1).over(of)
        until = pl.col("withdrawn_on").fill_null(dt.date.max)
        return lines.select(following.is_null() | (until <= following))
