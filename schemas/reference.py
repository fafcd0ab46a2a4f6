"""The contracts of the reference tables: members, aliases and identities, as dated rows.

The rows stand in `sql/reference/*.csv`, reviewed like code. A row is valid from a date until a
date; an empty `valid_to` is still valid.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl


class _Reference(pa.DataFrameModel):
    class Config:
        """Shape rules: these columns, no others."""

        strict = True


class _Dated(_Reference):
    valid_from: pl.Date = pa.Field(description="First day on which the row holds.")
    valid_to: pl.Date = pa.Field(nullable=True, description="Last day; NULL while it still holds.")

    @pa.dataframe_check(name="valid_to_not_before_valid_from")
    def valid_in_order(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """A row does not end before it begins."""
        return data.lazyframe.select(
            pl.col("valid_to").is_null() | (pl.col("valid_to") >= pl.col("valid_from"))
        )


class Asset(_Reference):
    """What a fund holds: a coin, or a bucket such as multi-asset or short products.

    grain: one row an asset
    """

    asset: pl.String = pa.Field(unique=True, description="Code that people use: BTC.")
    asset_name: pl.String = pa.Field(description="Name for display.")
    asset_class: pl.String = pa.Field(
        isin=["crypto", "bucket", "equity"], description="crypto, bucket or equity."
    )


class Issuer(_Reference):
    """The brand under which a fund is issued.

    grain: one row an issuer
    """

    issuer: pl.String = pa.Field(unique=True, description="Code that people use: ishares.")
    issuer_name: pl.String = pa.Field(description="Name for display.")


class IssuerSponsor(_Dated):
    """The brand of an issuer and the firm behind it, over time (E40).

    grain: one row an issuer and span of time
    """

    issuer: pl.String = pa.Field(description="The issuer.")
    brand: pl.String = pa.Field(description="The brand as it is written.")
    sponsor: pl.String = pa.Field(description="The firm behind the brand.")

    class Config(_Dated.Config):
        """The grain."""

        unique = ["issuer", "valid_from"]


class Country(_Reference):
    """Countries of listing, domicile or exchange.

    grain: one row a country
    """

    country: pl.String = pa.Field(unique=True, description="ISO 3166 alpha-2, or OTHER.")
    country_name: pl.String = pa.Field(description="Name for display.")


class Fund(_Reference):
    """Funds by an internal id that never changes; tickers and labels are dated identifiers (E41).

    grain: one row a fund
    """

    fund: pl.String = pa.Field(
        unique=True, str_matches="^[a-z0-9]+-[a-z]{2}$", description="Internal id: ibit-us."
    )
    fund_name: pl.String = pa.Field(description="Name for display.")
    asset: pl.String = pa.Field(description="What the fund holds.")
    currency: pl.String = pa.Field(description="Currency of the share class, ISO 4217.")
    listing_country: pl.String = pa.Field(description="Country of the primary listing.")
    domicile: pl.String = pa.Field(nullable=True, description="Country of domicile.")
    product_type: pl.String = pa.Field(
        isin=["spot_etf", "equity_etf", "leveraged_etf", "futures_etf", "trust"],
        description="Kind of product.",
    )
    leverage: pl.Int64 = pa.Field(ge=1, description="Exposure per dollar of AUM (E24).")
    direction: pl.Int64 = pa.Field(isin=[1, -1], description="-1 for short products (E23).")
    inception_date: pl.Date = pa.Field(
        nullable=True, description="First trading day as this product; NULL if not ascertained."
    )
    closed_date: pl.Date = pa.Field(nullable=True, description="Last trading day (E16).")


class FundIssuer(_Dated):
    """Which issuer a fund belonged to, over time (E39).

    grain: one row a fund and span of time
    """

    fund: pl.String = pa.Field(description="The fund.")
    issuer: pl.String = pa.Field(description="Its issuer.")

    class Config(_Dated.Config):
        """The grain."""

        unique = ["fund", "valid_from"]


class FundIdentifier(_Dated):
    """Tickers, ISINs, CUSIPs and labels of funds, over time (E41).

    grain: one row a kind, identifier and span of time
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

    grain: one row a dimension, label and span of time
    """

    dimension: pl.String = pa.Field(
        isin=["asset", "issuer", "country"], description="In tables of which dimension."
    )
    label: pl.String = pa.Field(description="The label as printed, compared without case.")
    member: pl.String = pa.Field(description="The member that it means.")
    note: pl.String = pa.Field(nullable=True, description="Why, where it is not obvious.")

    class Config(_Dated.Config):
        """The grain."""

        unique = ["dimension", "label", "valid_from"]
