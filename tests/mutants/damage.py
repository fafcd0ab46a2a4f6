"""Damage of any report: to its bytes, its lines and its encoding, and cells with odd texts."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.mutants.documents import Delimited, Document, Page, Spot
from tests.mutants.numbers import Change

DIGITS = "1" * 120
ODD = [
    "TRUE", "#REF!", "#N/A", "2026-01-02", "46023", "=A1+1", "=1/0", "1e400", "-1e400", "0e40",
    "0e-40", "1e-400", "1e9999999999", "1E+28", "1e99", "9" * 40, f"0.{DIGITS}", f"{DIGITS}.5",
    "NaN", "inf", "-Infinity", "١٢٣", "１２", "½", "²", "Ⅷ", "--5", "+-5", "((5))", "(5", "5)",
    "12,345,67", "1.2.3", "1 2", "1'000", "5 to 7", "~5", "<5", "≈ 5", "5*", "5 (r)", "$", "%",
    "5%%", "€5", "5 USD", "0x1F", "1_000", "\x00", "\x1f", "\ud7ff", "\ufffd", "\ufeff5", "5\n6",
    "5\r6", '"', "'", "12 Jan 2026", "31 Feb 2026", "0000-00-00", "9999-12-31", "Total", "x" * 5000,
]  # fmt: skip
"""Texts of which none is a plain number of the row that it is put into."""
UNSEEN = [
    "\xa0",
    "\u200b",
    "\u200e",
    "\u202e",
    "\xad",
    "\ufeff",
    "\u2060",
    "\u0301",
    "\u2009",
    "\t",
]


def _truncated(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content))]


def _cut_out(content: bytes, random: Random) -> bytes:
    start = random.randrange(len(content))
    return content[:start] + content[start + random.randint(1, 200) :]


def _flipped(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice([1, 1, 3, 20])):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _inserted(content: bytes, random: Random) -> bytes:
    at = random.randrange(len(content))
    return content[:at] + random.randbytes(random.choice([1, 2, 8, 64])) + content[at:]


def _doubled(content: bytes, random: Random) -> bytes:
    start = random.randrange(len(content))
    end = start + random.randint(1, 2000)
    return content[:end] + content[start:end] + content[end:]


_BYTES: dict[str, Callable[[bytes, Random], bytes]] = {
    "truncated": _truncated,
    "bytes cut out": _cut_out,
    "bytes flipped": _flipped,
    "bytes inserted": _inserted,
    "bytes doubled": _doubled,
}


def _line_doubled(lines: list[str], random: Random) -> list[str]:
    at = random.randrange(len(lines))
    to = random.choice([at, at, random.randrange(len(lines))])
    return [*lines[:to], lines[at], *lines[to:]]


def _line_dropped(lines: list[str], random: Random) -> list[str]:
    at = random.randrange(len(lines))
    return [*lines[:at], *lines[at + random.choice([1, 1, 1, 5]) :]]


def _lines_swapped(lines: list[str], random: Random) -> list[str]:
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    changed = list(lines)
    changed[one], changed[two] = changed[two], changed[one]
    return changed


_LINES: dict[str, Callable[[list[str], Random], list[str]]] = {
    "line doubled": _line_doubled,
    "line dropped": _line_dropped,
    "lines swapped": _lines_swapped,
}


def _encoded(content: bytes, random: Random) -> bytes:
    text = content.decode("utf-8", errors="replace")
    ways: list[Callable[[], bytes]] = [
        lambda: text.encode("utf-16"),
        lambda: text.encode("utf-16-le"),
        lambda: text.encode("utf-32"),
        lambda: text.encode("utf-16")[:-1],
        lambda: b"\xef\xbb\xbf" * 2 + content,
        lambda: b"\xff\xfe" + content,
        lambda: content.replace(b" ", b"\xa0"),
        lambda: content.replace(b",", b"\xc2", 3),
        lambda: text.replace("a", "ä").encode("cp1252", errors="replace"),
        lambda: text.replace(".", "．").encode(),
        lambda: text.replace("\n", random.choice(["\r", "\r\n", "\n\n", "\u2028"])).encode(),
        lambda: text.replace("\n", "\n\x00").encode(),
        lambda: text.replace(",", random.choice([";", "\t", "|", ", ", ",,"])).encode(),
        lambda: text.upper().encode(),
        lambda: b"\n" * random.randint(1, 5) + content,
    ]
    return random.choice(ways)()


KINDS = [
    *_BYTES, *_LINES, "encoding broken", "header changed", "column moved", "odd cell",
    "invisible characters",
]  # fmt: skip


def changed(document: Document, content: bytes, kind: str, random: Random) -> Change | None:
    """Return a damaged report; None where this kind does nothing to it."""
    if kind in _BYTES:
        return _BYTES[kind](content, random), kind, "", ""
    if kind in _LINES:
        if not isinstance(document, Delimited | Page):
            return None
        lines = content.decode("utf-8", errors="replace").splitlines(keepends=True)
        return "".join(_LINES[kind](lines, random)).encode(), kind, "", ""
    if kind == "encoding broken":
        return _encoded(content, random), kind, "", ""
    if kind == "column moved":
        return _column_moved(document, random)
    return _cell(document, kind, random)


def _cell(document: Document, kind: str, random: Random) -> Change | None:
    if kind == "header changed":
        first = [spot for spot in document.spots if spot not in set(document.numbers)][:60]
        spot = random.choice(first)
        text = random.choice([spot.text[:-1], spot.text + " (US$bn)", "Other", "", spot.text * 2])
    elif kind == "odd cell":
        spot = random.choice(random.choice([document.spots, document.numbers]))
        text = random.choice(ODD)
    else:
        spot = random.choice(document.spots)
        at = random.randint(0, len(spot.text))
        text = spot.text[:at] + random.choice(UNSEEN) + spot.text[at:]
    return document.changed({spot: text}), str(spot), spot.text, text[:60]


def _column_moved(document: Document, random: Random) -> Change | None:
    """Exchange two columns with their headers, or without them."""
    if not isinstance(document, Delimited):
        return None
    width = max(map(len, document.records))
    one, two = random.randrange(width), random.randrange(width)
    first = random.choice([0, 1])
    records = [list(record) for record in document.records]
    for record in records[first:]:
        if max(one, two) < len(record):
            record[one], record[two] = record[two], record[one]
    return (
        document.written(records),
        f"columns {one + 1} and {two + 1}",
        "",
        f"from line {first + 1}",
    )


def spot_of(document: Document, random: Random) -> Spot:
    """Return a cell, more often one with a number."""
    return random.choice(document.numbers if random.random() < 0.7 else document.spots)
