"""A table that was found in a grid: the place of its header, and what its columns mean.

Also the error for columns that are new, renamed or gone, with the lines to add.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pipelines.errors import ShapeError, Where
from pipelines.layouts.columns import Across, IgnoredColumn, KeyColumn, NumberColumn
from pipelines.layouts.currencies import parse_currency
from pipelines.layouts.language import Table
from pipelines.layouts.units import Unit, split_header
from pipelines.reading.grid import Grid
from pipelines.reading.numbers import PLAIN, Style

_PERIODS = ("week", "mtd", "qtd", "ytd", "day")
"""Of a new column, the first one that the table does not have is proposed."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """One column of a found table: its place, its printed header and what it means."""

    column: int
    header: tuple[str, ...]
    means: KeyColumn | NumberColumn | IgnoredColumn | Across
    label: str | None = None
    unit: Unit | None = None
    style: Style = PLAIN

    @property
    def typed(self) -> Style:
        """How its typed numbers are printed: by their format, always in one way."""
        return replace(self.style, decimal=".", is_sure=True, blanks=True)

    @property
    def sublabel(self) -> str | None:
        """A second header text of a melted column: the issuer above the ticker."""
        others = [text for text in self.header if text != self.label and not text.endswith("%")]
        return others[0] if others else None


@dataclass(frozen=True, slots=True)
class Found:
    """A table in its grid: the rows of the header, the first row below, what each column means.

    `below` is the first row that is not the table's any more; `repeated` are rows in it that print
    the same header once more. A part of a table under another header is `continued`.
    """

    table: Table
    grid: Grid
    header_row: int
    first_row: int
    columns: list[Mapped] = field(default_factory=list)
    below: int = 0
    repeated: frozenset[int] = frozenset()
    continued: bool = False

    def rows(self) -> Iterator[int]:
        """Yield the rows of the table that hold any text, without repeated headers."""
        for index in range(self.first_row, self.below):
            is_own = index not in self.repeated and self.has_row(index)
            if is_own and any(cell.text for cell in self.grid.rows[index]):
                yield index

    def keyed(self, key: str) -> int | None:
        """Return the position of the date, label or sublabel column."""
        for mapped in self.columns:
            if isinstance(mapped.means, KeyColumn) and mapped.means.key == key:
                return mapped.column
        return None

    def has_row(self, index: int) -> bool:
        """Return whether a row is one of the table's, of several breakdowns in one grid (E117)."""
        return all(
            any(
                mapped.means is self.table.columns[header]
                and self.grid.cell(index, mapped.column).text.casefold() in map(str.casefold, texts)
                for mapped in self.columns
            )
            for header, texts in self.table.where.items()
        )


def same(text: str) -> str:
    """Return a header text as it is compared: without its unit, without case."""
    return split_header(text)[0].casefold()


def header_texts(grid: Grid, first: int, last: int) -> list[tuple[str, ...]]:
    """Return the header texts of each column in a band of rows, top down, without repeats."""
    width = max((len(grid.rows[row]) for row in range(first, last)), default=0)
    return [
        tuple(
            dict.fromkeys(
                text for row in range(first, last) if (text := grid.cell(row, column).text)
            )
        )
        for column in range(width)
    ]


def column_error(
    found: Found, unknown: list[tuple[int, tuple[str, ...]]], missing: list[str]
) -> ShapeError:
    """Compose expected | found | lines to add for columns that are new, renamed or gone."""
    table, grid = found.table, found.grid
    names = [split_header(texts[0])[0] for _, texts in unknown]
    place = next((column for column, _ in unknown), 0)
    lines = [f"in the source's defs.yaml, table {table.name}, under `columns:`"]
    for name, (column, texts) in zip(names, unknown, strict=True):
        if _names_currencies(found, column):
            lines.append(f'  "{name}": {{key: currency}}   # of numbers in it: `unit: currency m`')
            continue
        renamed = difflib.get_close_matches(name, missing, n=1, cutoff=0.5)
        if renamed:
            lines.append(f'  {renamed[0]}: {{..., also: ["{name}"]}}   # if it was renamed')
        lines.append(f'  "{name}": {{ignore: "why it is not read"}}   # or, if it is a measure:')
        lines.append(f'  "{name}": {{{_measure_hint(table, texts)}}}')
    if missing and not unknown:
        lines.append(f"  {missing[0]}: {{..., optional: true}}   # if it may be absent")
    what = " and ".join(
        f"{len(columns)} {how} column{'s' * (len(columns) > 1)}"
        for how, columns in (("unknown", unknown), ("missing", missing))
        if columns
    )
    like = [f"any header like {table.across.label}"] if table.across else []
    expected = " | ".join([*table.columns, *like])
    return ShapeError(
        f"Table {table.name} has {what}: "
        + ", ".join(f"{name!r}" for name in [*names, *missing])
        + ".",
        where=Where(sheet=grid.name, cell=grid.address(found.first_row - 1, place)),
        expected=expected,
        found=" | ".join(
            " ".join(texts)
            for texts in header_texts(grid, found.header_row, found.first_row)
            if texts
        )
        + grid.remark,
        fix="\n".join(lines),
    )


def _names_currencies(found: Found, column: int) -> bool:
    """Return whether every row of a column names a currency (E99)."""
    texts = {found.grid.cell(row, column).text for row in found.rows()} - {""}
    return bool(texts) and all(parse_currency(text) for text in texts)


def _measure_hint(table: Table, texts: tuple[str, ...]) -> str:
    printed = next((text for text in texts if split_header(text)[1] is not None), "")
    unit = re.search(r"[(\[]([^()\[\]]+)[)\]]", printed)
    flows = [each for each in (table.across, *table.numbers.values()) if each]
    like = next((each for each in flows if each.measure == "net_flow"), flows[0])
    own = [each for each in table.numbers.values() if each.dimension is None]
    taken = {each.period for each in own if each.measure == "net_flow"}
    usual = like.period if like.measure == "net_flow" else "week"
    period = next((each for each in (usual, *_PERIODS) if each not in taken), usual)
    return (
        f"measure: net_flow, unit: {unit[1] if unit else like.unit}, period: {period}, "
        "optional: true"
    )
