"""The samples and the publishers' own files: every row of the four marts, computed once more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.oracle import seam
from tests.oracle.book import books, reported_sessions
from tests.oracle.compare import compare, expected
from tests.oracle.observed import observations, sources
from tests.oracle.reference import Reference

if TYPE_CHECKING:
    from world import World as Published

HOLIDAYS = {dt.date(2018, 3, 30), dt.date(2019, 4, 19), dt.date(2020, 4, 10), dt.date(2020, 7, 3)}
"""New York was closed; the export has a row of some funds (E79). On other holidays it has none."""
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


def sessions_of_new_york(database: Path, source: str) -> dict[dt.date, dt.date]:
    """Return the days on which a source reports, without those on which New York was closed."""
    said = [each for each in observations(database) if each.source == source]
    of_source = [each for each in sources(database) if each.source == source]
    (book,) = books(of_source, said, Reference(seam.REFERENCE))
    return {day: week for day, week in reported_sessions(book.days).items() if day not in HOLIDAYS}


@pytest.mark.real
@pytest.mark.slow
def test_marts_of_real_reports_differ_by_known_faults_only(
    published_real: Published, record_property: Record
) -> None:
    database = published_real.database
    calendars = {"ark_bloomberg": sessions_of_new_york(database, "ark_bloomberg")}
    found = compare(database, expected(database, seam.REFERENCE, calendars))
    record_property("compared", found.counted())
    record_property("by_fault", dict(found.by_fault()))
    print(found.shown(10))
    assert found.by_fault() == {"E80": 2086, "E79": 76, "E78": 39, "funds_twice": 6, "E84": 2}
