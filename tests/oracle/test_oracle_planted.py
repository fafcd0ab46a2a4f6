"""Wrong SQL is found: a sign, a join, a rounding, planted one at a time in a copy of the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bridge_world import BridgeWorld
from tests.oracle import seam
from tests.oracle.compare import Expected, compare, expected
from tests.oracle.fund_worlds import fund_worlds

Record = Callable[[str, object], None]
PLANTED = {
    "join": (
        "core/fund_day.sql",
        "and once.trade_date = fx.rate_date",
        "and once.trade_date = fx.rate_date + 1",
    ),
    "rounding": (
        "core/fund_flow.sql",
        "then flow else flow * usd_per_unit_of_flow end, 2",
        "then flow else flow * usd_per_unit_of_flow end - 0.005, 2",
    ),
    "sign": (
        "core/fund_move.sql",
        "+ (aum_local - aum_before_local) * (usd_per_unit - usd_per_unit_of_flow)",
        "- (aum_local - aum_before_local) * (usd_per_unit - usd_per_unit_of_flow)",
    ),
    "part": ("core/fund_week_member.sql", "1 - coalesce(held.weight, 0)", "1"),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[BridgeWorld, Expected]:
    """Read forty worlds, and compute them from the observations of an unspoilt build."""
    world = BridgeWorld(tmp_path_factory.mktemp("planted"))
    seam.fill(world, fund_worlds("planted", 40))
    return world, expected(seam.publish(world), world.reference)


def different(world: BridgeWorld, computed: Expected) -> list[str]:
    """Return the cells on which marts and oracle differ."""
    return [str(each) for each in compare(world.warehouse.database, computed).differences]


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_fault_is_found(
    built: tuple[BridgeWorld, Expected], tmp_path: Path, record_property: Record, kind: str
) -> None:
    world, computed = built
    with seam.planted(tmp_path, *PLANTED[kind]):
        seam.publish(world)
    found = different(world, computed)
    record_property("differences", len(found))
    print(f"{kind}: {len(found)} cells differ, the first:", *found[:3], sep="\n")
    assert found


def test_without_a_planted_fault_nothing_differs(built: tuple[BridgeWorld, Expected]) -> None:
    world, computed = built
    seam.publish(world)
    assert different(world, computed) == []
