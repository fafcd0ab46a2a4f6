"""The marker of a warehouse: `warehouse.json`, with the format and the versions.

A folder without one is no warehouse, so that a mistyped path or a lost mount is an error and never
a new, empty ledger. A warehouse of an older version is brought up, one of a newer version is
refused: two versions of the code must not undo each other's work.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from pipelines.errors import FundflowsError, Where
from pipelines.store.files import write_whole
from pipelines.store.paths import Warehouse
from pipelines.versions import CHECKING, READING, TABLES, WAREHOUSE

NAME = "warehouse.json"
_VERSIONS = {"format": WAREHOUSE, "reading": READING, "checking": CHECKING, "tables": TABLES}
_MEANING = {
    "format": "the folders are laid out anew",
    "reading": "every report is read again",
    "checking": "every week is checked again",
    "tables": "the tables are made by other rules, and may lose numbers",
}
_OF_FORMAT_1 = ("facts", "contents", "outcomes", "quarantine")
"""What format 1 derived from the archive; format 2 derives the same under other names."""


class NoWarehouse(FundflowsError):
    """There is no warehouse at a path."""

    def __init__(self, root: Path) -> None:
        super().__init__(
            "There is no warehouse here.",
            where=Where(file=str(root)),
            expected=f"a folder with {NAME}",
            found=f"a folder without {NAME}" if root.is_dir() else "no such folder",
            fix="correct FUNDFLOWS_WAREHOUSE or mount the disk; `fundflows init` makes a new one",
        )


class NewerWarehouse(FundflowsError):
    """The warehouse was written by a later version of fundflows."""

    def __init__(self, root: Path, found: Mapping[str, object]) -> None:
        newer = [name for name, number in _VERSIONS.items() if _number(found, name) > number]
        super().__init__(
            "The warehouse was written by a newer fundflows.",
            where=Where(file=str(root / NAME)),
            expected=", ".join(f"{name} up to {_VERSIONS[name]}" for name in newer),
            found=", ".join(f"{name} {found.get(name)}" for name in newer)
            + f", made by fundflows {found.get('made_by', 'of an unknown version')}",
            fix="run that version or a later one (docs/upgrading.md)",
        )


def versions() -> str:
    """Return what numbers depend on beside reports and reference rows, as a build names it."""
    return ", ".join(f"{name} {number}" for name, number in _VERSIONS.items())


def init(warehouse: Warehouse) -> bool:
    """Turn a folder into a warehouse; return whether it was none before.

    Raises:
        NewerWarehouse: it is one already, of a newer version.
    """
    if _is_there(warehouse):
        bring_up(warehouse)
        return False
    warehouse.root.mkdir(parents=True, exist_ok=True)
    _write(warehouse)
    return True


def bring_up(warehouse: Warehouse) -> list[str]:
    """Check that a folder is a warehouse that this version may use; bring an older one up.

    Returns:
        What was brought up, in a sentence each.

    Raises:
        NoWarehouse: it has neither the marker nor an archive.
        NewerWarehouse: it was written by a newer version.
    """
    if not _is_there(warehouse):
        raise NoWarehouse(warehouse.root)
    found = _read(warehouse)
    if any(_number(found, name) > number for name, number in _VERSIONS.items()):
        raise NewerWarehouse(warehouse.root, found)
    older = [name for name, number in _VERSIONS.items() if _number(found, name) < number]
    if not older:
        return []
    if _number(found, "format") < WAREHOUSE:
        for folder in _OF_FORMAT_1:
            shutil.rmtree(warehouse.root / folder, ignore_errors=True)
    _write(warehouse)
    return [
        f"{name} {_number(found, name)} -> {_VERSIONS[name]}: {_MEANING[name]}" for name in older
    ]


def _is_there(warehouse: Warehouse) -> bool:
    """Return whether there is a warehouse; before format 2 its archive was all that marked it."""
    return (warehouse.root / NAME).exists() or (warehouse.root / "archive").is_dir()


def _read(warehouse: Warehouse) -> dict[str, object]:
    file = warehouse.root / NAME
    if not file.exists():
        return {"format": 1}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {**found, "format": int(found["format"])}
    except (ValueError, TypeError, KeyError) as error:
        raise FundflowsError(
            "The marker of the warehouse cannot be read.",
            where=Where(file=str(file)),
            expected=f"{{{', '.join(_VERSIONS)}, made_by}} as JSON",
            found=str(error),
            fix="restore it, or delete it and run `fundflows init`: nothing else is lost",
        ) from error


def _number(found: Mapping[str, object], name: str) -> int:
    number = found.get(name)
    return number if isinstance(number, int) else 0


def _write(warehouse: Warehouse) -> None:
    content = json.dumps({**_VERSIONS, "made_by": version("fundflows")}, indent=1) + "\n"
    write_whole(
        warehouse.root / NAME, lambda temporary: temporary.write_text(content, encoding="utf-8")
    )
