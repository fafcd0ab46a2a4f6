"""HTML pages to one grid per table. Only what a reader sees counts: no script, no hidden text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import lxml.etree
import lxml.html

from pipelines.errors import UnreadableReport
from pipelines.layouts.units import clean
from pipelines.reading.containers.csv import decode
from pipelines.reading.grid import Cell, Grid, spread

_UNSEEN = {"script", "style", "template", "noscript"}
_OWN_LINE = {"br", "div", "p", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr"}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_LINE = "\n"
_WHOLE = re.compile(r"\s*0*([0-9]{1,9})")
_OPENED = re.compile(r"<(/?)table\b", re.IGNORECASE)
_CODE = re.compile(r"<!--.*?-->|<(script|style|template)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)


def read(content: bytes) -> list[Grid]:
    """Read the tables of a page, named `table 1`, `table 2`... in document order.

    A cell without text shows the alternative text of its images (issuers' logos). Superscripts
    are footnote marks: "12.3" with a raised 1 must not become 12.31, so they are bracketed. Lines
    of a cell are kept apart by " / ": two numbers below each other are not one.
    """
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", decode(content))
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
    return [Grid(f"table {n}", spread(_rows(table))) for n, table in enumerate(tables, 1)]


def _ends_in_a_table(text: str) -> bool:
    """Return whether a page ends before its last table does: lxml would close it in silence."""
    tags = _OPENED.findall(_CODE.sub("", text))
    return bool(tags) and tags[-1] != "/"


def _rows(table: lxml.html.HtmlElement) -> Iterator[list[tuple[Cell, int, int]]]:
    own_rows = (row for row in table.iter("tr") if next(row.iterancestors("table")) is table)
    for row in own_rows:
        yield [
            (Cell(_shown(cell)), _span(cell, "rowspan"), _span(cell, "colspan"))
            for cell in row
            if cell.tag in ("td", "th")
        ]


def _shown(cell: lxml.html.HtmlElement) -> str:
    lines = map(clean, "".join(_seen(cell)).split(_LINE))
    text = " / ".join(line for line in lines if line)
    return text or clean(" ".join(image.get("alt", "") for image in cell.iter("img")))


def _seen(element: lxml.html.HtmlElement) -> Iterator[str]:
    """Yield what a reader sees of an element and of what is in it."""
    yield (element.text or "").replace(_LINE, " ")
    for child in element:
        if isinstance(child.tag, str) and not _is_hidden(child):
            own_line = _LINE if child.tag in _OWN_LINE else ""
            yield own_line
            yield (
                _mark(clean("".join(_seen(child)))) if child.tag == "sup" else "".join(_seen(child))
            )
            yield own_line
        yield (child.tail or "").replace(_LINE, " ")


def _mark(raised: str) -> str:
    """Return a superscript as a footnote mark that no number can swallow."""
    return f" [{raised}]" if raised.isalnum() else f" {raised}"


def _is_hidden(element: lxml.html.HtmlElement) -> bool:
    return (
        element.tag in _UNSEEN
        or element.get("hidden") is not None
        or bool(_HIDDEN.search(element.get("style", "")))
    )


def _span(cell: lxml.html.HtmlElement, name: str) -> int:
    span = _WHOLE.match(cell.get(name, ""))
    return max(1, min(int(span[1]), 1000)) if span else 1
