"""What people decided about reports, beside the archive: who, when, what and why; only added to."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

from pipelines.errors import FundflowsError, Where
from pipelines.store.files import one_at_a_time
from pipelines.store.paths import Warehouse
from pipelines.store.users import user

_ACCEPT = "accept"


def accept(
    warehouse: Warehouse, source: str, report_id: str, because: str, at: dt.datetime
) -> None:
    """Record that a report on hold is let through."""
    line = {
        "at": at.isoformat(),
        "by": user(),
        "what": _ACCEPT,
        "source": source,
        "report_id": report_id,
        "because": because,
    }
    file = warehouse.decisions
    with one_at_a_time(file), file.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(line, ensure_ascii=False) + "\n")
        opened.flush()
        os.fsync(opened.fileno())


def accepted(warehouse: Warehouse, source: str) -> frozenset[str]:
    """Return the reports of a source that were let through, by id.

    Raises:
        FundflowsError: a line of the record cannot be read.
    """
    file = warehouse.decisions
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return frozenset()
    decided = [_line(file, number, line) for number, line in enumerate(lines, 1)]
    return frozenset(
        report_id for what, of, report_id in decided if (what, of) == (_ACCEPT, source)
    )


def _line(file: Path, number: int, line: str) -> tuple[str, str, str]:
    try:
        found = json.loads(line)
        return found["what"], found["source"], found["report_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise FundflowsError(
            "The record of decisions cannot be read.",
            where=Where(file=f"{file}:{number}"),
            expected="a line of JSON with what, source and report_id",
            found=f"{type(error).__name__}: {error}",
            fix="restore the file from a backup; it is only added to",
        ) from error
