"""Damage that only workbooks can have: parts of the zip file, types of cells, formats, hiding."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from tests.mutants.books import Book, address, unzipped, zipped
from tests.mutants.damage import DIGITS, spot_of
from tests.mutants.numbers import Change

_FORMATS = [
    "[>1.2.3]0", "[>=1e9]0", "[>٣]0", "[]0", "[", '"', "0;;;", ";;;", "0.0,,", "0" * 300,
    f"0.{'0' * 120}", "?/?", "# ?/8", "@", "0.00E+00", "yyyy-mm-dd", "[h]:mm", "mmm", "General;-0",
    "[$€-407]0,0", "[Red]-0;0", '0"bn"', "0%", "0.0%%", "_(* 0.0_)", "\\", "0\\", "0,", ",,0",
    "0.,",
    "*", "0*", "[<0]0;[<0]0;0", "#", "", " ", "[=1]0;0", "[<>]0", '"x"',
    "0.0;(0.0);-", "\x7f0",
]  # fmt: skip
_TYPES = {
    ' t="b"': [
        "<v>1</v>",
        "<v>2</v>",
        "<v>x</v>",
    ],
    ' t="e"': [
        "<v>#REF!</v>",
        "<v>#N/A</v>",
    ],
    ' t="d"': [
        "<v>2026-01-02</v>",
        "<v>2026-01-02T25:00</v>",
        "<v>x</v>",
    ],
    "": [
        "<f>A1+1</f>",
        "<f>A1+1</f><v>5</v>",
        '<f t="array" ref="A1:B2">1</f>',
        '<f t="shared" si="0"/>',
        '<f t="dataTable" ref="A1"/>',
    ],
    ' t="str"': [
        "<f>A1</f><v></v>",
        "<v>12</v>",
    ],
    ' t="n"': [
        "<v>1e400</v>",
        "<v>-1e400</v>",
        "<v>0e40</v>",
        "<v>1e308</v>",
        "<v>1e-320</v>",
        "<v>NaN</v>",
        "<v>INF</v>",
        "<v>1,5</v>",
        "<v>x</v>",
        f"<v>0.{DIGITS}</v>",
        f"<v>{DIGITS}</v>",
        "<v></v>",
        "<v> 5 </v>",
        "<v>2958466</v>",
    ],
    ' t="s"': [
        "<v>99999</v>",
        "<v>-1</v>",
        "<v>x</v>",
        "<v></v>",
    ],
    ' t="zz"': [
        "<v>5</v>",
    ],
    ' t="inlineStr"': [
        "<is/>",
        "<v>5</v>",
        "<is><r><rPr><strike/></rPr><t>12</t></r><r><t>150</t></r></is>",
        "<is><r><rPr><strike/></rPr><t>12</t></r></is>",
        "<is><t>5_x000D_</t></is>",
    ],
    ' s="99999"': [
        "<v>5</v>",
    ],
    ' s="-1"': [
        "<v>5</v>",
    ],
    ' s="x"': [
        "<v>5</v>",
    ],
}
"""Contents of a cell by the attributes that give it its type or style."""


def _part(book: Book, random: Random) -> Change | None:
    """Drop, empty, cut, exchange or double a part of the package."""
    name = random.choice([*book.parts])
    parts = dict(book.parts)
    way = random.choice(["dropped", "emptied", "cut", "not XML", "renamed", "exchanged", "bytes"])
    if way == "dropped":
        del parts[name]
    elif way == "renamed":
        parts[name.upper()] = parts.pop(name)
    elif way == "exchanged":
        parts[name] = parts[random.choice([*book.parts])]
    elif way == "bytes":
        changed = bytearray(parts[name] or b" ")
        changed[random.randrange(len(changed))] = random.randrange(256)
        parts[name] = bytes(changed)
    else:
        whole = parts[name]
        parts[name] = {"emptied": b"", "cut": whole[: len(whole) // 2], "not XML": b"\x00\x01<"}[
            way
        ]
    return zipped(parts), name, "", way


def _package(book: Book, random: Random) -> Change | None:
    """Damage the zip file itself, most often one of its headers."""
    content = bytearray(zipped(book.parts))
    marks = [match.start() for match in re.finditer(rb"PK\x01\x02|PK\x03\x04|PK\x05\x06", content)]
    at = min(random.choice(marks) + random.randrange(46), len(content) - 1)
    content[at] = random.randrange(256)
    return bytes(content), f"byte {at}", "", ""


def _markup(book: Book, random: Random) -> Change | None:
    """Change an attribute of the sheets, the workbook, the styles or the links between them."""
    name = random.choice([part for part in book.parts if part.startswith("xl/")] or [*book.parts])
    text = book.parts[name].decode("utf-8", errors="replace")
    attributes = [*re.finditer(r'(?<= )[\w:]+="([^"]*)"', text)]
    if not attributes:
        return None
    one = random.choice(attributes)
    new = random.choice(["", "-1", "x", "0", "99999999999", "A1", "XFD1048576", "é", one[1] * 2])
    start, end = one.span(1)
    changed = text[:start] + new + text[end:]
    return zipped(book.parts | {name: changed.encode()}), name, one[0][:60], new


def _type(book: Book, random: Random) -> Change | None:
    spot = spot_of(book, random)  # type: ignore[arg-type]
    kind = random.choice([kind for kind, inner in _TYPES.items() for _ in inner])
    inner = random.choice(_TYPES[kind])
    return (
        book.replaced({spot: (kind, inner)}),
        f"{spot.part}!{address(spot)}",
        spot.text,
        f"{kind}{inner}"[:80],
    )


def _format(book: Book, random: Random) -> Change | None:
    """Give a number another format: the first style of its own is taken for it."""
    styles = book.parts["xl/styles.xml"].decode()
    ours = random.choice(_FORMATS)
    escaped = (
        ours.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
    )
    declared = f'<numFmts count="1"><numFmt numFmtId="199" formatCode="{escaped}"/></numFmts>'
    styles = re.sub(r"<numFmts.*?</numFmts>|<numFmts[^>]*/>", "", styles, flags=re.DOTALL)
    styles = re.sub(r"(<styleSheet[^>]*>)", lambda match: match[1] + declared, styles, count=1)
    styles = re.sub(r'numFmtId="(?:1[6-9]\d|[1-9]\d?)"', 'numFmtId="199"', styles)
    return zipped(book.parts | {"xl/styles.xml": styles.encode()}), "styles", "", ours[:40]


def _hidden(book: Book, random: Random) -> Change | None:
    sheet = random.choice(book.sheets)
    text = book.parts[sheet].decode()
    rows = [*re.finditer(r'<row r="\d+"', text)]
    if random.random() < 0.5 and rows:
        row = random.choice(rows)
        way = random.choice([' hidden="1"', ' ht="0" customHeight="1"', ' hidden="x"', ' ht="-1"'])
        text = text[: row.end()] + way + text[row.end() :]
        return zipped(book.parts | {sheet: text.encode()}), f"{sheet} {row[0]}", "", way
    column = random.randint(1, 6)
    last = column + random.choice([0, 1, 9999])
    way = f'<cols><col min="{column}" max="{last}" width="0" hidden="1"/></cols>'
    text = re.sub(r"<cols>.*?</cols>", "", text, flags=re.DOTALL).replace(
        "<sheetData", f"{way}<sheetData", 1
    )
    return zipped(book.parts | {sheet: text.encode()}), sheet, "", way


def _struck(book: Book, random: Random) -> Change | None:
    styles = book.parts["xl/styles.xml"].decode()
    fonts = [*re.finditer(r"<font>", styles)]
    if not fonts:
        return None
    font = random.choice(fonts)
    styles = styles[: font.end()] + "<strike/>" + styles[font.end() :]
    return (
        zipped(book.parts | {"xl/styles.xml": styles.encode()}),
        f"font {fonts.index(font)}",
        "",
        "struck",
    )


def _merged(book: Book, random: Random) -> Change | None:
    sheet = random.choice(book.sheets)
    areas = ["A1:C3", "B6:B8", "A5:F5", "B6:C6", "A1:XFD1048576", "A1", "x", "B8:B6", "Z90:Z99"]
    area = random.choice(areas)
    merged = f'</sheetData><mergeCells count="1"><mergeCell ref="{area}"/></mergeCells>'
    text = book.parts[sheet].decode().replace("</sheetData>", merged, 1)
    return zipped(book.parts | {sheet: text.encode()}), sheet, "", area


def _far(book: Book, random: Random) -> Change | None:
    """Put a cell far away from the table, as a key held down too long does."""
    sheet = random.choice(book.sheets)
    name = random.choice(["XFD1", "A1048576", "XFD1048576", "AAA30000", "B9999999"])
    row = re.sub("[A-Z]", "", name)
    cell = f'<row r="{row}"><c r="{name}"><v>1</v></c></row></sheetData>'
    text = book.parts[sheet].decode().replace("</sheetData>", cell, 1)
    return zipped(book.parts | {sheet: text.encode()}), sheet, "", name


_KINDS: dict[str, Callable[[Book, Random], Change | None]] = {
    "zip part damaged": _part,
    "zip header damaged": _package,
    "attribute changed": _markup,
    "cell of another type": _type,
    "odd number format": _format,
    "row or column hidden": _hidden,
    "font struck out": _struck,
    "cells merged": _merged,
    "far cell": _far,
}
KINDS = [*_KINDS]


def changed(book: Book, kind: str, random: Random) -> Change | None:
    """Return a damaged workbook; None where this kind does nothing to it."""
    return _KINDS[kind](book, random)


def whole(content: bytes) -> Book:
    """Return a workbook to be damaged."""
    return Book(unzipped(content))
