"""A contract's docstring is the one text about a table; the head of its SQL adds reasons only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.database import models, reference_files
from schemas import catalog
from schemas.core import NULL_REASONS

TABLES = [*models.models(), *reference_files.files()]
GRAIN = re.compile(r"\bgrain: one row(?: per [^\n]+)?$", re.MULTILINE)
RUN = 5
"""So many words in a row that are the same in both are a repetition."""


def head(sql: str) -> str:
    """Return the comment above a SELECT."""
    lines = re.match(r"(?:--.*\n)*", sql)
    assert lines is not None
    return "\n".join(line.removeprefix("--").strip() for line in lines[0].splitlines())


def repeated(first: str, second: str) -> list[str]:
    """Return the runs of words that are in both texts."""
    words = [re.findall(r"\w+", text.lower()) for text in (first, second)]
    runs = [
        {" ".join(each[start : start + RUN]) for start in range(len(each) - RUN + 1)}
        for each in words
    ]
    return sorted(runs[0] & runs[1])


@pytest.mark.parametrize("name", list(models.models()))
def test_the_head_of_a_query_does_not_describe_its_table(name):
    above = head(models.models()[name].sql)
    assert "grain" not in above
    assert repeated(above, catalog.description(catalog.contract_of(name))) == []


@pytest.mark.parametrize("name", TABLES)
def test_a_description_ends_with_the_grain(name):
    description = catalog.description(catalog.contract_of(name)).rstrip(".")
    assert GRAIN.search(description), description
    assert not description.startswith("grain")


def test_a_repetition_is_found():
    sql = "-- Net flow of every week by asset.\n-- kind: view\nselect 1"
    assert head(sql) == "Net flow of every week by asset.\nkind: view"
    assert repeated(head(sql), "The net flow of every week, by asset.") == [
        "flow of every week by",
        "net flow of every week",
        "of every week by asset",
    ]


def test_null_reasons_are_one_list_in_contract_macro_and_glossary():
    root = Path(__file__).parents[1]
    macro = (root / "sql" / "macros" / "first_reason.sql").read_text(encoding="utf-8")
    glossary = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    section = glossary.partition("## Why a number is NULL")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| ([a-z ]+) \|", section, re.MULTILINE)
    assert re.findall(r"'([a-z ]+)'", macro) == [*NULL_REASONS, *NULL_REASONS]
    assert listed == ["reason", *NULL_REASONS]
