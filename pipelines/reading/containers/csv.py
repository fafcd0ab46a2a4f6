"""CSV files to one grid: encoding and delimiter are found, no field is typed or interpreted."""

from __future__ import annotations

import csv
import io
from collections import Counter

from pipelines.errors import UnreadableReport
from pipelines.layouts.units import clean
from pipelines.reading.grid import Cell, Grid

_DELIMITERS = ",;\t|"


def decode(content: bytes) -> str:
    """Decode text by its byte-order mark, else UTF-8, else Windows-1252 (never an error)."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def read(content: bytes) -> list[Grid]:
    """Read a delimited text. Rows are records, numbered as in a spreadsheet."""
    lines = decode(content)
    delimiter = max(_DELIMITERS, key=lambda each: _columns_by(each, lines.splitlines()[:50]))
    try:
        text = io.StringIO(lines, newline="")  # lines may end with a carriage return only
        records = list(csv.reader(text, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UnreadableReport(
            "The CSV file is broken.",
            expected=f"records separated by {delimiter!r}, quotes closed",
            found=str(error),
            fix="open it in a text editor: a quote is left open or the download was cut",
        ) from error
    rows = [[Cell(clean(field)) for field in record] for record in records]
    return [Grid("csv", rows, open_end=not lines.endswith(("\n", "\r")))]


def _columns_by(delimiter: str, lines: list[str]) -> int:
    """Return how much of a table a delimiter makes: columns times the lines that agree on them."""
    counts = Counter(line.count(delimiter) for line in lines)
    return max((count * lines_alike for count, lines_alike in counts.items()), default=0)
