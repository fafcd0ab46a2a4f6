"""Printed numbers, exactly.

What a cell shows becomes an exact decimal in the base unit, with half of its last printed digit
(F9), or a NULL with a reason (E07). No floats, no guessing: a text that could mean two numbers
is refused. Dates, tables and files are read elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal

from pipelines.layouts.currencies import can_mean, named
from pipelines.layouts.units import (
    CELL_SCALES,
    CURRENCY_TEXT,
    NULL_REASONS,
    SCALES,
    Unit,
    any_of,
    clean,
)
from schemas.measures import REFUSED

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
    (?P<digits>[0-9](?:[0-9.,'\ ]*[0-9])?|[.,][0-9]+)
    (?:e(?P<exp>[+-]?[0-9]{{1,2}}))?\s*(?P<scale>{any_of(CELL_SCALES)}|[a-z])?\s*(?P<percent>%)?
    (?P<trail>-)?\s*(?P<close>\))?$""",
    re.IGNORECASE | re.VERBOSE,
)
_SIMPLE = re.compile(r"(?P<sign>-)?(?P<digits>(?P<whole>[0-9]+)(?:\.(?P<frac>[0-9]+))?)")
"""Numbers as programs write them: most are."""
_GROUP = 3
_FORMS = {
    mark: re.compile(
        rf"(?P<whole>[1-9][0-9]{{0,2}}(?:(?P<group>[{groups}])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*)"
        rf"|[0-9]+|(?=[{mark}]))(?:[{mark}](?P<frac>[0-9]+))?"
    )
    for mark, groups in ((".", ",' "), (",", ".' "))
}
"""The digits of one number by its decimal mark: grouped in threes by one mark, or not grouped."""
_ASCII = str.maketrans({**dict.fromkeys("‐‑‒–—―−﹣－", "-"), **dict.fromkeys("’‘ʼ′´＇", "'")})
# Enough digits for any product of printed numbers; what is kept fits DECIMAL(38, 10).
_EXACT = Context(prec=80)
_TEN_DECIMALS = Decimal("1e-10")
_FINEST = Decimal("1e-10")
_TOO_LARGE = Decimal("1e28")
_UNPRINTED = {"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Nd", "No", "Zl", "Zp", "Zs"}
"""Categories of characters that are not seen, or that look like others."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the numbers of a column are printed.

    `decimal` is None where the file shows both marks; `is_sure` says that also a number such as
    1,234 is read by it (E98). `blanks` group digits. `scales` are declared for cells, and so are
    `marks` of a status (E97). A column that `has_scale` in its header takes no other from a cell.
    """

    decimal: str | None = "."
    is_sure: bool = True
    blanks: bool = True
    scales: Mapping[str, Decimal] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    has_scale: bool = False

    def reads(self, whole: str, frac: str) -> bool:
        """Return whether a point between these digits is a decimal mark, and nothing else."""
        may_group = len(frac) == _GROUP and len(whole) <= _GROUP and whole[0] != "0"
        return self.decimal == "." and (self.is_sure or not may_group)


PLAIN = Style()
"""Numbers as programs and formats print them: 1,234.5."""


class NotANumber(ValueError):
    """A text that is neither one number nor a known word for a missing one."""


@dataclass(frozen=True, slots=True)
class Number:
    """One printed number in its base unit.

    `value` is None when the cell is a NULL, and then `null_reason` says why (E07).
    `half_unit` is half of the last printed digit, in the same unit (F9). `factor` is the printed
    scale in the base unit.
    """

    printed: str
    value: Decimal | None
    half_unit: Decimal | None
    null_reason: str | None = None
    factor: Decimal = Decimal(1)


def missing(printed: str) -> Number:
    """Return the number of a cell that was refused: none, so that what lacks it can say so."""
    return Number(printed, None, None, REFUSED)


def parse_number(
    text: str,
    unit: Unit,
    *,
    nulls: Mapping[str, str] = NULL_REASONS,
    decimals: int | None = None,
    style: Style = PLAIN,
) -> Number:
    """Read one printed number in `unit`.

    Args:
        text: what the cell shows.
        unit: the unit that the header or the layout gives the column.
        nulls: words that stand for a missing number, lower case, with the reason.
        decimals: the printed precision where the text does not show it (a CSV that drops
            trailing zeros); never fewer than the text has.
        style: how the numbers of the column are printed.

    Raises:
        NotANumber: for anything else, for a number with two signs, and for what may be two
            different numbers or is in another unit than its column's.
    """
    printed = clean(text)
    plain = printed if printed.isascii() else printed.translate(_ASCII)
    reason = nulls.get(plain.lower())
    if reason is not None:
        return Number(printed, None, None, reason)
    negative, digits, exponent, factor = _read(plain, printed, unit, style)
    exact = Decimal(".".join(digits))
    value = kept(_EXACT.multiply(_EXACT.scaleb(exact, exponent), factor), printed)
    # An exponent says how a program writes a number, not how well it is known: 5E+1 is 50.
    places = max(len(digits[1]) - exponent, decimals or 0, 0)
    # Nothing is nothing on any scale: 0bn is not known worse than its column (F9).
    last_digit = factor if value else min(factor, unit.factor)
    half_unit = max(_EXACT.multiply(Decimal(5).scaleb(-places - 1), last_digit), _FINEST)
    return Number(printed, -value if negative and value else value, half_unit, None, factor)


