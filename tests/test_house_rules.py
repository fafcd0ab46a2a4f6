"""The house's rules: who may import whom, and how long a thing may be.

The rules are for the rooms that are drawn; `house_rules/rooms.txt` says in which of them today's
modules will live. What offends today is listed beside it, and the lists only shrink: a new offence
fails, and so does a listed one that is gone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import pytest
from house import circle, files, imported_in, imports, private_parts, sizes
from listed import kept, same

GROUND = {"ground", "schemas"}
PURE = {"layouts", "reading", "checking"}
ALLOWED: dict[str, set[str]] = {
    "schemas": set(),
    "ground": {"schemas"},
    "layouts": GROUND,
    "reading": GROUND | {"layouts"},
    "checking": GROUND | {"layouts", "reading"},
    "store": GROUND,
    "ingest": GROUND | PURE | {"store"},
    "database": GROUND | {"layouts", "store", "ingest"},  # of ingest, its results
    "publications": GROUND | {"database.connection"},
    "dagster_internals": GROUND,
    "components": GROUND
    | PURE
    | {"store", "ingest", "database", "publications", "dagster_internals"},
    "defs": {"components"},
    "definitions": {"components"},
    "cli": GROUND
    | PURE
    | {"store", "ingest", "database", "publications", "dagster_internals"}
    | {"components", "definitions"},
}
"""Which rooms, or modules of a room, the modules of a room may import beside each other."""

DAGSTER = {"components", "defs", "definitions", "cli", "dagster_internals"}
LIBRARIES = {
    "dagster": DAGSTER,
    "duckdb": {"database"},
    "samples": set(),
    "benchmarks": set(),
    "tests": set(),
    **dict.fromkeys(("os", "pathlib", "shutil", "tempfile"), ALLOWED.keys() - PURE - GROUND),
}
"""Which rooms may import a library: no room beneath `components` knows Dagster, only `database`
knows DuckDB, and pure code knows no disk. A library that is not named here is free."""

BUDGET = {
    "module": 300,
    "test module": 500,  # a table of cases is long and still read from the top
    "class": 120,
    "function": 40,
    "model": 120,
    "CTEs": 8,
}
"""The most lines (or CTEs) of a thing, blank lines, comments and docstrings included."""


@cache
def rooms() -> dict[str, str]:
    """Return the room of every module that has one: as listed, else as its folder says."""
    listed = dict(line.split() for line in kept("house_rules/rooms.txt"))
    return {module: listed.get(module) or _folder(module) for module in _ours() if _folder(module)}


def _ours() -> list[str]:
    return [name for name in files() if name.split(".")[0] in ("pipelines", "schemas")]


def _folder(module: str) -> str:
    """Return the folder, `ground` for the small modules that stand above the folders."""
    parts = module.split(".")
    if parts[0] == "schemas":
        return "schemas"
    if len(parts) == 1 or parts[1:] == ["command"]:
        return ""  # it holds a sentence
    ground = ("errors", "report", "sessions", "versions", "weeks")
    return "ground" if parts[1] in ground else parts[1]


def _offences() -> Iterator[str]:
    """Name each import that no rule allows: importer -> imported, room -> room."""
    for module, room in sorted(rooms().items()):
        for name in sorted(imports(module)):
            target = rooms().get(name)
            if target is None:
                library = name.split(".")[0]
                if room not in LIBRARIES.get(library, {room}):
                    yield f"{module} -> {library}  ({room} -> {library})"
                elif name.startswith("dagster._") and room != "dagster_internals":
                    yield f"{module} -> {name}  ({room} -> private parts of Dagster)"
            elif target != room and not _may(room, target, name):
                yield f"{module} -> {name}  ({room} -> {target})"
        if room in DAGSTER - {"dagster_internals"}:
            for name in private_parts(module):
                yield f"{module} -> .{name}  ({room} -> private parts of Dagster)"


def _may(room: str, target: str, module: str) -> bool:
    return bool({target, module.removeprefix("pipelines.")} & ALLOWED[room])


def _circles() -> Iterator[str]:
    """Name the imports that have to go for our modules to be free of circles."""
    graph = {name: sorted(imports(name) & set(_ours())) for name in _ours()}
    while found := circle(graph):
        graph[found[0]].remove(found[1])
        yield " -> ".join(found)


# -- imports ---------------------------------------------------------------------------------------


def test_every_module_has_a_room():
    unknown = {name: room for name, room in rooms().items() if room not in ALLOWED}
    assert not unknown, "say in tests/house_rules/rooms.txt in which room they will live"


def test_the_rooms_of_modules_are_listed_once_and_only_while_they_are_elsewhere():
    listed = [line.split()[0] for line in kept("house_rules/rooms.txt")]
    assert listed == sorted(set(listed))
    assert set(listed) <= set(_ours()), "a module that has gone needs no room"
    assert not [name for name, room in rooms().items() if name in listed and room == _folder(name)]


def test_the_rules_know_no_circle():
    drawn = {
        room: sorted({name.partition(".")[0] for name in allowed})
        for room, allowed in ALLOWED.items()
    }
    assert not circle(drawn)
    assert {name for allowed in drawn.values() for name in allowed} <= ALLOWED.keys()


def test_modules_import_what_their_room_may_import():
    same(
        "house_rules/imports.txt",
        _offences(),
        "+ is an import that the rooms do not allow: turn it round, or pass a value instead.\n"
        "- is gone: take its line out, the list only shrinks.",
    )


def test_modules_import_each_other_in_no_circle():
    same(
        "house_rules/circles.txt",
        sorted(_circles()),
        "+ is a circle of imports, also one that runs through a function.\n"
        "- is gone: take its line out, the list only shrinks.",
    )


def test_imports_are_found_wherever_they_stand():
    source = """
