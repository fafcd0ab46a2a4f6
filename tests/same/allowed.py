"""The list of differences that a change is meant to make, each with its reason.

Read from TOML and checked for form here; whether an entry meets a difference is found out where
the tables are compared.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .errors import CannotCompareError

KINDS = ("renamed", "changed", "retyped", "removed", "added")
_FIELDS = {
    "renamed": ({"table", "to", "reason"}, {"column"}),
    "changed": ({"table", "columns", "reason"}, {"keys"}),
    "retyped": ({"table", "columns", "reason"}, set()),
    "removed": ({"table", "reason"}, {"columns", "keys"}),
    "added": ({"table", "reason"}, {"columns", "keys"}),
}


@dataclass(slots=True)
class Entry:
    """One allowed kind of difference, and how many differences it has met so far."""

    kind: str
    table: str
    reason: str
    columns: tuple[str, ...] = ()
    keys: str | None = None
    column: str | None = None
    to: str = ""
    met: int = field(default=0, compare=False)

    def __str__(self) -> str:
        """Say in one line what is allowed."""
        what = self.table + (f".{self.column}" if self.column else "")
        parts = [f"{self.kind} {what}"]
        parts += [f"to {self.to}"] if self.to else []
        parts += [f"({', '.join(self.columns)})"] if self.columns else []
        parts += [f"where {self.keys}"] if self.keys else []
        return " ".join(parts)

    def covers(self, column: str) -> bool:
        """Whether a column is one of the entry's."""
        return any(fnmatchcase(column, pattern) for pattern in self.columns)


@dataclass(slots=True)
class AllowList:
    """All entries of a file, asked by kind and table."""

    entries: list[Entry] = field(default_factory=list)

    def of(self, kind: str, table: str) -> list[Entry]:
        """Return the entries of a kind for a table; a table's pattern may hold `*`."""
        return [
            entry
            for entry in self.entries
            if entry.kind == kind and fnmatchcase(table, entry.table)
        ]

    def of_rows(self, table: str) -> dict[str, list[Entry]]:
        """Return the entries about rows of a table: those that changed, are only in OLD or NEW."""
        kinds = {"changed": "changed", "only old": "removed", "only new": "added"}
        return {
            side: [e for e in self.of(kind, table) if kind == "changed" or e.keys is not None]
            for side, kind in kinds.items()
        }

    def meets(self, kind: str, table: str, column: str | None = None) -> bool:
        """Whether a table, or a column, may be removed, added or of another type; counts it."""
        for entry in self.of(kind, table):
            whole = not entry.columns and entry.keys is None
            if whole if column is None else entry.covers(column):
                entry.met += 1
                return True
        return False

    def new_name(self, table: str) -> tuple[str, Entry | None]:
        """Return what a table of OLD is called in NEW, and the entry that says so."""
        for entry in self.entries:
            if entry.kind == "renamed" and entry.column is None and entry.table == table:
                return entry.to, entry
        return table, None

    def renamed_columns(self, table: str) -> Iterator[Entry]:
        """Return the entries that rename columns of a table, by its name in NEW."""
        return (entry for entry in self.of("renamed", table) if entry.column is not None)

    @property
    def stale(self) -> list[Entry]:
        """The entries that met no difference."""
        return [entry for entry in self.entries if not entry.met]


def read(file: Path) -> AllowList:
    """Read an allow-list.

    Raises:
        CannotCompareError: with the entry that is not one.
    """
    try:
        listed = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotCompareError(f"no allow-list {file}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise CannotCompareError(f"{file} is not TOML: {error}") from error
    entries = []
    for kind, tables in listed.items():
        if kind not in KINDS or not isinstance(tables, list):
            raise CannotCompareError(f"{file}: [[{kind}]] is none of [[{']], [['.join(KINDS)}]]")
        entries += [
            _entry(f"{file}: [[{kind}]] number {number}", kind, each)
            for number, each in enumerate(tables, start=1)
        ]
    return AllowList(entries)


def _entry(where: str, kind: str, found: dict[str, Any]) -> Entry:
    needed, optional = _FIELDS[kind]
    missing, unknown = needed - found.keys(), found.keys() - needed - optional
    if missing or unknown:
        parts = [f"lacks {', '.join(sorted(missing))}"] if missing else []
        parts += [f"does not know {', '.join(sorted(unknown))}"] if unknown else []
        raise CannotCompareError(f"{where} {' and '.join(parts)}")
    columns = found.pop("columns", [])
    texts = all(isinstance(value, str) and value.strip() for value in found.values())
    names = isinstance(columns, list) and all(isinstance(name, str) for name in columns)
    if not texts or not names:
        raise CannotCompareError(f"{where}: `columns` is a list of names, all else is a text")
    if kind in ("removed", "added") and columns and "keys" in found:
        raise CannotCompareError(f"{where}: columns or rows by `keys`, not both")
    return Entry(kind=kind, columns=tuple(columns), **found)
