"""Contracts of a fund's steps: position, transfer, flow, what moved between, and its end (F1-F4).

How the tables follow on each other is in docs/decisions/0024.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.core import Money, Rate
from schemas.observation import Amount, Strict


class _OfDay(Strict):
    source: pl.String = pa.Field(description="The publisher's series of reports.")
    holder: pl.String = pa.Field(
        description="The fund; its label as printed if it is unmapped (E94)."
    )
    trade_date: pl.Date = pa.Field(description="The day.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "holder", "trade_date"]


class FundPosition(_OfDay):
    """A day of a fund with AUM, beside the one before it, and the flow that the two make.

    grain: one row per source, holder and trade date
    """

    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    from_date: pl.Date = pa.Field(nullable=True, description="The position before; NULL at entry.")
    currency: pl.String = pa.Field(description="Currency in which the source prints the fund.")
    aum_local: Amount = pa.Field(description="AUM, in the currency.")
    usd_per_unit: Rate = pa.Field(nullable=True, description="US dollars for a unit of currency.")
    aum_before_local: Amount = pa.Field(nullable=True, description="AUM of the position before.")
    currency_before: pl.String = pa.Field(nullable=True, description="Its currency.")
    usd_per_unit_before: Rate = pa.Field(nullable=True, description="US dollars for a unit, then.")
    printed_between_local: Amount = pa.Field(
        description="Flows that were printed on days between the two, in the currency."
    )
    is_closing: pl.Boolean = pa.Field(
        nullable=True, description="Nothing is left of it: NAV and AUM are 0 (E75)."
    )
    flow_by_shares_local: Amount = pa.Field(nullable=True, description="Flow by shares (F1).")
    flow_by_assets_local: Amount = pa.Field(nullable=True, description="Flow by assets (F2).")


class SpanningPosition(_OfDay):
    """A position of a fund after a day that is missing: who knows what flowed on it (E74)?

    Shares and assets show it, but not the day. Printed flows lack it, so that what is left of the
    AUM is not the market alone.

    grain: one row per source, holder and trade date
    """


class FundTransfer(_OfDay):
    """What spin-offs and mergers moved into a fund (+) or out of it (-) since its last position.

    grain: one row per source, holder and trade date
    """

    transfer_local: Amount = pa.Field(description="AUM moved, in the fund's currency (E13, E17).")
    share_transfer_local: Amount = pa.Field(description="Part of it that moved shares along.")


class DoubtfulWeek(Strict):
    """The weeks of a fund of which something is missing or refused: none of them is final.

    grain: one row per source, holder and week
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    holder: pl.String = pa.Field(
        description="The fund; its label as printed if it is unmapped (E94)."
    )
    week_ending: pl.Date = pa.Field(description="The week, by the date on which it ends.")
    reason: pl.String = pa.Field(
        isin=["no rate", "refused", "session missing"],
        description="What is first of: no rate, a number refused, a session without a row.",
    )

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "holder", "week_ending"]


