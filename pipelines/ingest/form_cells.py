"""Cells of a form as what they are, and a workbook's bytes without the time of writing."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from decimal import Decimal
from typing import Any

import openpyxl
from openpyxl.styles import Font
from openpyxl.xml.functions import tostring

_EXACT_DIGITS = 15  # what a number of a workbook can hold; a longer one is written as text
_WRITTEN_AT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_ZIPPED_AT = (2000, 1, 1, 0, 0, 0)
DATE = "yyyy-mm-dd"


def put_text(cell: Any, text: str, font: Font | None = None) -> None:
    """Write a text as a text, also one that begins like a formula."""
    cell.value = text
    cell.data_type = "s"
    if font is not None:
        cell.font = font


def put_value(cell: Any, value: object) -> None:
    """Write a value as what it is: a number with the digits it has, a date, else a text."""
    if value is None or value == "":
        return
    if isinstance(value, dt.date):
        cell.value, cell.number_format = value, DATE
        return
    if not isinstance(value, int | float | Decimal):
        put_text(cell, str(value))
        return
    number = Decimal(str(value))
    digits, places = number.as_tuple().digits, max(0, -int(number.as_tuple().exponent))
    if len(digits) > _EXACT_DIGITS:
        put_text(cell, f"{number:f}")
        return
    cell.value = number
    cell.number_format = "#,##0" + ("." + "0" * places if places else "")


def same_bytes(book: openpyxl.Workbook) -> bytes:
    """Return the workbook's bytes without the time of writing.

    Stored, not deflated: builds of zlib compress to different bytes.
    """
    book.properties.created = _WRITTEN_AT
    written, package = io.BytesIO(), io.BytesIO()
    book.save(written)
    book.properties.modified = _WRITTEN_AT  # saving sets the clock's time
    with zipfile.ZipFile(written) as parts, zipfile.ZipFile(package, "w") as out:
        for name in parts.namelist():
            is_core = name == "docProps/core.xml"
            content = tostring(book.properties.to_tree()) if is_core else parts.read(name)
            entry = zipfile.ZipInfo(name, _ZIPPED_AT)
            entry.create_system = 0
            out.writestr(entry, content)
    return package.getvalue()
