"""The samples and the publishers' own files: every row of the four marts, computed once more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.oracle import seam
from tests.oracle.compare import compare, expected

if TYPE_CHECKING:
    from world import World as Published

Record = Callable[[str, object], None]


def test_marts_of_the_samples_are_those_of_the_oracle(
    tmp_path: Path, record_property: Record
) -> None:
    database = seam.build_samples(tmp_path)
    found = compare(database, expected(database, seam.REFERENCE))
    record_property("compared", found.counted())
    print(found.shown())
    assert not found.differences
    assert all(found.rows.values())


@pytest.mark.real
@pytest.mark.slow
def test_marts_of_real_reports_are_those_of_the_oracle(
    published_real: Published, record_property: Record
) -> None:
    database = published_real.database
    found = compare(database, expected(database, seam.REFERENCE))
    record_property("compared", found.counted())
    print(found.shown(10))
    assert not found.differences
