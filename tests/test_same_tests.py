"""The suite is the same on every machine: the ids of its tests, and each byte of its inputs.

A worker of pytest-xdist that collects other tests than its neighbour fails the run, and a test
whose input changes with the clock is another test tomorrow.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from elsewhere import FAR, HERE, Place, told

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[Place, dict[str, Any]]:
    """What a process in each place collected, and made."""
    places = (HERE, *FAR)
    return dict(zip(places, told(places, tmp_path_factory.mktemp("places")), strict=True))


def test_each_place_is_elsewhere(said):
    """Else the tests below compare like with like."""
    days = [dt.date.fromisoformat(said[place]["today"]) for place in (HERE, *FAR)]
    apart = [
        (day - days[0]).days - place.clock for day, place in zip(days, (HERE, *FAR), strict=True)
    ]
    assert all(abs(each) <= 1 for each in apart), days
    for aspect in ("zone", "hash", "path"):
        assert len({said[place][aspect] for place in said}) == len(said), aspect
    assert {said[place]["encoding"] for place in said} == {"UTF-8", "ANSI_X3.4-1968"}
    assert all(place.folder in said[place]["path"] for place in FAR)


@pytest.mark.parametrize("place", FAR, ids=["blanks", "brackets"])
def test_the_same_tests_are_collected_everywhere(said, place):
    assert len(said[HERE]["ids"]) > 1_000
    assert said[place]["ids"] == said[HERE]["ids"]


@pytest.mark.parametrize("place", FAR, ids=["blanks", "brackets"])
def test_every_input_that_is_made_in_code_is_the_same_everywhere(said, place):
    here, there = said[HERE]["inputs"], said[place]["inputs"]
    assert {"golden.CLEAN", "blank.xlsx", "farside_btc/btc.html"} < here.keys()
    assert {name for name in here | there if here.get(name) != there.get(name)} == set()
