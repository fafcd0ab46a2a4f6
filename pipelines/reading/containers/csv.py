"""CSV files to one grid: encoding and delimiter are found, no field is typed or interpreted."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator

from pipelines.errors import UnreadableReport
from pipelines.layouts.units import clean
from pipelines.reading.containers.encoding import ASSUMED, decode, encoding_of
from pipelines.reading.grid import Cell, Grid

_DELIMITERS = ",;\t|"


def read(content: bytes) -> list[Grid]:
    """Read a delimited text. Rows are records, numbered as in a spreadsheet."""
    lines = decode(content)
    delimiter = max(_DELIMITERS, key=lambda each: _columns_by(each, lines.splitlines()[:50]))
    rows = [[Cell(clean(field)) for field in record] for record in _records(lines, delimiter)]
    is_assumed = encoding_of(content) == ASSUMED
    return [Grid("csv", rows, open_end=not lines.endswith(("\n", "\r")), is_assumed=is_assumed)]


def _records(lines: str, delimiter: str) -> Iterator[list[str]]:
    # Lines may end with a carriage return only.
    reader = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for record in reader:
            yield record
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableReport(
            "The CSV file is broken.",
            expected=f"records separated by {delimiter!r}, quotes closed",
            found=f"{error}, in the record that begins in line {begins}",
            fix="open it in a text editor: a quote in that line is left open or has text behind "
            "it, or the download was cut",
        ) from error


def _columns_by(delimiter: str, lines: list[str]) -> int:
    """Return how much of a table a delimiter makes: columns times the lines that agree on them."""
    counts = Counter(line.count(delimiter) for line in lines)
    return max((count * lines_alike for count, lines_alike in counts.items()), default=0)
