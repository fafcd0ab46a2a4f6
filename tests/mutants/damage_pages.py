"""Damage that only pages can have: spans, hidden and struck-out texts, unclosed markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from random import Random

from tests.mutants.damage import spot_of
from tests.mutants.documents import Page
from tests.mutants.numbers import Change

_SPANS = ["0", "-1", "2", "3", "1000", "99999999999", "x", "", "²", "١", "1.5", " 2 ", "2e3"]
_TAG = re.compile(r"<t[dh]\b[^>]*>", re.IGNORECASE)
_OPEN = re.compile(r"</?(?:t[dhr]|table|tbody|thead|span|div)\b[^>]*>", re.IGNORECASE)
_WRAPPED = [
    "<s>{}</s>",
    "<del>{}</del> 5",
    "<s>12</s>{}",
    "{}<sup>1</sup>",
    "{}<sup>0</sup>",
    "<b>{}</b>9",
    '<span style="display:none">7</span>{}',
    '<span style="visibility:hidden">{}</span>',
    '<span class="hidden">{}</span>',
    "<span>{}</span><span>8</span>",
    "{}<br>5",
    "<!-- {} -->",
    "<!--[if IE]>{}<![endif]-->",
    "{}<script>document.write(5)</script>",
    "<ins>{}</ins>",
    "<table><tr><td>{}</td></tr></table>",
    "<input value='{}'>",
    "&#0;{}",
    "&#x110000;{}",
    "{}&nbsp;",
    "&lt;{}&gt;",
    "<p>{}",
    "{}</td><td>",
    "<td>{}",
    "</table>{}",
    "<font size=0>{}</font>",
    "{}<sub>2",
]


def _span(page: Page, random: Random) -> Change | None:
    tags = [*_TAG.finditer(page.source)]
    tag = random.choice(tags)
    name = random.choice(["colspan", "rowspan"])
    value = random.choice(_SPANS)
    new = f'{tag[0][:-1]} {name}="{value}">'
    source = page.source[: tag.start()] + new + page.source[tag.end() :]
    return source.encode(), f"cell {tags.index(tag) + 1}", tag[0][:40], new[:60]


def _wrapped(page: Page, random: Random) -> Change | None:
    spot = spot_of(page, random)
    new = random.choice(_WRAPPED).format(escape(spot.text))
    return page.replaced({spot: new}), str(spot), spot.text, new


def _markup(page: Page, random: Random) -> Change | None:
    tags = [*_OPEN.finditer(page.source)]
    tag = random.choice(tags)
    new = random.choice(["", tag[0] * 2, tag[0][:-1], tag[0].upper(), tag[0].replace("t", "T", 1)])
    source = page.source[: tag.start()] + new + page.source[tag.end() :]
    return source.encode(), f"tag {tags.index(tag) + 1}", tag[0][:40], new[:40]


def _style(page: Page, random: Random) -> Change | None:
    rules = [
        "td{display:none}",
        "tr:nth-child(3){visibility:hidden}",
        "td{",
        "@media{td{",
        "}}}{{{",
    ]
    rules += [
        "table{display:none}",
        ".x{}/*",
        "td>span{opacity:0}",
        "tr td{text-decoration:line-through}",
    ]
    rule = random.choice(rules)
    return f"<style>{rule}</style>{page.source}".encode(), "head", "", rule


def _row(page: Page, random: Random) -> Change | None:
    """Hide a row, or strike it out."""
    rows = [*re.finditer(r"<tr\b", page.source, re.IGNORECASE)]
    row = random.choice(rows)
    way = random.choice(
        ['style="display:none"', "hidden", 'class="d-none"', 'style="text-decoration:line-through"']
    )
    source = f"{page.source[: row.end()]} {way}{page.source[row.end() :]}"
    return source.encode(), f"row {rows.index(row) + 1}", "", way


_KINDS: dict[str, Callable[[Page, Random], Change | None]] = {
    "span changed": _span,
    "cell wrapped": _wrapped,
    "markup broken": _markup,
    "style added": _style,
    "row hidden": _row,
}
KINDS = [*_KINDS]


def changed(page: Page, kind: str, random: Random) -> Change | None:
    """Return a damaged page; None where this kind does nothing to it."""
    return _KINDS[kind](page, random)
