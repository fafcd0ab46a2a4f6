"""docs/methodology.md: every id that people meet is explained, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.database import models, reference_files
from schemas import catalog

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "methodology.md"
SHIPPED = (
    "README.md",
    "docs/**/*.md",
    "pipelines/**/*.py",
    "pipelines/**/*.yaml",
    "schemas/*.py",
    "sql/**/*.sql",
    "sql/reference/*.csv",
)
"""Comments and descriptions of tables are made of schemas/ and sql/, so that they are in here."""
RANGE = re.compile(r"\b([EF])(\d{1,2})-\1(\d{1,2})\b")
ID = re.compile(r"\b(?:E\d{2,3}|F\d{1,2})\b")


def ids(text: str) -> set[str]:
    """Return the ids of a text; E09-E11 are three."""
    between = {
        f"{kind}{number:02}" if kind == "E" else f"{kind}{number}"
        for kind, first, last in RANGE.findall(text)
        for number in range(int(first), int(last) + 1)
    }
    return between | set(ID.findall(text))


def entries() -> list[str]:
    """Return the ids that have a row on the page, in its order."""
    return re.findall(r"^\| ([EF]\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def used() -> Iterator[tuple[str, str]]:
    """Return (id, file) of all that is shipped, but for the page itself."""
    for pattern in SHIPPED:
        for file in sorted(PROJECT.glob(pattern)):
            if file != PAGE:
                for each in ids(file.read_text(encoding="utf-8")):
                    yield each, file.relative_to(PROJECT).as_posix()


def test_every_id_is_explained_once():
    assert len(entries()) == len(set(entries()))
    assert [place for place in used() if place[0] not in entries()] == []


def test_nothing_is_explained_that_nobody_meets():
    assert sorted(set(entries()) - {each for each, _ in used()}) == []


def test_the_page_refers_to_its_own_entries():
    assert ids(PAGE.read_text(encoding="utf-8")) == set(entries())


@pytest.mark.parametrize("table", [*models.models(), *reference_files.files()])
def test_an_id_never_stands_alone_in_what_people_read(table):
    contract = catalog.contract_of(table)
    texts = [catalog.description(contract), *(c.description for c in catalog.columns(contract))]
    for text in texts:
        assert not re.match(rf"\W*{ID.pattern}", text), text
        assert len(ID.sub("", text).split()) > len(ID.findall(text)), text


def test_ids_are_found_in_ranges_and_in_brackets():
    assert ids("dated facts (E09-E11), see F9; cell E5, rule F401") == {"E09", "E10", "E11", "F9"}
