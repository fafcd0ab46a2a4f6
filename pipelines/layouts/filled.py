"""Which tables a source's numbers can fill, by which dimensions: what its own schema shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pipelines.layouts.consistency import printed_in
from pipelines.layouts.source import Source
from schemas.dimensions import NAMES
from schemas.measures import PARTS

_FLOWS = {"net_flow", *PARTS}
_OF_SHARES = ({"shares_outstanding", "nav"}, {"shares_outstanding", "market_price"})
_FLOW_MAKERS = (*_OF_SHARES, {"aum", "nav"})
"""Measures of a fund of which a flow can be made, none of them a flow (F1 to F3)."""


def filled(source: Source) -> Mapping[str, tuple[str, ...]]:
    """Return the dimensions by which a source fills `flows`, `aum_change` and `period_flows`.

    What it prints of funds is counted by every dimension, and all that it prints in total. A table
    without a dimension is one that it cannot fill.
    """
    printed = printed_in([table for layout in source.layouts for table in layout.tables])
    of_funds = {measure for measure, _, dimension in printed if dimension == "fund"}
    flows = {
        dimension
        for measure, period, dimension in printed
        if measure in _FLOWS and period in ("day", "week")
    }
    assets = {dimension for measure, _, dimension in printed if measure == "aum"}
    if any(made <= of_funds for made in _FLOW_MAKERS):
        flows.add("fund")
    if any(made <= of_funds for made in _OF_SHARES):
        assets.add("fund")
    by_flow = _counted_by(flows)
    return {"flows": by_flow, "aum_change": _counted_by(assets), "period_flows": by_flow}


def _counted_by(printed: Collection[str]) -> tuple[str, ...]:
    if "fund" in printed:
        return NAMES
    return tuple(name for name in NAMES if name in printed or (name == "total" and printed))
