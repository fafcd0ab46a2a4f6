"""`fundflows accept`: what a person decides about a report."""

from __future__ import annotations

import datetime as dt

from pipelines.cli import output
from pipelines.errors import FundflowsError
from pipelines.ingest.plan import plan
from pipelines.ingest.read import read_unread
from pipelines.ingest.sources import sources
from pipelines.store import decisions
from pipelines.store.paths import Warehouse


def let_through(warehouse: Warehouse, report: str, because: str) -> None:
    """Record that a report on hold, or one with rows on hold, is let through.

    Args:
        warehouse: where it is archived.
        report: its name, or the beginning of its id.
        because: why.

    Raises:
        FundflowsError: no such report is meant, or several.
    """
    plans = [read_unread(warehouse, plan(warehouse, source)) for source in sources().values()]
    held = [
        each
        for known in plans
        for each in known.reports
        if each.is_on_hold or each.has_rows_on_hold
    ]
    wanted = [each for each in held if report == each.name or each.report_id.startswith(report)]
    if len(wanted) != 1:
        raise FundflowsError(
            f"{'Several reports' if wanted else 'No report'} on hold by that name or id.",
            expected=", ".join(f"{each.name} ({each.report_id[:12]})" for each in wanted or held)
            or "a report on hold; there is none",
            found=report,
            fix="name one of these by the beginning of its id",
        )
    of = wanted[0].archived.report
    decisions.accept(warehouse, of.source, of.report_id, because, dt.datetime.now(dt.UTC))
    output.note(f"{of.source}: {of.name} accepted; `fundflows run` publishes it")
