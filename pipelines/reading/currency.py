"""The unit of a number in its row, where a column names the currency of each row (E99, E118)."""

from __future__ import annotations

from pipelines.layouts.currencies import Currency, parse_currency
from pipelines.layouts.units import Unit


class NotItsCurrency(ValueError):
    """A row that names no currency, or another one than its numbers are declared in."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found)
        self.expected = expected


def unit_in_row(unit: Unit, named: str | None) -> Unit:
    """Return the unit of a column's numbers in a row that names a currency; None: no column does.

    Raises:
        NotItsCurrency: the row names none, or the column is declared in another one.
    """
    if named is None or not (unit.currency or unit.is_of_the_row):
        return unit
    currency = parse_currency(named)
    if unit.is_of_the_row:
        return _in_currency(unit, currency, named)
    if named and (currency is None or currency.code != unit.currency):
        raise NotItsCurrency(
            f"{unit.base}, but the row's currency is {named}",
            f"a row in {unit.currency}, as the column is declared; numbers in the currency of "
            "their row have a unit such as `currency m`",
        )
    return unit


def _in_currency(unit: Unit, currency: Currency | None, named: str) -> Unit:
    if currency is None:
        raise NotItsCurrency(
            f"currency {named!r}", "the code of the row's currency, such as USD or C$"
        )
    # Prices are quoted in pence; whether an amount beside them is, is not known.
    if currency.factor != 1 and not (unit.base or "").endswith("/share"):
        raise NotItsCurrency(
            f"an amount in {named}",
            f"an amount in {currency.code}: only prices are quoted in hundredths",
        )
    return unit.of(currency)
