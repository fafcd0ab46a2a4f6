"""Amounts of money and the few ways in which they are rounded.

Everything is exact until it is rounded, and rounded half away from zero:

- an amount in US dollars to the cent, as soon as a day's flow, AUM or effect is made of it;
  sums of cents are exact;
- AUM carried to the next day by a NAV return, and a transfer, to four decimals of the fund's own
  currency; shares carried over a split to six;
- a rate to ten decimals, a percentage to six.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
ZERO = Decimal("0.00")
HUNDRED = Decimal(100)


def exactly(function: Callable[P, R]) -> Callable[P, R]:
    """Compute with 80 digits: divisions are as good as exact, products are exact."""

    @wraps(function)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext() as context:
            context.prec = 80
            return function(*args, **kwargs)

    return computed


def rounded(amount: Decimal, digits: int) -> Decimal:
    """Round half away from zero."""
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def cents(amount: Decimal) -> Decimal:
    """Round to the cent."""
    return rounded(amount, 2)


def added(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Add what is known; nothing known is None, never 0 (E07)."""
    known = [each for each in amounts if each is not None]
    return sum(known, ZERO) if known else None


def bound(known: Iterable[tuple[Decimal | None, Decimal | None]]) -> Decimal | None:
    """Return how far rounding in print can move a sum of amounts, each with its half unit (F9).

    None if an amount that is known has none: it was not printed, but computed.
    """
    units = [half_unit for amount, half_unit in known if amount is not None]
    return None if None in units else added(units)


def plus(amount: Decimal | None, more: Decimal | None) -> Decimal | None:
    """Add what is known of two amounts."""
    return added((amount, more))


def percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """Return a part in percent of a whole, to six decimals; of nothing there is none."""
    if part is None or not whole:
        return None
    return rounded(HUNDRED * part / whole, 6)
