"""A small share of `python -m tests.mutants`: changed reports stop nothing, and totals see them."""

from __future__ import annotations

import pytest

from tests.mutants.harness import Mutant, by_container, mutants
from tests.mutants.product import results_of
from tests.mutants.specimens import Specimen, specimens
from tests.mutants.verdicts import FAULTS

SEED = 1

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> list[Specimen]:
    """The specimens that every checkout has: samples and golden reports."""
    return specimens(real=False)


@pytest.fixture(scope="module")
def made(found) -> list[Mutant]:
    """What came of some mutants of each container."""
    planned = [
        each for container in ("xlsx", "csv", "html") for each in by_container(found, container, 70)
    ]
    return list(mutants(planned, SEED))


def test_no_mutant_stops_the_reader(made):
    """E91-E122: whatever is in a report, it is read or refused with a reason, in bounded time."""
    assert len(made) == 210
    assert not [str(each) for each in made if each.result in FAULTS]


def test_no_changed_number_passes_its_total(made):
    """E49, E91: where totals are printed, a changed number or a shifted row is seen."""
    counted = [each for each in made if each.must_be_caught]
    assert len(counted) > 60
    assert not [str(each) for each in counted if each.result == "missed"]


def test_a_mutant_is_the_same_whatever_comes_before_it(found, made):
    """A fault can be made again from its number alone."""
    again = set(mutants(by_container(found, "csv", 20)[::-1], SEED))
    assert len(again) == 20
    assert again <= set(made)


def test_a_style_sheet_that_is_not_closed_takes_no_time(found):
    """E96: its rules run on to the end of the page, which is text without a brace."""
    (page,) = (each for each in found if each.key.startswith("html/farside_btc/sample/"))
    style = b"<style>td{" + b"color:red;" * 10_000 + b"</style>"
    (result,) = results_of(page, [style + page.content])
    assert not result.error
    assert result.figures
