"""HTML pages to one grid per table. Only what a reader sees counts: no script, no hidden text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import lxml.etree
import lxml.html

from pipelines.errors import UnreadableReport
from pipelines.layouts.units import clean
from pipelines.reading.containers.encoding import decode
from pipelines.reading.containers.visible import Seen, Styles
from pipelines.reading.grid import BLANK, Cell, Grid, spread

_OWN_LINE = {"br", "div", "p", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr"}
_LINE, _EDGE = "\n", "\x1f"
_STRUCK = f"{_LINE}{_EDGE}{_EDGE}{_LINE}"
_PLAIN = str.maketrans({_LINE: " ", _EDGE: " "})
_TWO_TEXTS = re.compile(rf"(?<=\d)\s*{_EDGE}[\s{_EDGE}]*(?=\d)")
"""Digits of two elements: an old figure and a new one, a value and its change (E95)."""
_WHOLE = re.compile(r"\s*0*([0-9]{1,9})")
_OPENED = re.compile(r"<(/?)table\b", re.IGNORECASE)
_CHARSET = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE | re.ASCII)
_HEAD = 4096
"""Where browsers look for the encoding of a page, and somewhat further."""
_CODE = re.compile(r"<!--.*?-->|<(script|style|template)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)


def read(content: bytes) -> list[Grid]:
    """Read the tables of a page, named `table 1`, `table 2`... in document order.

    A cell without text shows the alternative text of its images (issuers' logos). Superscripts
    are footnote marks: "12.3" with a raised 1 must not become 12.31, so they are bracketed. Lines
    of a cell are kept apart by " / ": two numbers below each other are not one. What is hidden or
    struck out is left out (`docs/reading.md`).
    """
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", decode(content, _charset(content)))
    try:
        page = lxml.html.document_fromstring(text)
        tables = list(page.iter("table"))
    except lxml.etree.ParserError:  # nothing but comments
        tables = []
    if not tables:
        raise UnreadableReport(
            "The page has no table.",
            expected="an HTML page with at least one <table>",
            found=f"{len(content)} bytes of HTML without a table",
            fix="save the page again once its table has loaded",
        )
    if _ends_in_a_table(text):
        raise UnreadableReport(
            "The page is cut off.",
            expected="a page whose last table is closed by </table>",
            found=f"{len(content)} bytes that end within a table: ...{clean(text)[-60:]}",
            fix="save the page again: the download stopped early",
        )
    shown = _shown(tables, Styles.of(page))
    if not shown:
        raise UnreadableReport(
            "The page shows no table.",
            expected="an HTML page with at least one <table> that a reader sees",
            found=f"{len(tables)} hidden by style, attribute or class",
            fix="save the page again once its table is shown",
        )
    return shown


def _charset(content: bytes) -> str | None:
    """Return the encoding that a page declares, as browsers take it."""
    declared = _CHARSET.search(content[:_HEAD])
    name = declared[1].decode("ascii").lower() if declared else ""
    return None if name in ("", "iso-8859-1", "latin1", "us-ascii") else name


def _shown(tables: list[lxml.html.HtmlElement], styles: Styles) -> list[Grid]:
    """Return the tables that are seen; their names count the others, too."""
    return [
        Grid(f"table {n}", spread(_rows(table, styles)))
        for n, table in enumerate(tables, 1)
        if not any(styles.seen(each) in ("gone", "unseen") for each in _around(table))
    ]


def _around(table: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    """Yield a table and what it is in; scripts often show the body as a whole when it is loaded."""
    yield table
    yield from itertools.takewhile(lambda each: each.tag != "body", table.iterancestors())


def _ends_in_a_table(text: str) -> bool:
    """Return whether a page ends before its last table does: lxml would close it in silence."""
    tags = _OPENED.findall(_CODE.sub("", text))
    return bool(tags) and tags[-1] != "/"


def _rows(table: lxml.html.HtmlElement, styles: Styles) -> Iterator[list[tuple[Cell, int, int]]]:
    for row in table.iter("tr"):
        around = [row, *itertools.takewhile(lambda each: each is not table, row.iterancestors())]
        if any(each.tag == "table" for each in around):
            continue
        states = {styles.seen(each) for each in around}
        if "gone" in states:
            continue
        yield [
            (_cell(cell, styles, states), _span(cell, "rowspan"), _span(cell, "colspan"))
            for cell in row
            if cell.tag in ("td", "th") and styles.seen(cell) != "gone"
        ]


def _cell(cell: lxml.html.HtmlElement, styles: Styles, around: set[Seen]) -> Cell:
    """Return a cell as it is seen; one that is struck out as a whole says so, and is no number."""
    states = around | {styles.seen(cell)}
    if "unseen" in states:
        return BLANK
    pieces = "".join(_seen(cell, styles))
    lines = map(clean, _TWO_TEXTS.sub(_LINE, pieces).replace(_EDGE, "").split(_LINE))
    text = " / ".join(line for line in lines if line)
    if text and "struck" in states:
        return Cell(f"{text} (struck out)")
    if not text and _STRUCK in pieces:
        return Cell("(struck out)")
    return Cell(text or clean(" ".join(image.get("alt", "") for image in cell.iter("img"))))


def _seen(element: lxml.html.HtmlElement, styles: Styles) -> Iterator[str]:
    """Yield what a reader sees of an element and of what is in it, with marks at inner edges."""
    yield (element.text or "").translate(_PLAIN)
    for child in element:
        state = styles.seen(child) if isinstance(child.tag, str) else "gone"
        if state == "struck" and child.text_content().strip():
            yield _STRUCK
        elif state in ("shown", "struck"):
            edge = _LINE if child.tag in _OWN_LINE else _EDGE
            yield edge
            inner = "".join(_seen(child, styles))
            yield _mark(clean(inner.replace(_EDGE, ""))) if child.tag == "sup" else inner
            yield edge
        yield (child.tail or "").translate(_PLAIN)


def _mark(raised: str) -> str:
    """Return a superscript as a footnote mark that no number can swallow."""
    return f" [{raised}]" if raised.isalnum() else f" {raised}"


def _span(cell: lxml.html.HtmlElement, name: str) -> int:
    span = _WHOLE.match(cell.get(name, ""))
    return max(1, min(int(span[1]), 1000)) if span else 1
