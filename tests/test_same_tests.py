"""The suite is the same on every machine: the ids of its tests, its inputs, and its texts.

A worker of pytest-xdist that collects other tests than its neighbour fails the run, and a test
whose input changes with the clock is another test tomorrow.
"""

from __future__ import annotations

import ast
import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from elsewhere import FAR, HERE, Place, told

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[Place, dict[str, Any]]:
    """What a process here and one far away collected, and made; `elsewhere` itself asks twenty."""
    places = (HERE, FAR)
    return dict(zip(places, told(places, tmp_path_factory.mktemp("places")), strict=True))


def test_each_place_is_elsewhere(said):
    """Else the tests below compare like with like."""
    here, far = (dt.date.fromisoformat(said[place]["today"]) for place in (HERE, FAR))
    assert abs((far - here).days - FAR.clock) <= 1
    for aspect in ("zone", "hash", "path"):
        assert len({said[place][aspect] for place in said}) == len(said), aspect
    assert {said[place]["encoding"] for place in said} == {"UTF-8", "ANSI_X3.4-1968"}
    assert FAR.folder in said[FAR]["path"]


def test_the_same_tests_are_collected_everywhere(said):
    assert len(said[HERE]["ids"]) > 1_000
    assert said[FAR]["ids"] == said[HERE]["ids"]


def test_every_input_that_is_made_in_code_is_the_same_everywhere(said):
    here, there = said[HERE]["inputs"], said[FAR]["inputs"]
    assert {"golden.CLEAN", "blank.xlsx", "farside_btc/btc.html"} < here.keys()
    assert {name for name in here | there if here.get(name) != there.get(name)} == set()


# -- texts -----------------------------------------------------------------------------------------

PROJECT = Path(__file__).parents[1]
ROOMS = ("pipelines", "schemas", "samples", "tests", "benchmarks")
OF_FILES = {"open", "read_text", "write_text"}
OF_PROCESSES = {"run", "Popen", "check_output"}


def without_encoding(code: str) -> list[str]:
    """Return the calls that read or write text in the encoding of whoever runs them."""
    calls = [each for each in ast.walk(ast.parse(code)) if isinstance(each, ast.Call)]
    return [ast.unparse(call) for call in calls if _is_left_to_the_locale(call)]


def _is_left_to_the_locale(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
    keywords = {keyword.arg for keyword in call.keywords}
    if "encoding" in keywords:
        return False
    if name in OF_PROCESSES:
        return bool({"text", "universal_newlines"} & keywords)
    modes = [each.value for each in call.args if isinstance(each, ast.Constant)]
    is_binary = any(re.fullmatch("[rwax+]*b[rwax+]*", str(mode)) for mode in modes)
    return name in OF_FILES and not is_binary


def test_every_text_is_read_and_written_in_a_named_encoding():
    files = [file for room in ROOMS for file in sorted((PROJECT / room).rglob("*.py"))]
    found = {file.name: without_encoding(file.read_text(encoding="utf-8")) for file in files}
    assert {name: calls for name, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("file.read_text()", 1),
        ("file.open('w')", 1),
        ("open(file, 'wb')", 0),
        ("file.write_text(said, encoding='utf-8')", 0),
        ("subprocess.run(command, text=True)", 1),
        ("subprocess.run(command)", 0),
    ],
)
def test_a_text_without_an_encoding_is_found(code, count):
    assert len(without_encoding(code)) == count
