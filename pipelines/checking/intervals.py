"""Rounding-interval arithmetic: a printed number can be anything that rounds to it (F9).

A number printed with half unit h is the interval [x - h, x + h], ends included. Sums, differences,
products and ratios carry the ends along; comparisons answer true, false or undecidable. The macros
in `sql/macros/` are the same in SQL. Units and labels belong to the observation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Literal

import polars as pl

Answer = Literal["true", "false", "undecidable"]
SLIPS = (-3, -2, -1, 1, 2, 3)
"""Powers of ten by which units are confused: thousand, million, billion, and the Chinese 10^8."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All values that a number can have, in its own unit; `low` <= `high`."""

    low: Decimal
    high: Decimal

    @classmethod
    def of(cls, value: Decimal, half_unit: Decimal = Decimal(0)) -> Interval:
        """Return what a printed number stands for.

        Raises:
            ValueError: the half unit is negative.
        """
        if half_unit < 0:
            raise ValueError(f"half unit {half_unit} is negative")
        return cls(value - half_unit, value + half_unit)

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval) -> Interval:
        corners = [a * b for a, b in product((self.low, self.high), (other.low, other.high))]
        return Interval(min(corners), max(corners))

    def __truediv__(self, other: Interval) -> Interval:
        """Divide, to the precision of the decimal context.

        Raises:
            ZeroDivisionError: the divisor may be zero, so that the ratio may be anything.
        """
        if Decimal(0) in other:
            raise ZeroDivisionError(f"the divisor may be zero: {other.low} to {other.high}")
        corners = [a / b for a, b in product((self.low, self.high), (other.low, other.high))]
        return Interval(min(corners), max(corners))

    @property
    def width(self) -> Decimal:
        """How far apart the ends are: twice the hard bound."""
        return self.high - self.low

    def scaled(self, power: int) -> Interval:
        """Return the number as read in a unit that is 10^power times as large."""
        return Interval(self.low.scaleb(power), self.high.scaleb(power))

    def __contains__(self, value: Decimal) -> bool:
        return self.low <= value <= self.high

    def meets(self, other: Interval) -> bool:
        """Return whether both can be the same number."""
        return self.low <= other.high and other.low <= self.high

    def is_at_most(self, other: Interval) -> Answer:
        """Compare: true or false only if it holds for all values that the two can have."""
        if self.high <= other.low:
            return "true"
        return "false" if self.low > other.high else "undecidable"


def slip(figure: Interval, needed: Interval) -> int | None:
    """Return the power of ten by which a figure would have to be read to be what is needed (E51).

    None if there is none, or if the change is no larger than what rounding leaves open anyway: a
    small figure can be read in any unit beside a coarse total.
    """
    for power in SLIPS:
        read = figure.scaled(power)
        change = abs(read.low + read.high - figure.low - figure.high) / 2
        if read.meets(needed) and change > read.width + needed.width:
            return power
    return None


def total(parts: Iterable[Interval]) -> Interval:
    """Return the sum; of no parts it is zero, exactly."""
    return sum(parts, start=Interval.of(Decimal(0)))


def is_largest(claimed: Interval, others: Sequence[Interval]) -> Answer:
    """Return whether a number is the largest: no other one is larger (F10, E58)."""
    answers = {other.is_at_most(claimed) for other in others}
    if "false" in answers:
        return "false"
    return "undecidable" if "undecidable" in answers else "true"


def verdict_of(residual: pl.Expr, hard_bound: pl.Expr) -> pl.Expr:
    """Return how lines add up: exactly, within rounding, or not; unknown if the residual is."""
    return (
        pl.when(residual.is_null())
        .then(pl.lit("unknown"))
        .when(residual == 0)
        .then(pl.lit("exact"))
        .when(residual.abs() <= hard_bound)
        .then(pl.lit("rounding"))
        .otherwise(pl.lit("unexplained"))
    )
