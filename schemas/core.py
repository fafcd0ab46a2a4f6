"""The contracts of schema `core`: what the reports say, in one shape.

Nothing here is summed over funds; that is `mart`. Each class is a table, its docstring the table's
comment (with its grain), each description a column's comment.
"""

from __future__ import annotations

from typing import Annotated

import pandera.polars as pa
import polars as pl

from schemas.dimensions import AXES, NAMES, listed
from schemas.observation import KEY, Amount, BySource, Instant, Strict
from schemas.observation import Observation as ReadObservation

Money = Annotated[pl.Decimal, 18, 2]
Rate = Annotated[pl.Decimal, 18, 10]
Share = Annotated[pl.Decimal, 18, 6]


NULL_REASONS = (
    "not read",
    "no rate",
    "refused",
    "session missing",
    "no position",
    "first week",
    "flow unknown",
)
"""Why a number is not known, the first that applies: docs/glossary.md."""


def closes(flow: str) -> pl.Expr:
    """F4: opening AUM and all effects add up to closing AUM to the cent, if the market is known."""
    effects = (
        flow,
        "market_effect_usd",
        "fx_effect_usd",
        "corporate_action_usd",
        "universe_effect_usd",
    )
    explained = pl.sum_horizontal(pl.col(name).fill_null(0) for name in effects)
    return pl.col("market_effect_usd").is_null() | (
        pl.col("aum_open_usd") + explained == pl.col("aum_close_usd")
    )


