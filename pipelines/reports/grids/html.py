"""HTML pages to one grid a table. Only what a reader sees counts: no script, no hidden layout."""

from __future__ import annotations

from collections.abc import Iterator

import lxml.html

from pipelines.reports.errors import UnreadableReport
from pipelines.reports.grids import Cell, Grid, spread
from pipelines.reports.grids.text import decode
from pipelines.reports.numbers import clean


def read(content: bytes) -> list[Grid]:
    """Read the tables of a page, named `table 1`, `table 2`... in document order.

    A cell without text shows the alternative text of its images (issuers' logos). Superscripts
    are footnote marks: "12.3" with a raised 1 must not become 12.31, so they are bracketed.
    """
    page = lxml.html.document_fromstring(
        decode(content), parser=lxml.html.HTMLParser(encoding=None)
    )
    tables = list(page.iter("table"))
    if not tables:
        raise UnreadableReport(
            "The page has no table.",
            expected="an HTML page with at least one <table>",
            found=f"{len(content)} bytes of HTML without a table",
            fix="save the page again once its table has loaded",
        )
    return [Grid(f"table {n}", spread(_rows(table))) for n, table in enumerate(tables, 1)]


def _rows(table: lxml.html.HtmlElement) -> Iterator[list[tuple[Cell, int, int]]]:
    own_rows = (row for row in table.iter("tr") if next(row.iterancestors("table")) is table)
    for row in own_rows:
        yield [
            (Cell(_shown(cell)), _span(cell, "rowspan"), _span(cell, "colspan"))
            for cell in row
            if cell.tag in ("td", "th")
        ]


def _shown(cell: lxml.html.HtmlElement) -> str:
    for raised in cell.iter("sup"):
        if raised.text and raised.text.strip():
            raised.text = f" [{raised.text.strip()}]"
    text = clean(cell.text_content())
    return text or clean(" ".join(image.get("alt", "") for image in cell.iter("img")))


def _span(cell: lxml.html.HtmlElement, name: str) -> int:
    span = cell.get(name, "1").strip()
    return max(1, min(int(span), 1000)) if span.isdigit() else 1
