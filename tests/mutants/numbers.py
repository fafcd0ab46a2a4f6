"""Changes of one number, or of a row's length: what a typing or copying hand does."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from tests.mutants.documents import Document, Spot

Change = tuple[bytes, str, str, str]
"""The bytes of a mutant, where it was changed, what was there, and what is there now."""

_SCALES = ["m", "k", "bn", "b", "M", "K", "B", "mn", " m", " million", "t", "%", "p", "r"]


def _digit(text: str, random: Random) -> str | None:
    at = random.choice([match.start() for match in re.finditer("[0-9]", text)])
    other = random.choice([digit for digit in "0123456789" if digit != text[at]])
    return text[:at] + other + text[at + 1 :]


def _sign(text: str, random: Random) -> str | None:
    if text.startswith("("):
        return text.strip("()")
    if text.startswith("-"):
        return text[1:]
    return random.choice([f"-{text}", f"({text})"])


def _decimal_mark(text: str, random: Random) -> str | None:
    match = re.search(r"[0-9][0-9,.' ]*", text)
    assert match is not None
    whole, _, fraction = re.sub("[,' ]", "", match[0]).partition(".")
    by = random.choice([-3, -2, -1, 1, 2, 3])
    digits, point = whole + fraction, len(whole) + by
    if point <= 0:
        digits, point = "0" * (1 - point) + digits, 1
    digits = digits.ljust(point, "0")
    moved = digits[:point] + (f".{digits[point:]}" if digits[point:] else "")
    return text[: match.start()] + moved + text[match.end() :]


def _mark_replaced(text: str, random: Random) -> str | None:
    if "." not in text and "," not in text:
        return None
    return text.translate(str.maketrans({".": ",", ",": random.choice([".", "'", " "])}))


def _scale(text: str, random: Random) -> str | None:
    scale = random.choice(_SCALES)
    return f"{text[:-1]}{scale})" if text.endswith(")") else text + scale


def _dropped(text: str, random: Random) -> str | None:
    places = [match.start() for match in re.finditer("[0-9]", text)]
    if len(places) < 2:
        return None
    start = random.randrange(len(places))
    gone = set(places[start : start + random.randint(1, len(places) - 1)])
    left = "".join(each for at, each in enumerate(text) if at not in gone)
    return left if re.search("[0-9]", left) else None


def _added(text: str, random: Random) -> str | None:
    at = random.choice([match.start() for match in re.finditer("[0-9]", text)])
    return text[:at] + random.choice("0123456789") + text[at:]


def _blank(text: str, random: Random) -> str | None:
    return random.choice(["", " ", "\xa0"])


def _dash(text: str, random: Random) -> str | None:
    return random.choice(["-", "–", "—", "n/a"])


_TEXTS: dict[str, Callable[[str, Random], str | None]] = {
    "digit changed": _digit,
    "sign flipped": _sign,
    "decimal mark moved": _decimal_mark,
    "marks replaced": _mark_replaced,
    "scale added": _scale,
    "digits dropped": _dropped,
    "digit added": _added,
    "cell blanked": _blank,
    "dash for number": _dash,
}
KINDS = [*_TEXTS, "swapped in column", "swapped in row", "field deleted"]


def changed(document: Document, kind: str, random: Random) -> Change | None:
    """Return a document with one number changed; None where this kind changes nothing there."""
    spot = random.choice(document.numbers)
    if kind == "field deleted":
        same_row = [
            each for each in document.spots if (each.part, each.row) == (spot.part, spot.row)
        ]
        spot = random.choice(same_row)
        return document.without(spot), str(spot), spot.text, "(deleted)"
    if kind in _TEXTS:
        text = _TEXTS[kind](spot.text, random)
        if text is None or text == spot.text:
            return None
        return document.changed({spot: text}), str(spot), spot.text, text
    others = _others(document, spot, kind)
    if not others:
        return None
    other = random.choice(others)
    swapped = document.changed({spot: other.text, other: spot.text})
    return swapped, f"{spot} and {other}", spot.text, other.text


def _others(document: Document, spot: Spot, kind: str) -> list[Spot]:
    at = "column" if kind == "swapped in column" else "row"
    return [
        each
        for each in document.numbers
        if each.part == spot.part
        and getattr(each, at) == getattr(spot, at)
        and each.text != spot.text
    ]
