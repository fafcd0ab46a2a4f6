"""Settings and fixtures that all tests share: the same tests and examples on every machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings
from same import real as reports
from world import World

from samples.make import REPORTS

# A slow machine is no failure: examples are counted, not timed. They are the same in every run, so
# that a green one is no luck; `pytest --hypothesis-profile=explore` looks for others.
settings.register_profile("fundflows", deadline=None, derandomize=True, max_examples=100)
settings.register_profile("explore", deadline=None, derandomize=False, max_examples=1_000)
settings.load_profile("fundflows")

# What a person may set for the tests; whatever else is set is about this person's own warehouse.
FOR_TESTS = {
    "FUNDFLOWS_HISTORIES",
    "FUNDFLOWS_REAL",
    "FUNDFLOWS_KILLS",
    "FUNDFLOWS_KILLS_SEED",
    "FUNDFLOWS_REWRITE_SNAPSHOTS",
    "FUNDFLOWS_STRESS_SECONDS",
    "FUNDFLOWS_WORLDS",
}
# Begun first, so that no worker waits for one of them in the end; a file is one worker's.
LONGEST = (
    "test_kill_random",
    "test_kill",
    "test_daemon",
    "test_as_known",
    "test_stress",
    "test_bad_input",
    "test_automation",
    "test_ui",
    "test_never_less",
    "test_same_tests",
)
SHOWN_BY = {"COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"}


def pytest_configure() -> None:
    """Forget the settings of the person who runs the tests, before any fixture is made."""
    for name in set(os.environ) - FOR_TESTS:
        if name.startswith(("FUNDFLOWS_", "DAGSTER_")) or name in SHOWN_BY:
            del os.environ[name]


def pytest_xdist_auto_num_workers() -> int:
    """Start a worker more than there are cores: the longest tests wait for a daemon or a page."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.fixture(autouse=True)
def _same_environment() -> Iterator[None]:
    """Undo what a test, or a command called by it, does to the environment."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


Made = Callable[[str, Callable[[World], None]], World]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return what makes a world once for all workers; the others wait until it is there."""
    own = tmp_path_factory.getbasetemp()
    common = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def get(name: str, make: Callable[[World], None]) -> World:
        world, done = World(common / name / "warehouse"), common / name / "done"
        with FileLock(common / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(done.parent, ignore_errors=True)
                make(world)
                done.touch()
        return world

    return get


@pytest.fixture(scope="session")
def sampled(made_once: Made) -> World:
    """Return a warehouse with the samples, published by `fundflows run`: to look at only."""

    def make(world: World) -> None:
        world.add_samples()
        published = world.run()
        assert published.code == 0, published.text

    return made_once("sampled", make)


@pytest.fixture(scope="session")
def published_real(real: Path, made_once: Made) -> World:
    """Return a warehouse with all real reports and the samples, by the command: to look at only."""

    def make(world: World) -> None:
        for words in [*(arrival.words for arrival in reports.arrivals(real, REPORTS)), ["run"]]:
            said = world.call(*words)
            assert said.code == 0, said.text

    return made_once("published_real", make)


@pytest.fixture
def own_samples(sampled: World, tmp_path: Path) -> World:
    """Return a copy of it, to do with as one likes."""
    shutil.copytree(sampled.root, tmp_path / "warehouse")
    return World(tmp_path / "warehouse")


@pytest.fixture(scope="session")
def real() -> Path:
    """Return the folder of real reports; they belong to their publishers and are not kept here."""
    folder = reports.folder()
    if not folder.is_dir():
        pytest.skip(f"no real reports in {folder}: set FUNDFLOWS_REAL to their folder")
    return folder
