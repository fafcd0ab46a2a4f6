"""Printed numbers, exactly.

What a cell shows becomes an exact decimal in the base unit, with half of its last printed digit
(F9), or a NULL with a reason (E07). No floats, no guessing: a text that could mean two numbers
is refused. Dates, tables and files are read elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from pipelines.layouts.currencies import can_mean
from pipelines.layouts.units import (
    CURRENCY_TEXT,
    NULL_REASONS,
    SCALE_TEXT,
    SCALES,
    Unit,
    clean,
)

_DIRECTION = re.compile(
    r"^(?:net\s+)?(?P<word>inflows?|outflows?|minus|negative)(?:\s+of)?\s+(?P<rest>\S.*)$",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(
    r"(?<=[\d%).a-z])\s*(?:[*†‡§#¹²³⁴⁵⁶⁷⁸⁹]+|\[\w{1,2}\]|\s\(\w\))$", re.IGNORECASE
)
_NUMBER = re.compile(
    rf"""^(?P<before>(?:{CURRENCY_TEXT})(?=\s*\())?\s*(?P<open>\()?\s*(?P<sign>[+-])?
    \s*(?P<inside>{CURRENCY_TEXT})?\s*(?P<sign2>[+-])?\s*
    (?P<digits>[1-9]\d{{0,2}}(?:,\d{{3}})+|[1-9]\d{{0,2}}(?:\ \d{{3}})+|\d+|(?=\.\d))
    (?P<frac>\.\d+)?
    (?:e(?P<exp>[+-]?\d{{1,2}}))?\s*(?P<scale>{SCALE_TEXT})?\s*(?P<percent>%)?
    (?P<trail>-)?\s*(?P<close>\))?$""",
    re.IGNORECASE | re.VERBOSE,
)
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣－", "-"))


# Enough digits for any product of printed numbers; what is kept fits DECIMAL(38, 10).
_EXACT = Context(prec=80)
_TEN_DECIMALS = Decimal("1e-10")
_FINEST = Decimal("1e-10")
_TOO_LARGE = Decimal("1e28")


class NotANumber(ValueError):
    """A text that is neither one number nor a known word for a missing one."""


@dataclass(frozen=True, slots=True)
class Number:
    """One printed number in its base unit.

    `value` is None when the cell is a NULL, and then `null_reason` says why (E07).
    `half_unit` is half of the last printed digit, in the same unit (F9).
    """

    printed: str
    value: Decimal | None
    half_unit: Decimal | None
    null_reason: str | None = None


def parse_number(
    text: str,
    unit: Unit,
    *,
    nulls: Mapping[str, str] = NULL_REASONS,
    decimals: int | None = None,
) -> Number:
    """Read one printed number in `unit`; a scale or currency printed with it wins over the header.

    Args:
        text: what the cell shows.
        unit: the unit that the header or the layout gives the column.
        nulls: words that stand for a missing number, lower case, with the reason.
        decimals: the printed precision where the text does not show it (a CSV that drops
            trailing zeros); never fewer than the text has.

    Raises:
        NotANumber: for anything else, and for a number with two signs.
    """
    printed = clean(text)
    plain = printed.translate(_DASHES)
    reason = nulls.get(plain.lower())
    if reason is not None:
        return Number(printed, None, None, reason)
    plain = _FOOTNOTE.sub("", plain)
    direction = _DIRECTION.match(plain)
    match = _NUMBER.match(direction["rest"] if direction else plain)
    if match is None or bool(match["open"]) != bool(match["close"]):
        raise NotANumber(printed)
    factor = _factor_of(match, unit, printed)
    negative = _is_negative(match, direction["word"] if direction else None, printed)
    frac = (match["frac"] or ".")[1:]
    digits = re.sub(r"[ ,]", "", match["digits"])
    exponent = int(match["exp"] or 0)
    places = max(len(frac), decimals or 0) - exponent
    with localcontext(_EXACT):
        value = kept(Decimal(f"{digits or 0}.{frac or 0}").scaleb(exponent) * factor, printed)
        half_unit = max(Decimal(5).scaleb(-places - 1) * factor, _FINEST)
    return Number(printed, -value if negative and value else value, half_unit)


def kept(value: Decimal, printed: str) -> Decimal:
    """Return a value as it is stored: to ten decimals, without the binary noise beyond them.

    Raises:
        NotANumber: for a value that is too large to be kept exactly.
    """
    if abs(value) >= _TOO_LARGE:
        raise NotANumber(f"{printed} (too large)")
    with localcontext(_EXACT):
        rounded = value.quantize(_TEN_DECIMALS)
    return value if rounded == value else rounded


def _factor_of(match: re.Match[str], unit: Unit, printed: str) -> Decimal:
    """Return the factor to the base unit; refuse a currency or percent of another unit."""
    currency = match["before"] or match["inside"]
    if currency and not can_mean(currency, unit.currency):
        raise NotANumber(f"{printed} (in a column of {unit.base})")
    if match["percent"]:
        if unit.base != "ratio":
            raise NotANumber(f"{printed} (in a column of {unit.base})")
        return Decimal("0.01")
    if match["scale"]:
        return SCALES[match["scale"].lower()]
    return unit.factor


def _is_negative(match: re.Match[str], word: str | None, printed: str) -> bool:
    """Return whether the number is negative; refuse a number with two signs."""
    signs = [bool(match["open"]), match["sign"], match["sign2"], match["trail"], word]
    if sum(map(bool, signs)) > 1:
        raise NotANumber(f"{printed} (its sign is said twice)")
    words_of_loss = ("outflow", "minus", "negative")
    return (
        bool(match["open"])
        or "-" in (match["sign"], match["sign2"], match["trail"])
        or bool(word and word.lower().startswith(words_of_loss))
    )


def parse_half(text: str, decimals: int | None) -> Decimal:
    """Return half of the last printed digit of a text, in the scale in which it is printed."""
    digits = "".join(character for character in text if character.isdigit() or character == ".")
    places = max(len(digits.partition(".")[2]), decimals or 0)
    return Decimal(5).scaleb(-places - 1)
