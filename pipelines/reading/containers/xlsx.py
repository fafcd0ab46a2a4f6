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
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import lru_cache
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from pipelines.errors import UnreadableReport
from pipelines.layouts.units import clean
from pipelines.reading.grid import BLANK, Cell, Grid

_SECTIONS = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[^;"\\\[])+|(?<=;)(?=;|$)|^(?=;)')
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]')
_DIGITS = re.compile(r"[0#?](?:[0#?,]*[0#?])?(?:\.[0#?]*)?(?P<scale>,*)|\.[0#?]+(?P<scale2>,*)")

_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?[\d.]+)\]")
_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}


def read(content: bytes) -> list[Grid]:
    """Read the visible sheets of a workbook.

    Raises:
        UnreadableReport: a truncated or foreign zip file.
    """
    try:
        values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(content)) if _has_formulas(content) else None
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
        Grid(sheet.title, _rows(sheet, formulas[sheet.title] if formulas else None))
        for sheet in values.worksheets
        if sheet.sheet_state == "visible"
    ]


def _has_formulas(content: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        sheets = (name for name in package.namelist() if name.startswith("xl/worksheets/"))
        return any(re.search(rb"<(?:\w+:)?f[ >/]", package.read(name)) for name in sheets)


def _rows(sheet: Any, formulas: Any | None) -> list[list[Cell]]:
    rows = [[_cell(cell) for cell in row] for row in sheet.iter_rows()]
    for row, column, formula in _uncalculated(sheet, formulas):
        # A formula that no program has calculated has no value: reading it as blank would lose it.
        rows[row][column] = Cell(f"{formula} (never calculated)")
    for area in sheet.merged_cells.ranges:
        top = rows[area.min_row - 1][area.min_col - 1]
        for row, column in area.cells:
            if (row, column) != (area.min_row, area.min_col):
                rows[row - 1][column - 1] = Cell(text=top.text, covered=True)
    return rows


def _uncalculated(sheet: Any, formulas: Any | None) -> list[tuple[int, int, str]]:
    if formulas is None:
        return []
    return [
        (cell.row - 1, cell.column - 1, str(cell.value))
        for row in formulas.iter_rows()
        for cell in row
        if cell.data_type == "f" and _has_no_result(sheet.cell(cell.row, cell.column))
    ]


def _has_no_result(cell: Any) -> bool:
    """Return whether a formula was never calculated; an empty text is a result."""
    return cell.value is None and cell.data_type not in ("s", "str")


def _cell(cell: Any) -> Cell:
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
        # Excel keeps 15 significant digits; the 16th and 17th are noise of the binary form.
        stored = Decimal(f"{value:.15g}") if isinstance(value, float) else Decimal(value)
        text, scale = shown(stored, cell.number_format)
        return Cell(text, stored=stored * scale)
    return Cell(clean(str(value)))


def shown(value: Decimal, number_format: str) -> tuple[str, Decimal]:
    """Render a number by its Excel format.

    Returns:
        The text as printed, and the factor from the stored to the printed scale
        (0.001 a trailing comma, 100 for a percent).
    """
    section, own_sign = _section(number_format or "General", value)
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
    fraction = pattern.partition(".")[2]
    optional = len(fraction) - len(fraction.rstrip("#"))
    percent = "%" in plain
    scale = Decimal(1).scaleb(-3 * scale_commas) * (100 if percent else 1)
    grouped = "," in pattern.partition(".")[0]
    prefix, suffix = fill(plain[: digits.start()]), fill(plain[digits.end() :])
    return prefix, suffix, len(fraction), optional, scale, grouped
