"""Faults that are known, each a small fixed world: the oracle has the right answer, the SQL not.

An issue that mends a fault turns its xfail over by removing its name from KNOWN_FAULTS in `worlds`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bridge_world import BridgeWorld
from tests.oracle import seam
from tests.oracle.compare import Expected, expected
from tests.oracle.fault_example import Example, Right
from tests.oracle.fault_examples import EXAMPLES
from tests.oracle.observed import select_all
from tests.oracle.worlds import KNOWN_FAULTS

Row = dict[str, Any]


def _id(example: Example) -> str:
    return f"{example.fault}-{example.source}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Expected]:
    """Build all examples at once."""
    world = BridgeWorld(tmp_path_factory.mktemp("faults"))
    for example in EXAMPLES:
        example.fill(world, example.source, **seam.calendar(world, example.sessions))
    database = seam.publish(world)
    return database, expected(database, world.reference)


def _said(rows: list[Row], source: str, right: Right) -> list[Row]:
    """Return what the row says in the columns that matter."""
    wanted = {"source": source, **right.row}
    found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return [{name: row[name] for name in right.says} for row in found]


@pytest.mark.parametrize("example", EXAMPLES, ids=_id)
def test_the_oracle_has_the_right_answer_of(built: tuple[Path, Expected], example: Example) -> None:
    _, computed = built
    for right in example.rights:
        assert _said(computed.tables[right.table], example.source, right) == [right.says]


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(
            each,
            id=_id(each),
            marks=[pytest.mark.xfail(strict=True, raises=AssertionError)]
            if each.fault in KNOWN_FAULTS
            else [],
        )
        for each in EXAMPLES
    ],
)
def test_the_marts_have_the_right_answer_of(built: tuple[Path, Expected], example: Example) -> None:
    database, _ = built
    for right in example.rights:
        rows = select_all(database, right.table)
        assert _said(rows, example.source, right) == [right.says]
