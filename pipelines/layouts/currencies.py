"""Currencies as publishers print them: codes, signs, and the signs that mean several.

Nothing is converted here: a rate belongs to a day, and is found where the marts are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

_SIGNS: Mapping[str, tuple[str, ...]] = {
    "USD": ("us$", "$"),
    "CAD": ("c$", "ca$"),
    "AUD": ("a$", "au$"),
    "HKD": ("hk$",),
    "SGD": ("s$",),
    "NZD": ("nz$",),
    "TWD": ("nt$",),
    "MXN": ("mx$",),
    "BRL": ("r$",),
    "EUR": ("€",),
    "GBP": ("£",),
    "JPY": ("¥", "jp¥"),
    "CNY": ("cn¥", "rmb"),
    "INR": ("₹",),
    "KRW": ("₩",),
    "TRY": ("₺",),
    "ILS": ("₪",),
    "THB": ("฿",),
    "PLN": ("zł",),
}
_OTHERS = (
    "AED", "ARS", "BGN", "CHF", "CLP", "COP", "CZK", "DKK", "HUF", "IDR", "ISK", "MYR", "NOK",
    "PHP", "RON", "SAR", "SEK", "ZAR",
)  # fmt: skip
CURRENCIES: Mapping[str, str] = {
    printed: code
    for code in (*_SIGNS, *_OTHERS)
    for printed in (code.lower(), *_SIGNS.get(code, ()))
}
"""A printed currency, lower case, and its code. A local sign means the first of its currencies."""

LOCAL: Mapping[str, frozenset[str]] = {
    "$": frozenset(code for code, signs in _SIGNS.items() if signs[0].endswith("$")) - {"BRL"},
    "¥": frozenset(["JPY", "CNY"]),
}
"""A sign that each country prints for its own currency: what it means, its table says."""

_PARTS: Mapping[str, tuple[str, Decimal]] = {
    "GBp": ("GBP", Decimal("0.01")),
    "GBX": ("GBP", Decimal("0.01")),
    "ZAc": ("ZAR", Decimal("0.01")),
    "ILA": ("ILS", Decimal("0.01")),
}
"""Hundredths in which an exchange quotes; case counts, since GBp is a penny and GBP a pound."""


class Currency(NamedTuple):
    """A currency, and how much of it one printed unit is."""

    code: str
    factor: Decimal = Decimal(1)


def parse_currency(text: str) -> Currency | None:
    """Read the currency of a row ("CAD", "C$", "GBX"); None for any other text.

    A local sign is none here: nothing but the row says which currency it is.
    """
    if text in _PARTS:
        return Currency(*_PARTS[text])
    code = None if text in LOCAL else CURRENCIES.get(text.lower())
    return Currency(code) if code else None


def can_mean(printed: str, code: str | None) -> bool:
    """Return whether a printed currency can stand with a number in the currency `code`."""
    sign = printed.lower()
    return CURRENCIES[sign] == code or code in LOCAL.get(sign, ())


def named(printed: str) -> str:
    """Return a printed currency by its code; a local sign, which may be of several, as it is."""
    return printed if printed in LOCAL else CURRENCIES[printed.lower()]
