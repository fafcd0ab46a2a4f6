"""On hold (E120): a report that covers less than the one before it waits for a person."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import steps
from world import World

from samples.add import received


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a warehouse with one history of a fund, published."""
    world = World(tmp_path_factory.mktemp("published") / "warehouse")
    world.add("canary", "HBR.csv", golden_history(), received="2026-02-01T12:00Z")
    assert steps.publish_all(world.warehouse) == []
    return world


@pytest.fixture
def world(published: World, tmp_path: Path) -> World:
    """Return a copy of it, to do with as one likes."""
    shutil.copytree(published.root, tmp_path / "warehouse")
    return World(tmp_path / "warehouse")


def golden_history() -> bytes:
    return next(
        each.file.read_bytes()
        for each in received()
        if each.source == "canary" and each.file.name == "HBR.csv"
    )


def lines() -> list[bytes]:
    return golden_history().splitlines(keepends=True)


def cut(first: int, last: int) -> bytes:
    """Return the history without some lines."""
    return b"".join(line for place, line in enumerate(lines()) if not first <= place <= last)


FEWER = {
    "the first lines are missing": lambda: cut(1, 10),
    "the last lines are missing": lambda: cut(len(lines()) - 10, len(lines())),
    "a week in the middle is missing": lambda: cut(20, 24),
    "the last line has no end": lambda: golden_history().rstrip(b"\r\n"),
}


@pytest.mark.parametrize("fewer", FEWER.values(), ids=list(FEWER))
def test_e120_what_covers_less_is_held_and_blanks_nothing(world, fewer):
    before = world.query("from mart.flows order by all")
    world.drop("canary", "HBR.csv", fewer())
    ran = world.run()
    assert ran.code == 1
    assert "The report is on hold: it covers less than the one before it." in ran.text
    assert world.query("from mart.flows order by all") == before
    ((error,),) = world.query("select error from core.report where error is not null")
    assert "fundflows accept " in error
    whole = golden_history() + b"\n"
    world.drop("canary", "HBR.csv", whole)
    assert world.run().code == 0, "the whole file heals what the cut one did"


def test_e120_a_person_lets_it_through_with_who_when_and_why(world):
    world.drop("canary", "HBR.csv", cut(1, 10))
    assert world.run().code == 1
    held = world.one("select report_id from core.report where error is not null")
    assert world.call("accept", held[:12], "--because", "The fund began later.").code == 0
    (line,) = world.warehouse.decisions.read_text(encoding="utf-8").splitlines()
    decided = json.loads(line)
    assert decided.keys() == {"at", "by", "what", "source", "report_id", "because"}
    assert (decided["what"], decided["because"]) == ("accept", "The fund began later.")
    ran = world.run()
    assert ran.code == 0, ran.text
    assert world.query("select error from core.report where error is not null") == []
    shutil.rmtree(world.root / "weeks")
    shutil.rmtree(world.root / "index")
    assert world.run().code == 0, "what was decided outlives what is derived"


def test_only_a_report_on_hold_can_be_accepted(world):
    ran = world.call("accept", "HBR.csv", "--because", "of this")
    assert ran.code == 1
    assert "No report on hold by that name or id." in ran.text
    assert not world.warehouse.decisions.exists()


def test_e120_a_window_may_begin_later_but_not_end_earlier(tmp_path):
    world = World(tmp_path / "warehouse")
    header = "date,BSOL,FSOL,Total\n"
    days = [f"{day:02d} Jan 2026,1.0,1.0,2.0\n" for day in (12, 13, 14, 15, 16, 20, 21, 22, 23)]
    world.init()
    for number, part in enumerate((days[:7], days[2:], days[2:6])):
        content = (header + "".join(part)).encode()
        world.add("farside_sol", "sol.csv", content, received=f"2026-02-0{number + 1}T12:00Z")
    (held,) = steps.publish_all(world.warehouse)
    assert "The report is on hold: it covers less than the one before it." in held
    found = world.query("select received_at, error is null from core.report order by 1")
    assert [usable for _, usable in found] == [True, True, False]
