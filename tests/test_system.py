"""What the operating system refuses is one message, no traceback, and leaves nothing half done."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import duckdb
import golden
import pytest
from world import World, files_under

from pipelines.store import archive, files


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "warehouse")
    world.init()
    return world


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "The disk is full."),
        (errno.EROFS, "The disk is read-only."),
        (errno.EACCES, "A file or folder is closed to this user."),
        (errno.ENOLCK, "The disk gives no locks."),
        (errno.EIO, "The operating system refused an operation."),
    ],
)
def test_a_refusal_is_one_message_and_leaves_neither_bytes_nor_sidecar(
    world, monkeypatch, number: int, words: str
):
    report = world.file("week.xlsx", golden.CLEAN)
    before = files_under(world.root)
    real = files.write_whole

    def refused(path: Path, *arguments: Any, **options: Any) -> None:
        if path.name.endswith(".report.json"):
            raise OSError(number, os.strerror(number), str(path))
        real(path, *arguments, **options)

    monkeypatch.setattr(archive, "write_whole", refused)
    ran = world.call("add", "coinshares", report)
    assert ran.code == 1
    assert words in ran.text
    assert "what to do:" in ran.err
    assert "Traceback" not in ran.text
    assert files_under(world.root) == before
    monkeypatch.undo()
    assert world.call("add", "coinshares", report).code == 0


@pytest.mark.parametrize("command", ["run", "init"])
def test_a_warehouse_that_is_a_file_is_one_message(tmp_path, monkeypatch, command):
    world = World(tmp_path / "warehouse")
    world.root.write_text("not a folder", encoding="utf-8")
    monkeypatch.setattr(World, "init", lambda _: None)
    ran = world.call(command)
    assert ran.code == 1
    assert "what to do:" in ran.err
    assert "Traceback" not in ran.text
    assert world.root.read_text(encoding="utf-8") == "not a folder"


def test_what_a_client_left_beside_the_published_file_is_removed(own_samples):
    """A write-ahead log of another state would be played over the next published file."""
    world = own_samples
    assert world.database.stat().st_mode & 0o777 == 0o444
    world.database.chmod(0o644)
    with duckdb.connect(str(world.database)) as connection:
        connection.execute("set wal_autocheckpoint = '1TB'")
        connection.execute("set checkpoint_threshold = '1TB'")
        connection.execute("create table mine as select 1 as one")
        left = world.database.with_name(f"{world.database.name}.wal").read_bytes()
    world.database.with_name(f"{world.database.name}.wal").write_bytes(left)
    world.add("coinshares", "again.xlsx", golden.CLEAN, received="2026-04-01T12:00Z")
    assert world.run().code == 0
    assert not world.database.with_name(f"{world.database.name}.wal").exists()
    assert world.query("select count(*) from duckdb_tables() where table_name = 'mine'") == [(0,)]


def test_a_name_that_is_not_utf8_is_archived_in_letters_that_can_be_printed(world):
    name = os.fsdecode(b"w\xe9ek.xlsx")
    ran = world.call("add", "coinshares", world.file(name, golden.CLEAN))
    assert ran.code == 0
    (kept,) = archive.listing(world.warehouse, "coinshares").reports
    assert kept.report.name == "w\\xe9ek.xlsx"
    assert world.run().code == 0
    assert world.one("select name from core.report") == "w\\xe9ek.xlsx"
