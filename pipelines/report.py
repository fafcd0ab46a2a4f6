"""A report as every room knows it: `reading` uses its name and clocks, `store` its sha256."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """A report as archived: its bytes' identity, its name and its clocks."""

    source: str
    report_id: str
    name: str
    received_at: dt.datetime
    published_at: dt.datetime | None = None
