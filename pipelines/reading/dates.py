"""Printed dates: by the formats that a layout declares, and with the year that is not printed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from pipelines.reading.grid import Cell

_ISO = "%Y-%m-%d"
_YEARS = range(1900, 2200)
_YEAR = re.compile(r"[\s,./-]*%[Yy][\s,./-]*")


def parse_date(cell: Cell, formats: Sequence[str], *, own: dt.date | None = None) -> dt.date | None:
    """Return the date of a cell: a typed date, or a text in one of the declared formats.

    A day of another century than funds have existed in is none: weeks end at the calendar's end.

    Args:
        cell: the cell.
        formats: the strptime formats that the layout declares; ISO is always one.
        own: the report's own date. A day without a year is the last such day up to it.
    """
    day = cell.date or _day_of(cell, formats, own)
    return day if day is not None and day.year in _YEARS else None


def _day_of(cell: Cell, formats: Sequence[str], own: dt.date | None) -> dt.date | None:
    if cell.covered and not cell.text:
        return None
    for form in (*formats, _ISO):
        day = _day(cell.text, form) if _YEAR.search(form) else _last_day(cell.text, form, own)
        if day is not None:
            return day
    return None


def lacks_year(text: str, formats: Sequence[str]) -> bool:
    """Return whether a text is a date in one of the formats, but for its year."""
    any_year = dt.date(2000, 12, 31)
    return any(_last_day(text, _YEAR.sub("", form), any_year) for form in formats)


def _day(text: str, form: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, form).date()  # noqa: DTZ007 (a date)
    except ValueError:
        return None


def _last_day(text: str, form: str, own: dt.date | None) -> dt.date | None:
    if own is None:
        return None
    days = (_day(f"{text} {year}", f"{form} %Y") for year in range(own.year, own.year - 5, -1))
    return next((day for day in days if day is not None and day <= own), None)
