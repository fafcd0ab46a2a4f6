"""What identifies a row of a published table, and what says nothing about its content.

A key is read from the table's comment, where the contract put its grain. `published.toml` holds
what a comment cannot tell. Nothing here opens a database.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("published.toml")

_GRAIN = re.compile(r"\bgrain: one row\b ?(?P<words>[^\n]*?)\.?$", re.MULTILINE)
_BETWEEN = re.compile(r", and |, | and ")
_ARTICLE = re.compile(r"^(?:per|for|each|every|an|a|the) +")

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Columns, or rows by a condition in SQL, that are not compared in a table."""

    table: str
    columns: tuple[str, ...] = ()
    rows: str | None = None
    reason: str = ""


def left_out(table: str) -> list[LeftOut]:
    """Return what is not compared in a table."""
    listed = (
        LeftOut(entry["table"], tuple(entry.get("columns", ())), entry.get("rows"), entry["reason"])
        for entry in _declared()["left_out"]
    )
    return [entry for entry in listed if entry.table == table]


def key_of(table: str, comments: Collection[str], columns: Collection[str]) -> Key | None:
    """Return the columns that identify a row, from the first comment whose grain is readable.

    An empty key means that the table has one row; None, that nothing is known.
    """
    for comment in comments:
        key = _key_in(comment, columns)
        if key is not None:
            return key
    declared = _declared()["keys"].get(table)
    return tuple(declared) if declared is not None and set(declared) <= set(columns) else None


def _key_in(comment: str, columns: Collection[str]) -> Key | None:
    found = _GRAIN.search(comment)
    if not found:
        return None
    key: list[str] = []
    for phrase in filter(None, _BETWEEN.split(found["words"])):
        word = phrase
        while (shorter := _ARTICLE.sub("", word)) != word:
            word = shorter
        written = word.replace(" ", "_")
        choices = [*_declared()["words"].get(word, []), [written]]
        fitting = next((names for names in choices if set(names) <= set(columns)), None)
        if fitting is None:
            return None
        key += [name for name in fitting if name not in key]
    return tuple(key)


@cache
def _declared() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