import os.path, csv
from pipelines.store import archive
from pipelines import errors
from pipelines.layouts.source import Source
from . import plan
from .. import definitions
if TYPE_CHECKING:
    from sqlglot import exp
def late():
    import duckdb
"""
    assert set(imported_in(ast.parse(source), "pipelines.ingest")) == {
        "os.path",
        "csv",
        "pipelines.store.archive",
        "pipelines.errors",
        "pipelines.layouts.source",
        "pipelines.ingest.plan",
        "pipelines.definitions",
        "sqlglot",
        "duckdb",
    }


def test_a_circle_is_told_in_the_order_of_its_imports():
    assert circle({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}) in (
        ["a", "b", "c", "a"],
        ["b", "c", "a", "b"],
        ["c", "a", "b", "c"],
    )
    assert circle({"a": ["b", "c"], "b": ["c"], "c": []}) == []


# -- budgets ---------------------------------------------------------------------------------------


def exceptions() -> dict[tuple[str, str], tuple[int, str]]:
    """Return the listed size and the reason of each exception, by kind and place."""
    found = {}
    for line in kept("house_rules/budgets.txt"):
        kind, size, place, reason = (part.strip() for part in line.split("|"))
        found[kind, place] = (int(size), reason)
    return found


@cache
def over() -> dict[tuple[str, str], int]:
    """Return the size of each thing that is over its budget."""
    found: dict[tuple[str, str], int] = {}
    for each in sizes():
        if each.size > BUDGET[each.kind]:
            key = each.kind, each.place
            found[key] = max(each.size, found.get(key, 0))
    return found


def test_nothing_is_over_its_budget_without_a_reason():
    listed = exceptions()
    new = [
        f"{kind} {place}: {size}, of {BUDGET[kind]}"
        for (kind, place), size in over().items()
        if (kind, place) not in listed
    ]
    if new:
        pytest.fail("too long: shorten it, or say why not:\n" + "\n".join(new), pytrace=False)


def test_an_exception_does_not_grow():
    grown = [
        f"{kind} {place}: {size}, listed with {listed}"
        for (kind, place), (listed, _) in exceptions().items()
        if (size := over().get((kind, place), 0)) > listed
    ]
    if grown:
        pytest.fail("an exception has grown:\n" + "\n".join(grown), pytrace=False)


def test_an_exception_that_is_no_longer_needed_is_taken_out():
    gone = [f"{kind} {place}" for kind, place in exceptions() if (kind, place) not in over()]
    if gone:
        pytest.fail("within its budget: take its line out:\n" + "\n".join(gone), pytrace=False)


def test_exceptions_are_sorted_and_have_a_reason():
    lines = kept("house_rules/budgets.txt")
    keys = [(place, kind) for kind, place in exceptions()]
    assert keys == sorted(keys)
    assert len(lines) == len(keys)
    for size, reason in exceptions().values():
        assert size > 0
        assert reason.endswith(".")
        assert len(reason.split()) > 3, "a reason is a sentence"