class Report(Strict):
    """Every archived report, what it covers, or the error for which it cannot be used.

    grain: one row per report
    """

    report_id: pl.String = pa.Field(description="sha256 of the report's bytes.")
    source: pl.String = pa.Field(description="The publisher's series of reports.")
    name: pl.String = pa.Field(description="The file's name as received.")
    layout: pl.String = pa.Field(nullable=True, description="The layout that read it.")
    received_at: Instant = pa.Field(description="When it was received: archived, or as given then.")
    published_at: Instant = pa.Field(nullable=True, description="The publisher's time, if known.")
    known_at: Instant = pa.Field(description="From when it could be known.")
    first_week: pl.Date = pa.Field(nullable=True, description="First week that it covers.")
    last_week: pl.Date = pa.Field(nullable=True, description="Last week that it covers.")
    weeks: pl.Int64 = pa.Field(description="Number of weeks that it covers.")
    error: pl.String = pa.Field(nullable=True, description="Why it cannot be used; NULL if it is.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "report_id"]


class MemberLabel(Strict):
    """Every printed label with the member that it means, over time.

    grain: one row per dimension, label and span of time
    """

    dimension: pl.String = pa.Field(description="In tables of which dimension.")
    label_key: pl.String = pa.Field(description="The label in lower case.")
    member: pl.String = pa.Field(description="The member that it means.")
    valid_from: pl.Date = pa.Field(description="First day on which it means that.")
    valid_to: pl.Date = pa.Field(description="Last day on which it means that.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["dimension", "label_key", "valid_from"]


class Dimension(Strict):
    """Every dimension by which money is counted, and what makes a fund a member.

    grain: one row per dimension
    """

    dimension: pl.String = pa.Field(unique=True, description="Its code: asset, product_type.")
    meaning: pl.String = pa.Field(description="By what money is counted.")
    membership: pl.String = pa.Field(description="What makes a fund a member, and of which day.")
    counts_twice: pl.Boolean = pa.Field(
        description="Whether members keep money that is another covered fund's, too; else the "
        "world counts it once, see core.fund_week_member.share_counted (E20, E21)."
    )
    is_printed: pl.Boolean = pa.Field(description="Whether reports print figures of its members.")
    is_axis: pl.Boolean = pa.Field(
        description="Whether printed members are held against the printed total (E49)."
    )


class Member(Strict):
    """Every member of every dimension with its name for display.

    grain: one row per dimension and member
    """

    dimension: pl.String = pa.Field(isin=list(NAMES), description=f"{listed(NAMES)}.")
    member: pl.String = pa.Field(description="Code that people use.")
    member_name: pl.String = pa.Field(description="Name for display.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["dimension", "member"]


class Observation(ReadObservation):
    """The newest statement about every printed number, with the member that its label means.

    `value` is what the ledger uses: the printed number, or the correction in its place.

    grain: one row per source, printed table, dimension, label, measure and period
    """

    printed_value: Amount = pa.Field(
        nullable=True, description="The value as printed, whether it was corrected or not."
    )
    correction: pl.String = pa.Field(
        nullable=True,
        description="The line of reference.correction in force; NULL if the value is as printed.",
    )

    member: pl.String = pa.Field(
        description="The member that the label means; `unmapped` if the reference has none."
    )

    @classmethod
    def as_printed(cls) -> pl.Expr:
        """The number as the report prints it; a corrected one is held against no other table."""
        return pl.when(pl.col("correction").is_null()).then(pl.col("value"))

    class Config(ReadObservation.Config):
        """The grain."""

        unique = list(KEY)


class ObservationHistory(Observation):
    """Every statement about every printed number, from when and until when it was the newest one.

    A number was believed at a time K if `known_from <= K` and (`known_to > K` or it is NULL). A
    report that says the same again adds nothing (E43). A correction is believed from its own day:
    before, the statement stands as printed.

    grain: one row per source, printed table, dimension, label, measure, period, report, known_from
    """

    known_from: Instant = pa.Field(
        description="From when it was believed: known_at, or when a correction began or ended."
    )
    known_to: Instant = pa.Field(
        nullable=True,
        description="When a later report or a correction replaced it; NULL if none has.",
    )

    class Config(Observation.Config):
        """The grain."""

        unique = [*KEY, "report_id", "known_from"]

    @pa.dataframe_check(name="one_number_per_key", description="one number a key and report")
    def one_number_per_key(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """A report prints one number per key, whatever a person makes of it over time."""
        printed = pl.struct("printed_value", "null_reason")
        return data.lazyframe.select(printed.n_unique().over("report_id", *KEY) == 1)


class FxDay(Strict):
    """US dollars for one unit of a currency on every day, from euro reference rates.

    A weekend or holiday of the fixing uses the last one; other days without a fixing have no rate.

    grain: one row per currency and day
    """

    currency: pl.String = pa.Field(description="ISO 4217 code.")
    rate_date: pl.Date = pa.Field(description="The day.")
    usd_per_unit: Rate = pa.Field(gt=0, description="US dollars for one unit of the currency.")
    fixing_date: pl.Date = pa.Field(description="The day of the fixing that is used.")
    basis: pl.String = pa.Field(
        isin=["fixing", "last fixing"], description="Of that day, or before."
    )

    class Config(Strict.Config):
        """The grain."""

        unique = ["currency", "rate_date"]


class FundOnDay(Strict):
    """What every table of funds by day has: which fund, which day, and its figures as printed."""

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    holder: pl.String = pa.Field(
        description="The fund; its label as printed if it is unmapped (E94)."
    )
    label: pl.String = pa.Field(description="The fund's label as printed.")
    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    trade_date: pl.Date = pa.Field(description="The day, as printed.")
    week_ending: pl.Date = pa.Field(description="The week that the day is in.")
    currency: pl.String = pa.Field(description="Currency in which the source prints the fund.")
    printed_flow_local: Amount = pa.Field(
        nullable=True, description="Printed net flow, in the currency."
    )
    aum_local: Amount = pa.Field(
        nullable=True, description="Printed AUM, else shares x NAV, in the currency."
    )
    nav_local: Amount = pa.Field(nullable=True, description="NAV of one share, in the currency.")
    shares_outstanding: Amount = pa.Field(nullable=True, description="Shares in issue.")
    printed_flow_half_unit_local: Amount = pa.Field(
        nullable=True, description="Half a unit of its last printed digit (F9)."
    )
    aum_half_unit_local: Amount = pa.Field(
        nullable=True, description="Half a unit of the AUM's last printed digit, if it is printed."
    )


class FundDay(FundOnDay):
    """What a source says about a fund on a day, with the splits behind it and the day's rate.

    grain: one row per source, holder and trade date
    """

    coins_held: Amount = pa.Field(nullable=True, description="Coins that the fund holds.")
    coins_earned: Amount = pa.Field(nullable=True, description="Staking rewards of the day, coins.")
    split_new: pl.Int64 = pa.Field(
        description="Shares now, for every split_old shares before all splits of the history."
    )
    split_old: pl.Int64 = pa.Field(description="See split_new; k = ratio of both between two days.")
    is_held: pl.Boolean = pa.Field(
        description="Held back: NAV and shares stand on different sides of a split (E11)."
    )
    is_refused: pl.Boolean = pa.Field(
        description="A number of the day was refused: unreadable, or contradicted (E105)."
    )
    usd_per_unit: Rate = pa.Field(nullable=True, description="US dollars for a unit of currency.")
    fx_basis: pl.String = pa.Field(
        nullable=True, isin=["usd", "fixing", "last fixing"], description="Where the rate is from."
    )
    status: pl.String = pa.Field(isin=["final", "preliminary"], description="See observation.")

    class Config(FundOnDay.Config):
        """The grain."""

        unique = ["source", "holder", "trade_date"]


class FundWeek(Strict):
    """A fund's week in one source, by what it was then: AUM at both ends, every effect.

    grain: one row per source, holder, week and span of membership
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    holder: pl.String = pa.Field(
        description="The fund; its label as printed if it is unmapped (E94)."
    )
    label: pl.String = pa.Field(description="The fund's label as printed.")
    fund: pl.String = pa.Field(description="The fund; `unmapped` if the reference has none.")
    week_ending: pl.Date = pa.Field(description="The week, by the date on which it ends.")
    members_since: pl.Date = pa.Field(description="First day of its span in core.membership (E84).")
    aum_open_usd: Money = pa.Field(
        nullable=True,
        description="AUM at the last close before the week; 0 at entry, NULL if it had none.",
    )
    net_flow_usd: Money = pa.Field(nullable=True, description="Sum of the reported days' flows.")
    seed_flow_usd: Money = pa.Field(description="Part of it with which the fund started (E15).")
    structural_flow_usd: Money = pa.Field(description="Part that only changed vehicles (E18).")
    bridge_flow_usd: Money = pa.Field(
        nullable=True,
        description="Flow between both ends; of the reported days where an end is not known.",
    )
    market_effect_usd: Money = pa.Field(
        nullable=True, description="What is left; NULL if the flow of a day is unknown."
    )
    fx_effect_usd: Money = pa.Field(nullable=True, description="What exchange rates did.")
    corporate_action_usd: Money = pa.Field(nullable=True, description="Spin-offs and mergers.")
    universe_effect_usd: Money = pa.Field(
        nullable=True, description="AUM entering (+) or leaving (-) coverage or the members."
    )
    aum_close_usd: Money = pa.Field(
        nullable=True, description="AUM of the last session; NULL if it has none (E77)."
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
    flow_method: pl.String = pa.Field(nullable=True, description="See core.fund_step, or mixed.")
    sampling: pl.String = pa.Field(nullable=True, description="daily or weekly steps (E05).")
    days: pl.Int64 = pa.Field(description="Sessions of the week on which the fund is listed.")
    days_without_flow: pl.Int64 = pa.Field(description="Sessions for which no flow is known.")
    status: pl.String = pa.Field(
        isin=["final", "preliminary", "partial"],
        description="preliminary while it fills, partial if a day's flow is unknown, else final.",
    )

    null_reason: pl.String = pa.Field(
        nullable=True,
        isin=list(NULL_REASONS),
        description="The first reason why flow or market effect is not known; NULL if they are.",
    )
    is_entered: pl.Boolean = pa.Field(description="Whether the source has had AUM of it by then.")

    @pa.dataframe_check(name="closes_to_the_cent", description="the identity of F4 closes")
    def closes_to_the_cent(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805
        """F4, to the cent, wherever the market effect is known."""
        return data.lazyframe.select(closes("bridge_flow_usd"))

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "holder", "week_ending", "members_since"]


class FundWeekMember(Strict):
    """Which member of every dimension a fund's week counts for, and with which share of it.

    grain: one row per source, holder, week, span of membership and dimension
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    holder: pl.String = pa.Field(
        description="The fund; its label as printed if it is unmapped (E94)."
    )
    week_ending: pl.Date = pa.Field(description="The week, by the date on which it ends.")
    members_since: pl.Date = pa.Field(description="First day of its span in core.membership (E84).")
    dimension: pl.String = pa.Field(
        isin=list(NAMES), description=f"{listed(NAMES)}; see core.dimension."
    )
    member: pl.String = pa.Field(description="The member; `unmapped` if the reference has none.")
    share_counted: Share = pa.Field(
        ge=0, le=1, description="Less than 1 where the money is another covered fund's (E20, E21)."
    )

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "holder", "week_ending", "members_since", "dimension"]


class FlowDay(Strict):
    """Net flow of every day by member, with the identity of that day (E39).

    grain: one row per source, trade date, dimension and member
    """

    source: pl.String = pa.Field(description="The publisher's series of reports.")
    trade_date: pl.Date = pa.Field(description="The day, as printed.")
    dimension: pl.String = pa.Field(
        isin=list(NAMES), description=f"{listed(NAMES)}; see core.dimension."
    )
    member: pl.String = pa.Field(description="The member; `unmapped` if the reference has none.")
    net_flow_usd: Money = pa.Field(
        nullable=True, description="Creations less redemptions; inflow > 0."
    )

    net_flow_half_unit_usd: Money = pa.Field(
        nullable=True,
        ge=0,
        description="How far rounding in print can move the flow (E87); NULL if it is computed.",
    )

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "trade_date", "dimension", "member"]


class ReportedAxis(BySource):
    """What the members of a reported week leave of its printed total, by axis (E49).

    grain: one row per source, week and dimension
    """

    dimension: pl.String = pa.Field(isin=list(AXES), description=f"{listed(AXES)}.")
    total_usd: Money = pa.Field(description="Printed total; of several the most precise one.")
    members_usd: Money = pa.Field(description="Sum of the printed flows of its members.")
    remainder_usd: Money = pa.Field(description="Total less members.")
    hard_bound_usd: Money = pa.Field(description="Largest remainder that rounding can leave.")
    verdict: pl.String = pa.Field(
        isin=["exact", "rounding", "unexplained"], description="How the axis adds up (F9)."
    )
    status: pl.String = pa.Field(isin=["final", "preliminary"], description="See observation.")

    class Config(BySource.Config):
        """The grain."""

        unique = ["source", "week_ending", "dimension"]


class Source(Strict):
    """The publishers' series of reports that the ledger reads, with what their figures cover.

    grain: one row per source
    """

    source: pl.String = pa.Field(unique=True, description="The source's code.")
    title: pl.String = pa.Field(description="What it reports.")
    publisher: pl.String = pa.Field(description="Who publishes it.")
    url: pl.String = pa.Field(description="Where it is published.")
    universe: pl.String = pa.Field(description="Which products the figures cover.")
    country_basis: pl.String = pa.Field(description="listing, domicile or exchange country.")
    week_ends: pl.String = pa.Field(description="The weekday on which its weeks end (E31).")
    report_covers: pl.String = pa.Field(
        description="all funds: one that a report lacks has left; one fund: a file per fund."
    )
    is_split_adjusted: pl.Boolean = pa.Field(
        description="Whether its history is restated in today's shares after a split."
    )
    price_basis: pl.String = pa.Field(description="nav or market price, for flows by shares (E03).")
    calendar: pl.String = pa.Field(
        nullable=True,
        description="MIC of the market on whose sessions it has a row; NULL: whenever it has one.",
    )


class Session(Strict):
    """The days on which a source should have rows (E08, E74, E79).

    The sessions of its market between its first day and its last one; of a source without a market,
    and where a market's calendar is not known, the days on which it reports any fund.

    grain: one row per source and day
    """

    source: pl.String = pa.Field(description="The source's code.")
    trade_date: pl.Date = pa.Field(description="The day.")
    week_ending: pl.Date = pa.Field(description="The week's end, by the source's rule.")
    is_reported: pl.Boolean = pa.Field(description="Whether it reports any fund on it.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "trade_date"]


class MissingFund(Strict):
    """Funds whose file has not been renewed: no sum of a later week has them (E81).

    Of a source with a file per fund, those that have not ended and have no row in its last week.

    grain: one row per source and holder
    """

    source: pl.String = pa.Field(description="The source's code.")
    holder: pl.String = pa.Field(
        description="The fund; its label as printed if it is unmapped (E94)."
    )
    fund: pl.String = pa.Field(description="The fund.")
    last_day: pl.Date = pa.Field(description="Its last day with a row.")
    last_week: pl.Date = pa.Field(description="That day's week; later ones are partial.")
    aum_usd: Money = pa.Field(nullable=True, description="AUM on that day.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "holder"]


class MissingMember(Strict):
    """Members of which a fund is missing: their sums of later weeks are partial (E81).

    grain: one row per source, dimension and member
    """

    source: pl.String = pa.Field(description="The source's code.")
    dimension: pl.String = pa.Field(description="See core.dimension.")
    member: pl.String = pa.Field(description="The member of which a fund is missing.")
    last_week: pl.Date = pa.Field(description="The last week that has all of its funds.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "dimension", "member"]


class MissingDay(Strict):
    """The days of a fund without a row that counts, between its first and its last one.

    The source has left the day or its whole week out, its cell was refused, or the day is held back
    (E11, E74, E113).

    grain: one row per source, holder and day
    """

    source: pl.String = pa.Field(description="The source's code.")
    holder: pl.String = pa.Field(
        description="The fund; its label as printed if it is unmapped (E94)."
    )
    fund: pl.String = pa.Field(description="The fund.")
    week_ending: pl.Date = pa.Field(description="The week, which is partial.")
    trade_date: pl.Date = pa.Field(description="The day.")
    members_since: pl.Date = pa.Field(description="First day of its span in core.membership.")

    class Config(Strict.Config):
        """The grain."""

        unique = ["source", "holder", "trade_date"]