class FundWeekAum(Strict):
    """AUM at both ends of a fund's week: none that is not of the last session (E77).

    grain: one row per source, holder and week
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    holder: pl.String = pa.Field(
        description="The fund; its label as printed if it is unmapped (E94)."
    )
    week_ending: pl.Date = pa.Field(description="The week, by the date on which it ends.")
    aum_open_usd: Money = pa.Field(nullable=True, description="AUM at the last close before.")
    members_since_open: pl.Date = pa.Field(description="Its span in core.membership then.")
    aum_close_usd: Money = pa.Field(nullable=True, description="AUM of the last session.")
    aum_half_unit_usd: Money = pa.Field(nullable=True, description="See core.fund_week.")
    members_since_close: pl.Date = pa.Field(description="Its span in core.membership then.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "holder", "week_ending"]


class FundFlow(_OfDay):
    """The net flow of a fund on a day, and how it is known.

    grain: one row per source, holder and day
    """

    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    week_ending: pl.Date = pa.Field(description="The week that the day is in.")
    from_date: pl.Date = pa.Field(nullable=True, description="The position before the day.")
    currency: pl.String = pa.Field(description="See core.fund_session.")
    usd_per_unit: Rate = pa.Field(nullable=True, description="See core.fund_session.")
    fx_basis: pl.String = pa.Field(nullable=True, description="See core.fund_session.")
    aum_local: Amount = pa.Field(nullable=True, description="See core.fund_session.")
    aum_before_local: Amount = pa.Field(nullable=True, description="AUM on from_date.")
    currency_before: pl.String = pa.Field(nullable=True, description="Its currency.")
    usd_per_unit_before: Rate = pa.Field(nullable=True, description="US dollars for a unit, then.")
    transfer_local: Amount = pa.Field(description="See core.fund_transfer.")
    is_session: pl.Boolean = pa.Field(description="See core.session.")
    is_unrated: pl.Boolean = pa.Field(description="See core.fund_session.")
    status: pl.String = pa.Field(isin=["final", "preliminary"], description="See observation.")
    is_weekly: pl.Boolean = pa.Field(description="Whether they are more than 4 days apart (E05).")
    flow_method: pl.String = pa.Field(nullable=True, description="See core.fund_step.")
    usd_per_unit_of_flow: Rate = pa.Field(
        nullable=True, description="US dollars for a unit of the flow: of the day, or the average."
    )
    net_flow_usd: Money = pa.Field(nullable=True, description="Creations less redemptions.")
    net_flow_half_unit_usd: Money = pa.Field(
        nullable=True,
        ge=0,
        description="How far rounding in print can move the flow (E87); NULL if it is computed.",
    )
    aum_half_unit_local: Amount = pa.Field(nullable=True, description="See core.fund_day.")
    flow_difference_usd: Money = pa.Field(nullable=True, description="See core.fund_step.")
    is_flow_missing: pl.Boolean = pa.Field(description="A session of which no flow is known.")


class _Step(Strict):
    source: pl.String = pa.Field(description="The publisher's series of reports.")
    holder: pl.String = pa.Field(
        description="The fund; its label as printed if it is unmapped (E94)."
    )
    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    trade_date: pl.Date = pa.Field(description="The day on which the step ends.")
    week_ending: pl.Date = pa.Field(description="The week that the day is in.")
    from_date: pl.Date = pa.Field(nullable=True, description="The AUM day before; NULL at entry.")
    sampling: pl.String = pa.Field(
        isin=["daily", "weekly"], description="daily, or weekly if more than 4 days apart (E05)."
    )
    flow_method: pl.String = pa.Field(
        nullable=True,
        isin=["printed", "shares", "assets", "launch", "closure"],
        description="printed; shares (F1); assets (F2); launch or closure: the whole AUM.",
    )
    fx_basis: pl.String = pa.Field(nullable=True, description="usd, fixing or last fixing.")
    net_flow_usd: Money = pa.Field(
        nullable=True, description="Creations less redemptions of the day; inflow > 0."
    )
    seed_flow_usd: Money = pa.Field(description="Part of it with which the fund started (E15).")
    flow_difference_usd: Money = pa.Field(
        nullable=True,
        description="Flow by shares less flow by assets (F1, F2); 0 if they agree (E02).",
    )
    aum_open_usd: Money = pa.Field(nullable=True, description="AUM at from_date; 0 at entry.")
    step_flow_usd: Money = pa.Field(
        nullable=True, description="Flow of all days since from_date; NULL on a day without AUM."
    )
    fx_effect_usd: Money = pa.Field(nullable=True, description="What the rate did to AUM (F4).")
    corporate_action_usd: Money = pa.Field(
        nullable=True, description="AUM moved by spin-offs and mergers (E13, E17)."
    )
    universe_effect_usd: Money = pa.Field(
        nullable=True, description="AUM with which the fund enters (+) or leaves (-) coverage."
    )
    aum_close_usd: Money = pa.Field(nullable=True, description="AUM at the end of the day.")
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
    is_flow_known: pl.Boolean = pa.Field(description="Whether the flow of every day is known.")
    is_session: pl.Boolean = pa.Field(description="See core.session.")
    status: pl.String = pa.Field(isin=["final", "preliminary"], description="See observation.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "holder", "trade_date"]


class FundStep(_Step):
    """A fund from one reported day to the next: opening AUM, flow, every effect, closing AUM (F4).

    grain: one row per source, holder and day
    """

    label: pl.String = pa.Field(description="The fund's label as printed.")


class FundMove(_Step):
    """A day of a fund: opening AUM, flow, every effect, closing AUM, but for the one that ends it.

    grain: one row per source, holder and day
    """

    is_unrated: pl.Boolean = pa.Field(description="See core.fund_session.")


class FundExit(_OfDay):
    """The end of a fund: its closure or merger, or its leaving of the source's coverage.

    grain: one row per source, holder and day
    """

    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    week_ending: pl.Date = pa.Field(description="The week that the day is in.")
    from_date: pl.Date = pa.Field(description="Its last position.")
    sampling: pl.String = pa.Field(description="See core.fund_step.")
    flow_method: pl.String = pa.Field(nullable=True, description="closure, or NULL.")
    net_flow_usd: Money = pa.Field(nullable=True, description="Of a closure: all AUM (E16).")
    aum_open_usd: Money = pa.Field(description="AUM of its last position.")
    step_flow_usd: Money = pa.Field(description="Of a closure all AUM, else 0.")
    corporate_action_usd: Money = pa.Field(description="Of a merger all AUM, else 0 (E17).")
    universe_effect_usd: Money = pa.Field(description="Of another end all AUM, else 0.")