def _read(
    plain: str, printed: str, unit: Unit, style: Style
) -> tuple[bool, tuple[str, str], int, Decimal]:
    """Return whether a number is negative, its digits, its exponent, and its scale."""
    simple = _SIMPLE.fullmatch(plain)
    if simple and (simple["frac"] is None or style.reads(simple["whole"], simple["frac"])):
        return bool(simple["sign"]), (simple["whole"], simple["frac"] or ""), 0, unit.factor
    match, word = _parts(plain, printed, style)
    whole, frac = _digits(match["digits"], style, printed)
    return (
        _is_negative(match, word, printed),
        (whole or "0", frac),
        int(match["exp"] or 0),
        _factor_of(match, unit, printed, style),
    )


def _parts(plain: str, printed: str, style: Style) -> tuple[re.Match[str], str | None]:
    """Return the parts of a printed number, and a word before it that says its direction."""
    plain = _FOOTNOTE.sub("", _without_mark(plain, style.marks))
    direction = _DIRECTION.match(plain)
    match = _NUMBER.match(direction["rest"] if direction else plain)
    if match is None or bool(match["open"]) != bool(match["close"]):
        raise NotANumber(f"{printed}{_code_points(printed)}")
    return match, direction["word"] if direction else None


def digits_of(text: str) -> str | None:
    """Return the digits of a number with their marks, 1,234.5; None for a text that is none."""
    plain = text if text.isascii() else text.translate(_ASCII)
    match = _SIMPLE.fullmatch(plain) or _NUMBER.match(_FOOTNOTE.sub("", plain))
    return match["digits"] if match else None


def marks_of(digits: str) -> set[str]:
    """Return the decimal marks by which digits are one number."""
    return {mark for mark, form in _FORMS.items() if form.fullmatch(digits)}


def _digits(digits: str, style: Style, printed: str) -> tuple[str, str]:
    """Return the digits before and after the decimal mark.

    Raises:
        NotANumber: they are no number, or the file does not show which of two.
    """
    if digits.isdigit():
        return digits, ""
    marks = marks_of(digits)
    if not marks:
        raise NotANumber(f"{printed} (digits that are no one number)")
    mark = style.decimal if style.decimal in marks else None
    has_mark = "." in digits or "," in digits
    if has_mark and (mark is None or (len(marks) > 1 and not style.is_sure)):
        shown = f"'{style.decimal}' is the decimal mark" if style.decimal else "both marks are used"
        why = f"elsewhere {shown}" if mark is None else "the file does not show which"
        raise NotANumber(f"{printed} (two numbers by its decimal mark, {why}; see `decimal`)")
    form = _FORMS[mark or "."].fullmatch(digits)
    assert form is not None  # noqa: S101 (the mark is one of those that fit)
    if form["group"] == " " and not style.blanks:
        raise NotANumber(f"{printed} (two numbers, or one that is grouped as no other here)")
    return re.sub(r"[ ,.']", "", form["whole"]), form["frac"] or ""


def _without_mark(text: str, marks: tuple[str, ...]) -> str:
    """Return a number without the status mark behind it."""
    for mark in marks:
        bare = text.removesuffix(mark)
        if bare != text and bare.rstrip()[-1:] in tuple("0123456789)%"):
            return bare.rstrip()
    return text


def _code_points(text: str) -> str:
    """Return the names of characters that a reader of a refusal would not see."""
    unseen = [
        f"U+{ord(each):04X}"
        for each in dict.fromkeys(text)
        if not (each.isascii() and each.isprintable()) and unicodedata.category(each) in _UNPRINTED
    ]
    return f" ({', '.join(unseen)})" if unseen else ""


def kept(value: Decimal, printed: str) -> Decimal:
    """Return a value as it is stored: to ten decimals, without the binary noise beyond them.

    Raises:
        NotANumber: for a value that is too large to be kept exactly.
    """
    if not value:
        return Decimal(0)  # whatever its exponent
    if abs(value) >= _TOO_LARGE:
        raise NotANumber(f"{printed} (too large)")
    rounded = _EXACT.quantize(value, _TEN_DECIMALS)
    return value if rounded == value else rounded


def _factor_of(match: re.Match[str], unit: Unit, printed: str, style: Style) -> Decimal:
    """Return the factor to the base unit; refuse a currency, percent or scale of another unit."""
    currency = match["before"] or match["inside"]
    if currency and not can_mean(currency, unit.currency):
        raise NotANumber(f"{printed} ({named(currency)} in a column of {unit.base})")
    if match["percent"]:
        if unit.base != "ratio":
            raise NotANumber(f"{printed} (in a column of {unit.base})")
        return Decimal("0.01")
    if not match["scale"]:
        return unit.factor
    name = match["scale"].lower()
    if name in style.scales:
        return style.scales[name]
    factor = CELL_SCALES.get(name)
    if SCALES.get(name) == unit.factor:
        return unit.factor
    if factor is None:
        raise NotANumber(f"{printed} ({match['scale']!r} is no scale here; see `scales`, `marks`)")
    if style.has_scale:
        raise NotANumber(f"{printed} (another scale than its column's; see `scales`)")
    return factor


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
