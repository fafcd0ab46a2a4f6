"""The measures that fundflows knows: their base unit and whether they are flows or stocks.

A layout may only name measures of this list. Formulas do not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Measure:
    """What a printed number can be: `base` is its base unit, `kind` how it relates to time."""

    base: str
    kind: Literal["flow", "stock"]
    meaning: str


MEASURES: dict[str, Measure] = {
    "net_flow": Measure("USD", "flow", "creations less redemptions; inflow > 0"),
    "creations": Measure("USD", "flow", "creations alone, not negative; subscriptions"),
    "redemptions": Measure("USD", "flow", "redemptions alone, as a number that is not negative"),
    "creations_in_kind": Measure("USD", "flow", "creations paid in the fund's assets"),
    "creations_in_cash": Measure("USD", "flow", "creations paid in money"),
    "redemptions_in_kind": Measure("USD", "flow", "redemptions paid in the fund's assets"),
    "redemptions_in_cash": Measure("USD", "flow", "redemptions paid in money"),
    "net_flow_in_kind": Measure("USD", "flow", "creations less redemptions in kind"),
    "net_flow_in_cash": Measure("USD", "flow", "creations less redemptions in cash"),
    "net_flow_mean": Measure("USD", "flow", "a printed mean of daily net flows (a footer)"),
    "net_flow_max": Measure("USD", "flow", "a printed largest daily net flow (a footer)"),
    "net_flow_min": Measure("USD", "flow", "a printed smallest daily net flow (a footer)"),
    "seed": Measure("USD", "stock", "assets with which a fund started, printed apart from flows"),
    "aum": Measure("USD", "stock", "assets under management at the close"),
    "nav": Measure("USD/share", "stock", "net asset value of one share at the close"),
    "shares_outstanding": Measure("shares", "stock", "shares in issue at the close"),
    "coins_held": Measure("coins", "stock", "coins that a fund holds at the close"),
    "coins_earned": Measure("coins", "flow", "staking rewards of the period, in coins"),
    "fx_rate": Measure("ratio", "stock", "units of a currency for one euro, a reference rate"),
    "market_price": Measure("USD/share", "stock", "closing price of one share; never used as NAV"),
}
NET_FLOW_OF: tuple[dict[str, Literal[1, -1]], ...] = (
    {"creations": 1, "redemptions": -1},
    {"net_flow_in_kind": 1, "net_flow_in_cash": 1},
    {
        "creations_in_kind": 1,
        "creations_in_cash": 1,
        "redemptions_in_kind": -1,
        "redemptions_in_cash": -1,
    },
)
"""The parts that make a net flow, with the sign of each; all of one set, never of two (E101)."""
PARTS = tuple(dict.fromkeys(part for parts in NET_FLOW_OF for part in parts))
GROSS = tuple(part for part in PARTS if not part.startswith("net_flow"))
NULL_KINDS = ("blank", "dash", "not_available", "not_declared", "holiday", "awaited")
"""Why a publisher prints no number (E07)."""
REFUSED = "refused"
"""Why there is no number where one is printed that cannot be read, or that others contradict."""
RUNS = {"week": 1} | {f"{weeks}w": weeks for weeks in range(2, 14)}
"""Periods of whole weeks, by how many: the week, and runs such as "four weeks in a row" (E45)."""
PERIODS = ("day", *RUNS, "mtd", "qtd", "ytd", "since_inception", "close")
