"""Units as publishers print them, and the words that stand for a missing number.

What a header or a layout says about a column of numbers. Printed numbers are read in `reading`;
no bytes and no files are known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from pipelines.layouts.currencies import CURRENCIES, Currency, can_mean

# Texts that stand for "no number here". A zero is never one of them, and "nil" is not here because
# publishers use it for both; a layout that knows better says so under `nulls`.
NULL_REASONS: Mapping[str, str] = {
    "": "blank",
    "-": "dash",
    "--": "dash",
    "n/a": "not_available",
    "na": "not_available",
    "n.a.": "not_available",
    "#n/a": "not_available",
    "not declared": "not_declared",
    "not available": "not_available",
    "holiday": "holiday",
    "awaited": "awaited",
    "pending": "awaited",
    "tbc": "awaited",
}

SCALES: Mapping[str, Decimal] = {
    "k": Decimal(10**3),
    "000": Decimal(10**3),
    "000s": Decimal(10**3),
    "'000": Decimal(10**3),
    "thousand": Decimal(10**3),
    "thousands": Decimal(10**3),
    "m": Decimal(10**6),
    "mn": Decimal(10**6),
    "mm": Decimal(10**6),
    "mln": Decimal(10**6),
    "million": Decimal(10**6),
    "millions": Decimal(10**6),
    "bn": Decimal(10**9),
    "b": Decimal(10**9),
    "billion": Decimal(10**9),
    "billions": Decimal(10**9),
    "tn": Decimal(10**12),
    "trillion": Decimal(10**12),
}
CELL_SCALES: Mapping[str, Decimal] = {
    name: factor for name, factor in SCALES.items() if len(name) > 1 and name.isalpha()
}
"""The scales that a cell may print with its number; letters and (000) are units of headers."""


def any_of(words: Mapping[str, object]) -> str:
    """Return a regular expression of any of the words, the longest first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


CURRENCY_TEXT, SCALE_TEXT = any_of(CURRENCIES), any_of(SCALES)
"""Regular expressions of any printed currency and any printed scale."""
ROW = "currency"
"""In a layout, the currency that each row names: `currency m`, `currency/share` (E99)."""
_UNIT = re.compile(
    rf"^(?P<currency>{CURRENCY_TEXT})?\s*(?P<scale>{SCALE_TEXT})?\s*"
    r"(?P<thing>shares|coins|ratio|%|/\s?share)?$",
    re.IGNORECASE,
)
_HEADER_UNIT = re.compile(
    rf"^(?P<name>.*?)\s*(?:[(\[](?P<bracket>[^()\[\]]+)[)\]]|,\s*(?P<comma>[^,]+)|"
    rf"\s(?P<bare>(?:[A-Z]{{0,2}}\$|USD)\s?(?:{SCALE_TEXT})))$",
    re.IGNORECASE,
)
_OF_THE_ROW = re.compile(rf"\b{ROW}\b")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202c\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
)
"""Soft hyphens, characters without width, and marks of direction that turn nothing round."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure: `base` (USD, shares, coins, USD/share, ratio) times `factor`.

    `base` is None where only a scale was printed, as in "(000)".
    """

    base: str | None
    factor: Decimal = Decimal(1)
    sign: str = field(default="", compare=False)
    """The currency as printed: a local sign such as `$` can stand for several."""

    @property
    def currency(self) -> str | None:
        """The currency part of the base unit, or None (shares, coins, ratios)."""
        base = (self.base or "").removesuffix("/share")
        return base if base in set(CURRENCIES.values()) else None

    @property
    def is_of_the_row(self) -> bool:
        """Whether the currency of the unit is what a column of the table names (E99)."""
        return (self.base or "").removesuffix("/share") == ROW

    def of(self, currency: Currency) -> Unit:
        """Return the unit in a row of a currency."""
        base = (self.base or "").replace(ROW, currency.code)
        return Unit(base, self.factor * currency.factor)

    def can_be(self, declared: Unit) -> bool:
        """Return whether a unit as printed in a header is the declared one (E51, E99)."""
        if self.factor != declared.factor:
            return False
        if self.sign and declared.currency and self.currency != declared.currency:
            return can_mean(self.sign, declared.currency)
        return self.base in (None, declared.base, declared.currency)


def clean(text: str) -> str:
    """Fold all white space (NBSP, thin) to single blanks, drop what has no width, and trim."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    return " ".join(text.split())


@lru_cache(maxsize=512)
def parse_unit(text: str) -> Unit | None:
    """Read a unit as publishers print it ("US$m", "(000)", "USD bn", "thousand shares", "%").

    Returns None when the text is no unit.
    """
    match = _UNIT.match(clean(text))
    if match is None or not clean(text):
        return None
    thing = (match["thing"] or "").replace(" ", "").lower()
    factor = SCALES[match["scale"].lower()] if match["scale"] else Decimal(1)
    sign = (match["currency"] or "").lower()
    currency = CURRENCIES[sign] if sign else None
    if thing == "/share":
        return Unit(f"{currency or 'USD'}/share", factor, sign)
    if thing == "%":
        return Unit("ratio", Decimal("0.01"))
    return Unit(currency or thing or None, factor, sign)


def declared_unit(text: str) -> Unit | None:
    """Read a unit of a layout: one that publishers print, or one in the currency of each row.

    Returns None when the text is no unit.
    """
    unit = parse_unit(_OF_THE_ROW.sub("USD", text, count=1))
    if unit is None or unit.base is None or not _OF_THE_ROW.search(text):
        return unit
    return Unit(unit.base.replace("USD", ROW), unit.factor)


@lru_cache(maxsize=4096)
def split_header(text: str) -> tuple[str, Unit | None]:
    """Split a header into its name and the unit printed in it: "Week flow (US$m)"."""
    header = clean(text)
    match = _HEADER_UNIT.match(header)
    if match and match["name"]:
        unit = parse_unit(match["bracket"] or match["comma"] or match["bare"])
        if unit is not None:
            return match["name"], unit
    return header, None
