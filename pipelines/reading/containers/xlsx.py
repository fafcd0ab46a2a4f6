"""Excel workbooks to one grid per sheet, with number formats and merged cells.

The text of a cell is rendered by its number format: only the format knows the printed precision
(F9), and sometimes the scale (`0.0,,` prints millions). What a number means is not decided here.
"""

from __future__ import annotations

import datetime as dt
import io
import operator
import re
import zipfile
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import lru_cache
from typing import Any

import openpyxl
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.utils.exceptions import InvalidFileException

from pipelines.errors import UnreadableReport
from pipelines.layouts.units import clean
from pipelines.reading.containers.reach import check_merged, reach
from pipelines.reading.grid import BLANK, Cell, Grid, column_letters

_SECTIONS = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[^;"\\\[])+|(?<=;)(?=;|$)|^(?=;)')
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]')
_DIGITS = re.compile(r"[0#?](?:[0#?,]*[0#?])?(?:\.[0#?]*)?(?P<scale>,*)|\.[0#?]+(?P<scale2>,*)")

_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_STRIKE = re.compile(rb"<(?:\w+:)?strike[ />]")
_NAMED = 20
"""So many hidden rows and columns are named in an error."""
_MOST_DECIMALS = 30
"""Excel shows no more, and no more are kept."""

