"""Lists that people write by hand, one line for one thing, and how they differ from what is there.

A list is a text file; a line that begins with # and a blank line say nothing. Nothing here knows
what is listed, and nothing here writes a list: a change of one is a line that somebody reviews.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def kept(name: str) -> list[str]:
    """Return the lines of a list, such as `surface/make.txt`."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.rstrip() for line in lines if line.strip() and not line.startswith("#")]


def same(name: str, found: Iterable[str], why: str) -> None:
    """Fail unless a list says what was found, in the same order: - is listed only, + is new."""
    lines = difflib.unified_diff(kept(name), list(found), lineterm="", n=0)
    changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    if changed:
        pytest.fail(f"tests/{name}: {why}\n" + "\n".join(changed), pytrace=False)
