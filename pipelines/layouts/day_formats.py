"""The formats of printed days: one that prints a month only would make it the month's first day."""

from __future__ import annotations

import datetime as dt
import re

_DAY = dt.date(2001, 12, 31)


def of_days(formats: tuple[str, ...]) -> tuple[str, ...]:
    """Return strptime formats, with a year or without, of which each prints a day (E119).

    Raises:
        ValueError: which of them does not.
    """
    for form in formats:
        if not _is_of_a_day(form):
            raise ValueError(
                f"{form!r} is no strptime format of a day, such as %d %b %Y; a month is no day"
            )
    return formats


def _is_of_a_day(form: str) -> bool:
    dated = form if re.search("%[Yy]", form) else f"{form} %Y"
    try:
        return dt.datetime.strptime(f"{_DAY:{dated}}", dated).date() == _DAY  # noqa: DTZ007 (a date)
    except (ValueError, re.error):
        return False
