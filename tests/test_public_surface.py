"""The public surface, spelled by hand in `surface/*.txt` and compared both ways with reality.

What people type, set, query and write into their files: a new name costs one line there, and that
line is where somebody asks whether users should see it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import golden
import pytest
import surface_of
from listed import same
from world import World

WHY = (
    "a change of the public surface is one reviewed line here.\n"
    "- is listed and not there (removed, renamed), + is there and not listed (new)."
)


def test_commands_arguments_and_options():
    same("surface/commands.txt", surface_of.command_lines(), WHY)


def test_environment_variables():
    same("surface/environment.txt", surface_of.environment(), WHY)


def test_targets_of_make():
    same("surface/make.txt", surface_of.targets(), WHY)


def test_schemas_tables_and_columns(sampled):
    same("surface/tables.txt", surface_of.tables(sampled), WHY)


def test_schemas_of_sources_and_their_views(sampled):
    same("surface/source_views.txt", surface_of.source_views(sampled), WHY)


def test_macros(sampled):
    same("surface/macros.txt", surface_of.macros(sampled), WHY)


def test_assets_checks_schedules_and_sensors():
    same("surface/dagster.txt", surface_of.dagster(), WHY)


def test_fields_of_defs_yaml():
    same("surface/defs_yaml.txt", surface_of.component_lines(), WHY)


def test_a_list_is_compared_both_ways():
    targets = list(surface_of.targets())
    with pytest.raises(pytest.fail.Exception, match=r"(?s)one reviewed line here.*\n\+sell$"):
        same("surface/make.txt", [*targets, "sell"], WHY)
    with pytest.raises(pytest.fail.Exception, match=r"\n-bench$"):
        same("surface/make.txt", targets[1:], WHY)


# -- exit codes ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """Something that a person does, which ends with an exit code."""

    what: str
    arguments: str
    environment: dict[str, str] = field(default_factory=dict)


CASES = [
    Case("help", "--help"),
    Case("no such command", "sell"),
    Case("archived", "add coinshares GOOD"),
    Case("archived, but it cannot be used", "add coinshares UNREADABLE"),
    Case("no such source", "add nobody GOOD"),
    Case("no such file", "add coinshares MISSING"),
    Case("no file is named", "add coinshares"),
    Case("no time", "add coinshares GOOD --published yesterday"),
    Case("all of it is read", "layout coinshares GOOD"),
    Case("a total does not add up", "layout coinshares REFUSED"),
    Case("no layout fits", "layout coinshares UNREADABLE"),
    Case("no such source", "layout nobody GOOD"),
    Case("no such file", "layout coinshares MISSING"),
    Case("written", "template coinshares NEW"),
    Case("not kept as a workbook", "template canary NEW"),
    Case("no file is named", "template coinshares"),
    Case("no port", "ui --port door"),
    Case("a warehouse is there", "init"),
    Case("nothing is new", "run"),
    Case("a week is refused", "run", {"DROPPED": "REFUSED"}),
    Case("nothing was published", "run", {"DROPPED": "GOOD", "FUNDFLOWS_MEMORY": "much"}),
    Case("no weeks", "run --weeks soon"),
    Case("built", "as-of 2026-01-27"),
    Case("nothing was published", "as-of 2026-01-27", {"FUNDFLOWS_MEMORY": "much"}),
    Case("no day", "as-of yesterday"),
]


def code_of(case: Case, folder: Path, sampled: World, patch: pytest.MonkeyPatch) -> int:
    """Do it in a warehouse of its own, with the samples where the command is about all of it."""
    world = World(folder / "warehouse")
    contents = {"GOOD": golden.CLEAN, "REFUSED": golden.TOTAL_OFF, "UNREADABLE": b""}
    words = case.arguments.split()
    if words[0] in ("run", "as-of"):
        shutil.copytree(sampled.root, world.root)
    for name, value in case.environment.items():
        if name == "DROPPED":
            world.drop("coinshares", "dropped.xlsx", contents[value])
        else:
            patch.setenv(name, value)
    files: dict[str, Path] = {name: folder / f"{name}.xlsx" for name in ("MISSING", "NEW")}
    files |= {name: world.file(f"{name}.xlsx", content) for name, content in contents.items()}
    return world.call(*(files.get(word, word) for word in words)).code


def test_exit_codes(sampled, tmp_path):
    found = []
    for number, case in enumerate(CASES):
        with pytest.MonkeyPatch.context() as patch:
            code = code_of(case, tmp_path / str(number), sampled, patch)
        command = case.arguments.split()[0]
        name = f"fundflows {command}" if command in surface_of.cli.commands else "fundflows"
        found.append(f"{name} {code}  {case.what}")
    same("surface/exit_codes.txt", sorted(found), WHY)
