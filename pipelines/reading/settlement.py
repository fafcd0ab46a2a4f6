"""Positions dated at settlement: the shares of a row are those of the session before (F18)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

from pipelines.layouts.language import Table
from pipelines.reading.rows import Row

_DATED_LATE = ("shares_outstanding",)


def dated_at_trade(table: Table, rows: Sequence[Row]) -> dict[int, dt.date] | None:
    """Return the session of the trades that each row's shares include, by the row's index.

    That is the day before on which the table has a row of the same member; the first one has none.
    None, if the shares are of the day of their row.
    """
    if table.positions_dated == "trade":
        return None
    days = sorted((row.label or "", row.date, row.index) for row in rows if row.date)
    return {
        index: before
        for (label, before, _), (same, day, index) in pairwise(days)
        if label == same and before < day
    }


def at_trade(row: Row, measure: str, sessions: dict[int, dt.date] | None) -> Row | None:
    """Return the row with the session that a number of it is about; None if that is not known."""
    if sessions is None or measure not in _DATED_LATE or row.rule is not None:
        return row
    return row.dated(sessions[row.index]) if row.index in sessions else None
