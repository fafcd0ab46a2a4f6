"""What makes a folder a warehouse, and what an older or a newer one of them meets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from world import World, tables

from pipelines.store import marker
from pipelines.store.paths import Warehouse
from pipelines.versions import CHECKING, READING, TABLES, WAREHOUSE

PAGE = "Date,FBTC,Total\n16 Jan 2026,1.0,1.0\n"


def marked(root: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((root / marker.NAME).read_text(encoding="utf-8"))
    return content


def write(root: Path, **changes: object) -> None:
    (root / marker.NAME).write_text(json.dumps(marked(root) | changes), encoding="utf-8")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "warehouse")
    marker.init(made.warehouse)
    return made


def test_init_makes_a_warehouse_once(tmp_path):
    root = tmp_path / "a [new] one"
    assert marker.init(Warehouse(root))
    assert not marker.init(Warehouse(root))
    assert marked(root)["format"] == WAREHOUSE
    assert (marked(root)["reading"], marked(root)["checking"]) == (READING, CHECKING)


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("command", [["run"], ["as-of", "2026-01-27"], ["add", "canary", "x.csv"]])
def test_a_mistyped_path_is_no_new_warehouse(tmp_path, monkeypatch, command, is_there):
    world = World(tmp_path / "warehose")
    if is_there:
        world.root.mkdir()
    monkeypatch.setattr(marker, "init", lambda _: None)  # what the tests' world does by itself
    said = world.call(*command)
    assert said.code == 1
    assert "There is no warehouse here." in said.err
    assert "fundflows init" in said.err
    assert not list(world.root.glob("*"))


@pytest.mark.parametrize("version", ["format", "reading", "checking", "tables"])
def test_a_newer_warehouse_is_refused_with_the_version_that_made_it(world, version):
    numbers = {"format": WAREHOUSE, "reading": READING, "checking": CHECKING, "tables": TABLES}
    newer = numbers[version] + 1
    write(world.root, **{version: newer, "made_by": "9.9"})
    before = (world.root / marker.NAME).read_bytes()
    said = world.run()
    assert said.code == 1
    assert f"{version} {newer}, made by fundflows 9.9" in said.err
    assert (world.root / marker.NAME).read_bytes() == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "two"}'])
def test_a_marker_that_cannot_be_read_is_one_clear_error(world, content):
    (world.root / marker.NAME).write_text(content, encoding="utf-8")
    said = world.run()
    assert said.code == 1
    assert "The marker of the warehouse cannot be read." in said.err


def test_an_older_warehouse_is_rebuilt_from_its_archive(sampled, tmp_path):
    """Format 1: no marker, and what is derived under other names."""
    old = World(tmp_path / "warehouse")
    shutil.copytree(sampled.root / "archive", old.root / "archive")
    for folder in ("facts", "contents", "outcomes", "quarantine"):
        (old.root / folder).mkdir()
        (old.root / folder / "left.parquet").write_bytes(b"")
    steps = marker.bring_up(old.warehouse)
    assert steps[0] == f"format 1 -> {WAREHOUSE}: the folders are laid out anew"
    assert marker.bring_up(old.warehouse) == []
    assert not (old.root / "facts").exists()
    assert old.run().code == 0
    assert tables(old.database) == tables(sampled.database)


def test_a_version_that_was_raised_is_said_and_kept(world):
    write(world.root, reading=0)
    said = world.run()
    assert said.code == 0
    assert f"warehouse brought up: reading 0 -> {READING}: every report is read again" in said.err
    assert marked(world.root)["reading"] == READING
