"""Spin-offs and mergers: what moved from one fund to another, which is neither flow nor market.

A merger moves the last AUM of the fund that ends (E17). A spin-off moves f / (1 - f) of what the
giver is worth at its first close after it, its own flow apart: the market of that day is no
transfer (E13, decision 10). Pairs net to zero.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from tests.oracle.amounts import rounded
from tests.oracle.positions import FundDay
from tests.oracle.reference import Action, Reference

WEEK = dt.timedelta(days=7)
FlowsOf = Callable[[list[FundDay]], dict[dt.date, Decimal]]


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a transfer: what a fund gives (-) or receives (+), in the giver's currency."""

    fund: str
    day: dt.date
    amount: Decimal
    rate: Decimal
    moves_shares: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """What has moved into (+) or out of a fund in a step, in the fund's currency."""

    amount: Decimal
    with_shares: Decimal


class Transfers:
    """The transfers between the funds of a source."""

    def __init__(
        self, chains: list[list[FundDay]], reference: Reference, flows_of: FlowsOf
    ) -> None:
        self._legs: list[Leg] = []
        days = {chain[0].fund: [each for each in chain if each.is_usable] for chain in chains}
        for action in reference.actions:
            if action.kind in ("spin_off", "merger") and action.fund in days:
                self._legs += _legs(action, days[action.fund], flows_of)

    def into(self, day: FundDay, before: FundDay | None) -> Moved | None:
        """Return what moved since the position before; of a new fund, within a week."""
        since = before.day if before else day.day - WEEK
        legs = [leg for leg in self._legs if leg.fund == day.fund and since < leg.day <= day.day]
        if not legs or not day.rate:
            return None
        moved = [leg.amount * leg.rate / day.rate for leg in legs]
        shares = [each for each, leg in zip(moved, legs, strict=True) if leg.moves_shares]
        return Moved(rounded(sum(moved, Decimal(0)), 4), rounded(sum(shares, Decimal(0)), 4))


def _legs(action: Action, days: list[FundDay], flows_of: FlowsOf) -> list[Leg]:
    before = [each for each in days if each.aum is not None and each.day < action.day]
    after = [
        each for each in days if each.aum is not None and action.day <= each.day < action.day + WEEK
    ]
    if not before:
        return []
    last = before[-1]
    amount, rate = (last.aum or Decimal(0)) * action.fraction, last.rate
    if action.kind == "spin_off" and after and action.fraction < 1:
        first = after[0]
        own = [flow for day, flow in flows_of(days).items() if action.day <= day <= first.day]
        kept = (first.aum or Decimal(0)) - sum(own, Decimal(0))
        amount, rate = kept * action.fraction / (1 - action.fraction), first.rate
    amount, rate = rounded(amount, 4), rate or Decimal(1)
    # A spin-off leaves the giver's shares as they were and lowers its NAV.
    return [
        Leg(action.fund, action.day, -amount, rate, moves_shares=action.kind == "merger"),
        Leg(action.counterpart, action.day, amount, rate, moves_shares=True),
    ]
