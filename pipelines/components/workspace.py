"""The workspace of a run: warehouse, clock, progress, and the plan of each source.

A Dagster resource. The root and the clock are looked up here and passed on as values: nothing below
the components looks them up itself. A run reads the state of a source from the disk once; whatever
follows in the same run gets the next plan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import dagster as dg

from pipelines.ingest.ingest import Unusable, ingest
from pipelines.ingest.plan import Outdated, Plan, plan
from pipelines.ingest.read import read_unread, without
from pipelines.ingest.results import WeekResult
from pipelines.ingest.sources import sources
from pipelines.layouts.source import Source
from pipelines.store import marker
from pipelines.store.paths import Warehouse

KEY = "workspace"
"""The resource key that assets, sensors and schedules require."""


def utc_now() -> dt.datetime:
    """Return the time."""
    return dt.datetime.now(dt.UTC)


@dataclass
class Workspace:
    """The warehouse of one run, with the plans that it has made so far.

    `allow_loss` names the sources of which numbers may vanish without a cause on record.
    """

    warehouse: Warehouse
    now: Callable[[], dt.datetime] = utc_now
    on_week: Callable[[WeekResult], None] = lambda _: None
    plans: dict[str, Plan] = field(default_factory=dict)
    allow_loss: frozenset[str] = frozenset()

    def plan(self, source: Source) -> Plan:
        """Return the state of a source as this run knows it; the disk is read at most once."""
        if source.name not in self.plans:
            allows = source.name in self.allow_loss
            self.keep(plan(self.warehouse, source, allows_loss=allows))
        return self.plans[source.name]

    def plan_all(self) -> list[Plan]:
        """Return the state of every declared source."""
        return [self.plan(source) for source in sources().values()]

    def read_new(self, source: Source, more: Callable[[], bool] = lambda: True) -> Plan:
        """Read new reports while `more` allows it, and return the next plan."""
        return self.keep(read_unread(self.warehouse, self.plan(source), more))

    def ingest(
        self,
        source: Source,
        weeks: Collection[dt.date],
        on_week: Callable[[WeekResult], None],
    ) -> tuple[list[WeekResult], Plan]:
        """Write weeks of a source; if another process has archived reports since, plan again.

        Reports that turn out to be unusable are left out: the others go on.
        """
        while True:
            known = self.read_new(source)
            try:
                results, known = ingest(self.warehouse, known, weeks, on_week=on_week)
            except Outdated:
                del self.plans[source.name]
                continue
            except Unusable as unusable:
                self.keep(without(self.warehouse, known, unusable.errors))
                continue
            return results, self.keep(known)

    def keep(self, known: Plan) -> Plan:
        """Keep the next plan of a source for what follows in this run."""
        self.plans[known.source.name] = known
        return known


@dg.resource(description="The warehouse, the clock, and the plans of a run.")
def workspace_resource(_: dg.InitResourceContext) -> Workspace:
    """Return the workspace of a run that Dagster starts.

    Raises:
        NoWarehouse, NewerWarehouse: there is none that this version may use.
    """
    warehouse = Warehouse.default()
    marker.bring_up(warehouse)
    return Workspace(warehouse)
