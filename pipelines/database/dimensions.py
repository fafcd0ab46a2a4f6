"""SQL that is written once for all dimensions of a kind, in which `asset` stands for each of them.

A file stays a SELECT that a person can run: it is then about assets only. Lines between a comment
`-- each <kind>` and `-- end` are repeated for the dimensions of that kind; a file with the comment
`-- each: <kind>` makes a model for each. The kinds are `schemas.dimensions.REPEATED`.
"""

from __future__ import annotations

import re

from schemas.dimensions import REPEATED

_LINES = re.compile(r"^ *-- each (?P<kind>[^:\n]+)\n(?P<lines>(?:.*\n)*?) *-- end\n", re.MULTILINE)
_LEFT = re.compile(r"^ *(-- each .*|-- end)$", re.MULTILINE)
_FILE = re.compile(r"^-- each: (?P<kind>.+)\n", re.MULTILINE)
_EXAMPLE = re.compile(r"\basset(?=_name\b|\b)")


def dimensions_of(sql: str) -> tuple[str, ...]:
    """Return the dimensions for each of which a file makes a model; none if it is one itself.

    Raises:
        ValueError: no dimensions are of the kind that the file names.
    """
    found = _FILE.search(sql)
    return _of_kind(found["kind"]) if found else ()


def about(sql: str, dimension: str) -> str:
    """Return the SQL of a file about one of its dimensions."""
    return _EXAMPLE.sub(dimension, _FILE.sub("", sql))


def repeated(sql: str) -> str:
    """Return SQL with the lines that it has once for all dimensions of a kind, for each.

    Raises:
        ValueError: no dimensions are of a kind that it names, or lines have no beginning or end.
    """
    whole = _LINES.sub(
        lambda found: "".join(about(found["lines"], name) for name in _of_kind(found["kind"])), sql
    )
    left = _LEFT.search(whole)
    if left:
        raise ValueError(f"{left[1]!r} stands alone: lines go from '-- each <kind>' to '-- end'")
    return whole


def _of_kind(kind: str) -> tuple[str, ...]:
    if kind not in REPEATED:
        raise ValueError(
            f"no dimensions are of the kind {kind!r}: it is one of {', '.join(REPEATED)}"
        )
    return REPEATED[kind]
