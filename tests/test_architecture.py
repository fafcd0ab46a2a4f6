"""docs/architecture.md names what is there, and a report takes the way that it describes."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import golden
from world import World

PROJECT = Path(__file__).parents[1]
PAGE = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
STEP = re.compile(r"^\| \d+ \| (\w+) \| `pipelines/([\w/]+)\.py`: `(\w+)` \|", re.MULTILINE)
ROOM = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)


def way() -> list[str]:
    """Return the functions of a report's way, in the order of the page."""
    return [f"pipelines.{path.replace('/', '.')}.{name}" for _, path, name in STEP.findall(PAGE)]


def test_every_file_on_the_page_is_there():
    named = re.findall(r"`((?:pipelines|schemas|sql)/[\w/.]+)`", PAGE)
    made_up = ("SOURCE", "NAME")
    files = [name for name in named if not any(word in name for word in made_up)]
    assert len(files) > 15
    assert [name for name in files if not (PROJECT / name).exists()] == []


def test_every_step_of_the_way_is_a_function():
    assert len(way()) == 10
    for name in way():
        module, _, function = name.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))


def test_every_room_is_on_the_page_once():
    folders = {each.parent.name for each in (PROJECT / "pipelines").glob("*/__init__.py")}
    rooms = [name for name, _ in ROOM.findall(PAGE)]
    assert sorted(rooms) == sorted(folders - {"command"})  # the old path of the event log


def test_a_report_enters_each_step_once(tmp_path):
    world = World(tmp_path / "warehouse")
    world.drop("coinshares", "week.xlsx", golden.weekly())
    with entered("coinshares") as steps:
        world.run()
    assert list(steps) == way()


@contextmanager
def entered(source: str) -> Iterator[list[str]]:
    """Note the functions of the way as they are entered for a source, repetitions left out."""
    wanted, steps = set(way()), []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        name = f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}"
        if name not in wanted or steps[-1:] == [name]:
            return
        of = frame.f_locals.get("source", source)
        if getattr(of, "name", of) == source:
            steps.append(name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield steps
    finally:
        sys.setprofile(before)