_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d*)?)\]", re.ASCII)
_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a look at the package says that its workbook holds: each is slow to read."""

    formulas: bool
    struck_texts: bool
    struck_fonts: bool

    @classmethod
    def of(cls, content: bytes) -> _Parts:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = package.namelist()
            sheets = {
                name: package.read(name) for name in names if name.startswith("xl/worksheets/")
            }
            shared = [package.read(name) for name in names if name == "xl/sharedStrings.xml"]
            for name, sheet in sheets.items():
                check_merged(name, sheet)
            return cls(
                any(_FORMULA.search(sheet) for sheet in sheets.values()),
                any(_STRIKE.search(part) for part in (*sheets.values(), *shared)),
                any(
                    _STRIKE.search(package.read(name))
                    for name in package.namelist()
                    if name == "xl/styles.xml"
                ),
            )


def read(content: bytes) -> list[Grid]:
    """Read the visible sheets of a workbook; hidden rows and columns are blank.

    Raises:
        UnreadableReport: a truncated or foreign zip file, or a sheet without an end.
    """
    try:
        parts = _Parts.of(content)
        file = io.BytesIO(content)
        values = openpyxl.load_workbook(file, data_only=True, rich_text=parts.struck_texts)
        formulas = openpyxl.load_workbook(io.BytesIO(content)) if parts.formulas else None
    except UnreadableReport:
        raise
    except (KeyError, InvalidFileException, OSError) as error:
        raise UnreadableReport(
            "The file is a zip archive, but not an Excel workbook.",
            expected="an .xlsx file with a workbook and its sheets",
            found=str(error).strip("\"'"),
            fix="open it by hand; save it as .xlsx and add it again",
        ) from error
    except Exception as error:  # a damaged package fails anywhere in its parser
        cut = isinstance(error, zipfile.BadZipFile | EOFError)
        raise UnreadableReport(
            f"The workbook is {'truncated' if cut else 'damaged'}.",
            expected="a whole .xlsx file",
            found=f"{len(content)} bytes that do not open ({error})",
            fix="copy the file again: the download or upload stopped early or was changed",
        ) from error
    return [
        _grid(sheet, formulas[sheet.title] if formulas else None, struck=parts.struck_fonts)
        for sheet in values.worksheets
        if sheet.sheet_state == "visible"
    ]


def _grid(sheet: Any, formulas: Any | None, *, struck: bool) -> Grid:
    last_row, last_column = reach(sheet, formulas)
    printed = sheet.iter_rows(max_row=last_row, max_col=last_column) if last_row else ()
    rows = [[_cell(cell, struck=struck) for cell in row] for row in printed]
    for row, column, formula in _uncalculated(sheet, formulas):
        # A formula that no program has calculated has no value: reading it as blank would lose it.
        rows[row][column] = Cell(f"{formula} (never calculated)")
    for area in sheet.merged_cells.ranges:
        top = rows[area.min_row - 1][area.min_col - 1]
        for row, column in area.cells:
            if (row, column) != (area.min_row, area.min_col):
                rows[row - 1][column - 1] = Cell(text=top.text, covered=True)
    hidden_rows, hidden_columns = _hidden(sheet)
    for index in hidden_rows:
        rows[index : index + 1] = [[BLANK] * len(row) for row in rows[index : index + 1]]
    for cells in rows if hidden_columns else []:
        for column in hidden_columns:
            cells[column : column + 1] = [BLANK] * len(cells[column : column + 1])
    names = [f"row {row + 1}" for row in hidden_rows if row < len(rows)]
    names += [f"column {column_letters(column)}" for column in hidden_columns]
    return Grid(sheet.title, rows, hidden=", ".join(names[:_NAMED]))


def _hidden(sheet: Any) -> tuple[list[int], list[int]]:
    """Return the hidden rows and columns of a sheet; a height or width of 0 hides, too."""
    rows = [
        row - 1 for row, each in sheet.row_dimensions.items() if each.hidden or each.height == 0
    ]
    columns = {
        column - 1
        for each in sheet.column_dimensions.values()
        if each.hidden or each.width == 0
        for column in range(each.min, min(each.max, sheet.max_column) + 1)
    }
    return sorted(rows), sorted(columns)


def _uncalculated(sheet: Any, formulas: Any | None) -> list[tuple[int, int, str]]:
    if formulas is None:
        return []
    return [
        (cell.row - 1, cell.column - 1, _formula(cell.value))
        for row in formulas.iter_rows()
        for cell in row
        if cell.data_type == "f" and _has_no_result(sheet.cell(cell.row, cell.column))
    ]


def _formula(value: Any) -> str:
    """Return the text of a formula: of one cell, of an array, or the area of a data table."""
    return value if isinstance(value, str) else str(getattr(value, "text", None) or value.ref)


def _has_no_result(cell: Any) -> bool:
    """Return whether a formula was never calculated; an empty text is a result."""
    return cell.value is None and cell.data_type not in ("s", "str")


def _cell(cell: Any, *, struck: bool) -> Cell:
    """Return a cell as it is seen; one that is struck out says so, and holds no number (E95)."""
    shown_cell = _typed(cell)
    if struck and shown_cell is not BLANK and cell.font.strike:
        return Cell(f"{shown_cell.text} (struck out)")
    return shown_cell


def _typed(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return BLANK
    if isinstance(value, bool):
        return Cell(str(value).upper())
    if isinstance(value, dt.datetime):
        return Cell(f"{value:%Y-%m-%d}", date=value.date())
    if isinstance(value, dt.date):
        return Cell(f"{value:%Y-%m-%d}", date=value)
    if isinstance(value, int | float):
        return _number(value, cell.number_format)
    return Cell(_unstruck(value) if isinstance(value, CellRichText) else clean(str(value)))


def _number(value: float, number_format: str) -> Cell:
    # Excel keeps 15 significant digits; the 16th and 17th are noise of the binary form.
    stored = Decimal(f"{value:.15g}") if isinstance(value, float) else Decimal(value)
    if not stored.is_finite():
        return Cell(f"{value} (no finite number)")
    text, scale = shown(stored, number_format)
    return Cell(text, stored=stored * scale)


def _unstruck(text: CellRichText) -> str:
    """Return what of a text is not struck out; what stands around that is kept apart."""
    kept = [
        "\n" if isinstance(part, TextBlock) and part.font.strike else str(part) for part in text
    ]
    lines = [line for line in map(clean, "".join(kept).split("\n")) if line]
    return " / ".join(lines) or ("(struck out)" if str(text).strip() else "")


def shown(value: Decimal, number_format: str) -> tuple[str, Decimal]:
    """Render a number by its Excel format.

    Returns:
        The text as printed, and the factor from the stored to the printed scale
        (0.001 a trailing comma, 100 for a percent).
    """
    section, own_sign = _section(number_format or "General", value)
    if value and not section.strip():
        return f"{value:f} (hidden by its format)", Decimal(1)
    parsed = _parse_section(section)
    if parsed is None:
        return f"{value:f}", Decimal(1)
    prefix, suffix, decimals, optional, scale, grouped = parsed
    with localcontext(Context(prec=400)):
        number = (value * scale).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    digits = f"{abs(number):{',' if grouped else ''}f}"
    for _ in range(optional):
        digits = digits.removesuffix("0")
    sign = "-" if value < 0 and not own_sign and number else ""
    return clean(f"{sign}{prefix}{digits.removesuffix('.')}{suffix}"), scale


@lru_cache(maxsize=512)
def _sections(number_format: str) -> tuple[str, ...]:
    return tuple(_SECTIONS.findall(number_format)) or ("General",)


def _section(number_format: str, value: Decimal) -> tuple[str, bool]:
    """Return the section that applies to the value, and whether it prints its own sign."""
    sections = _sections(number_format)
    if any(_CONDITION.search(section) for section in sections):
        return _conditional(sections, value), False
    if value < 0 and len(sections) > 1:
        return sections[1], True
    if value == 0 and len(sections) > 2 and re.search("[0#]", sections[2]):  # noqa: PLR2004
        return sections[2], True
    # An accounting format prints a stored zero as a dash. A dash is "not reported" everywhere
    # else (E07), so a zero that the workbook really holds is shown by its positive section.
    return sections[0], False


def _conditional(sections: tuple[str, ...], value: Decimal) -> str:
    """Return the first section whose condition holds, such as `[>=1000]`, else the last one."""
    for section in sections:
        condition = _CONDITION.search(section)
        if condition is None or _COMPARE[condition[1]](value, Decimal(condition[2])):
            return section
    return sections[-1]


@lru_cache(maxsize=512)
def _parse_section(section: str) -> tuple[str, str, int, int, Decimal, bool] | None:
    """Split a section into prefix, suffix, decimals, optional decimals, scale and grouping.

    Returns None for formats that print no plain number (General, text, fractions, exponents).
    """
    literals: list[str] = []

    def keep(match: re.Match[str]) -> str:
        literals.append(match[1] or match[2] or match[3] or "")
        return "\x00"

    plain = _LITERAL.sub(keep, section)
    if re.search(r"general|@|E[+-]|[0#?]\s*/", plain, re.IGNORECASE):
        return None
    digits = _DIGITS.search(plain)
    filled = iter(literals)

    def fill(text: str) -> str:
        return re.sub("\x00", lambda _: next(filled), text)

    if digits is None:
        return None
    scale_commas = len(digits["scale"] or digits["scale2"] or "")
    pattern = digits[0].rstrip(",")
    fraction = pattern.partition(".")[2][:_MOST_DECIMALS]
    optional = len(fraction) - len(fraction.rstrip("#"))
    percent = "%" in plain
    scale = Decimal(1).scaleb(-3 * scale_commas) * (100 if percent else 1)
    grouped = "," in pattern.partition(".")[0]
    prefix, suffix = fill(plain[: digits.start()]), fill(plain[digits.end() :])
    return prefix, suffix, len(fraction), optional, scale, grouped
