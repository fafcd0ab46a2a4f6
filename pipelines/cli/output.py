"""What the command prints: archived reports, errors, a layout's view, the week's AUM change."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.checking.check import Checked
from pipelines.errors import FundflowsError
from pipelines.ingest.known import KnownReport
from pipelines.layouts.columns import Across, IgnoredColumn, KeyColumn, NumberColumn
from pipelines.reading import containers
from pipelines.reading.found import Found, Mapped
from pipelines.reading.grid import column_letters
from pipelines.reading.reader import Inspection
from pipelines.store.archive import Archived

if TYPE_CHECKING:  # DuckDB takes its time, and most commands do without it
    from pipelines.database.labels import Unmapped

out = Console(highlight=False)
if not out.is_terminal:  # a log or a pipe has no width of its own
    out = Console(highlight=False, width=120)
err = Console(stderr=True, highlight=False, soft_wrap=True)
_MEMBERS_SHOWN = 12
_LINES_SHOWN = 8
FEW_LABELS = 8
"""So many unmapped labels of a source are printed with a line each."""
_BRIDGE = ("aum_open_usd", "net_flow_usd", "market_effect_usd", "other_effect_usd", "aum_close_usd")


def error(problem: FundflowsError) -> None:
    """Print an error, its first line highlighted."""
    first, _, rest = str(problem).partition("\n")
    err.print(f"[bold red]{escape(first)}[/]")
    if rest:
        err.print(escape(rest))


def problem_text(text: str) -> None:
    """Print an error that was stored as text."""
    first, _, rest = text.partition("\n")
    err.print(f"[bold red]{escape(first)}[/]\n{escape(rest)}")


def warning(text: str) -> None:
    """Print a warning."""
    err.print(f"[yellow]{escape(text)}[/]")


def note(text: str) -> None:
    """Print a plain line."""
    out.print(escape(text), soft_wrap=True)


def archived(source: str, report: Archived, covered: KnownReport) -> None:
    """Print what was done with an added file."""
    state = "archived" if report.is_new else "already archived, same bytes: nothing to do"
    name = f"{source}: {report.report.name}"
    if covered.error:
        what = "is on hold" if covered.is_on_hold else "cannot be used"
        err.print(f"{escape(name)} {state}, but it {what}")
        problem_text(covered.error)
        return
    span = f"{covered.weeks} week{'s' * (covered.weeks != 1)}"
    ends = f"{covered.first_week}..{covered.last_week}" if covered.weeks else ""
    out.print(f"{escape(name)} {state} ({covered.layout}: {span} {ends})")


def belongs_to(sources: Sequence[str]) -> None:
    """Print whose report this seems to be."""
    if sources:
        warning(f"  It reads as a report of {' or '.join(sources)}: was it meant for that source?")


# -- layout --------------------------------------------------------------------------------------


def grids_of(content: bytes) -> None:
    """Print the sheets of a file that no layout reads, as far as they can be read at all."""
    try:
        found = containers.read(content, containers.container_of(content))
    except FundflowsError:
        return
    for grid in found:
        table = Table(title=f"sheet {escape(grid.name)}, first rows", title_justify="left")
        width = min(10, max((len(row) for row in grid.rows[:8]), default=0))
        for column in range(width):
            table.add_column(column_letters(column), overflow="ellipsis", max_width=16)
        for row in grid.rows[:8]:
            cells = [escape(cell.text) for cell in row[:width]]
            table.add_row(*cells, *[""] * (width - len(cells)))
        out.print(table)


def inspection(seen: Inspection, checked: Checked, unmapped: Sequence[Unmapped]) -> None:
    """Print what a layout finds in a report: facts, tables, columns, sums, refusals, labels."""
    read = seen.reading
    out.print(
        f"[bold]{escape(read.report.name)}[/] is read by layout [bold]{read.layout.name}[/]: "
        f"{read.observations.height:,} numbers, {read.refused.height} refused"
    )
    for name, text in seen.facts.items():
        out.print(f"  {name}: {escape(text)}")
    for found in seen.tables:
        _table(found, read.observations)
    unread = [name for name in seen.sheets if name not in {each.grid.name for each in seen.tables}]
    if unread:
        out.print(f"\n[bold]not read[/]: sheet {escape(', '.join(unread))}: no table asks for it")
    _sums(checked)
    _refused(checked.refused)
    if unmapped:
        warning(f"labels that mean no member, {len(unmapped)}; the lines to add:")
    for (_, file), labels in by_file(unmapped).items():
        are_few = len(labels) <= FEW_LABELS
        if not are_few:
            note(f"  to {file}:")
        for each in labels:
            note(f"  {each}" if are_few else each.row)


def by_file(labels: Iterable[Unmapped]) -> dict[tuple[str, str], list[Unmapped]]:
    """Return labels by their source and the file to which their rows belong."""
    found: dict[tuple[str, str], list[Unmapped]] = {}
    for each in labels:
        found.setdefault((each.source, each.file), []).append(each)
    return found


def _table(found: Found, observations: pl.DataFrame) -> None:
    rows = observations.filter(
        (pl.col("printed_table") == found.table.name) & (pl.col("sheet") == found.grid.name)
    )
    days = rows.get_column("period_end")
    out.print(
        f"\n[bold]table {found.table.name}[/] on sheet {escape(found.grid.name)}, header in row "
        f"{found.header_row + 1}: {rows.height:,} numbers, {days.min()!s}..{days.max()!s}"
    )
    table = Table(box=None, padding=(0, 2, 0, 2))
    for header in ("column", "header", "means", "example"):
        table.add_column(header, overflow="fold")
    for mapped in found.columns:
        example = next(
            (
                text
                for row in range(found.first_row, len(found.grid.rows))
                if (text := found.grid.cell(row, mapped.column).text)
            ),
            "",
        )
        table.add_row(
            column_letters(mapped.column),
            escape(" / ".join(mapped.header)),
            escape(_meaning(mapped)),
            escape(example[:24]),
        )
    out.print(table)


def _meaning(mapped: Mapped) -> str:
    means = mapped.means
    match means:
        case KeyColumn():
            return f"the row's {means.key}"
        case IgnoredColumn():
            return f"not read: {means.ignore}"
        case Across():
            return f"{means.dimension} {mapped.label}: {means.measure}, {means.unit}"
        case NumberColumn():
            whose = f"{means.dimension} " if means.dimension else ""
            return f"{whose}{means.measure}, {means.unit}, {means.period}"


def _sums(checked: Checked) -> None:
    sums = checked.outcomes.filter(
        pl.col("verdict").is_in(["exact", "rounding", "unexplained", "unknown"])
    )
    if sums.is_empty():
        return
    counted = dict(sums.group_by("verdict").len().sort("verdict").iter_rows())
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
    out.print(f"\n[bold]what must add up[/]: {verdicts}")
    for row in sums.filter(pl.col("verdict") == "unexplained").head(_LINES_SHOWN).to_dicts():
        colour = "red" if row["blocking"] else "yellow"
        out.print(
            f"  [{colour}]{escape(row['line'])}: expected {row['expected']:,.2f}, found "
            f"{row['found']:,.2f}, residual {row['residual']:,.2f} beyond "
            f"{row['hard_bound']:,.2f} ({escape(row['sample'] or '')})[/]"
        )


def _refused(rows: pl.DataFrame) -> None:
    if rows.is_empty():
        return
    out.print(f"\n[bold]refused[/]: {rows.height}")
    for row in rows.head(_LINES_SHOWN).to_dicts():
        out.print(
            f"  [red]{escape(row['sheet'])}!{row['cell']}[/] {escape(row['printed'])!r}: "
            f"{escape(row['reason'])}"
        )


# -- the latest week -----------------------------------------------------------------------------


def aum_change(title: str, rows: Iterable[dict[str, object]]) -> None:
    """Print the AUM change of the latest week of every source, for one dimension."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("", min_width=36, no_wrap=True)
    for header in ("AUM open", "net flow", "market", "other", "AUM close", "change %"):
        table.add_column(header, justify="right", no_wrap=True, min_width=9)
    table.add_column("", no_wrap=True, style="dim")
    for (source, week), members in itertools.groupby(
        rows, key=lambda row: (row["source"], row["week_ending"])
    ):
        table.add_row(f"[bold]{source!s}[/], week ending {week}")
        listed = list(members)
        for row in listed[:_MEMBERS_SHOWN]:
            table.add_row(
                f"  {escape(str(row['member_name']))}",
                *(_millions(row[name]) for name in _BRIDGE),
                _percent(row["aum_change_pct"]),
                "" if row["status"] == "final" else str(row["status"]),
            )
        if len(listed) > _MEMBERS_SHOWN:
            table.add_row(f"  [dim]and {len(listed) - _MEMBERS_SHOWN} more in the database[/]")
    out.print(table)
    out.print()


def _millions(amount: object) -> str:
    if not isinstance(amount, Decimal):
        return "[dim]-[/]"
    text = f"{amount / 1_000_000:,.1f}"
    return f"[red]{text}[/]" if amount < 0 else text


def _percent(share: object) -> str:
    if not isinstance(share, Decimal):
        return "[dim]-[/]"
    return f"[red]{share:.1f}[/]" if share < 0 else f"{share:.1f}"


def span_of(weeks: Sequence[dt.date]) -> str:
    """Return weeks in short: one, or how many and first..last."""
    if len(weeks) == 1:
        return str(weeks[0])
    return f"{len(weeks)} weeks {weeks[0]}..{weeks[-1]}"
