"""The words of the code: docs/glossary.md says which to use, `house_rules/words.txt` which not.

Identifiers, docstrings, comments and messages of the project's own code are searched, never data:
what publishers print, reference rows, and the fields of YAML files are not ours to name.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
CODE = ("pipelines", "schemas", "samples", "benchmarks")
LIST = PROJECT / "tests" / "house_rules" / "words.txt"
KEPT = {
    # A message of a refused cell is part of its report's digest: with it, all weeks would be due.
    ("pipelines/reading/numbers.py", "said"),
}


@dataclass(frozen=True, slots=True)
class Text:
    """A name or a piece of prose, and where it is."""

    file: str
    line: int
    kind: str  # module, class, function, identifier or prose
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A word that is not used, the word in its place, and where it is looked for."""

    pattern: re.Pattern[str]
    instead: str
    where: str

    def breaks(self, text: Text) -> str | None:
        """Return what a text has that the rule forbids."""
        is_prose = text.kind == "prose"
        if self.where not in ("word", "phrase" if is_prose else text.kind):
            return None
        words = text.text if is_prose else " ".join(re.split(r"_+|(?<=[a-z])(?=[A-Z])", text.text))
        match = self.pattern.search(words) or (not is_prose and self.pattern.search(text.text))
        return match[0] if match else None


def rules() -> list[Rule]:
    """Return the rules of the list."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    parts = [line.rsplit(" | ", 2) for line in lines if line and not line.startswith("#")]
    return [
        Rule(re.compile(rf"\b(?:{pattern})(?:\b|$)", re.IGNORECASE), instead, where)
        for pattern, instead, where in parts
    ]


def texts() -> Iterator[Text]:
    """Return all names and prose of the code."""
    for folder in CODE:
        for file in sorted((PROJECT / folder).rglob("*.py")):
            yield from python_texts(file.read_text(encoding="utf-8"), _place(file))
    for file in sorted((PROJECT / "sql").rglob("*.sql")):
        yield from sql_texts(file.read_text(encoding="utf-8"), _place(file))
    for file in sorted((PROJECT / "pipelines" / "defs").rglob("*.yaml")):
        yield from comments(file.read_text(encoding="utf-8"), _place(file))


def _place(file: Path) -> str:
    return file.relative_to(PROJECT).as_posix()


def python_texts(source: str, place: str) -> Iterator[Text]:
    """Return the names, docstrings, comments and messages of a module."""
    yield Text(place, 1, "module", Path(place).stem)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Text(place, token.start[0], "prose", token.string)
        if token.type == tokenize.NAME:
            yield Text(place, token.start[0], "identifier", token.string)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield Text(place, node.lineno, kind, node.name)
        # A string of several words is prose; one word is a value.
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield Text(place, node.lineno, "prose", " ".join(node.value.split()))


def sql_texts(source: str, place: str) -> Iterator[Text]:
    """Return the names and comments of a query; quoted texts are values."""
    yield Text(place, 1, "module", Path(place).stem)
    for number, line in enumerate(source.splitlines(), 1):
        code, dashes, comment = line.partition("--")
        if dashes:
            yield Text(place, number, "prose", comment)
        for name in re.findall(r"\w+", re.sub(r"'[^']*'", "", code)):
            yield Text(place, number, "identifier", name)


def comments(source: str, place: str) -> Iterator[Text]:
    """Return the comments of a YAML file."""
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith("#"):
            yield Text(place, number, "prose", line)


def offences(found: Iterator[Text]) -> list[str]:
    """Return a line for each text that breaks a rule."""
    listed, lines = rules(), {}
    for text in found:
        for rule in listed:
            word = rule.breaks(text)
            if word and (text.file, word.lower()) not in KEPT:
                lines[f"{text.file}:{text.line}: {word!r}; say {rule.instead}"] = None
    return list(lines)


def test_no_word_of_the_list_is_used():
    assert offences(texts()) == []


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("def judge_week(): ...", "judge"),
        ("class SurveyOf: ...", "Survey"),
        ("told = 1", "told"),
        ('"""What was said of it."""', "said"),
        ("x = 1  # which tells the two apart", "tells"),
        ('"""One row a source, week and member."""', "One row a source"),
        ('"""A table. grain: one row a week."""', "one row a week"),
        ("def show(): ...", "show"),
    ],
)
def test_a_word_of_the_list_is_found(source, word):
    lines = offences(python_texts(f"{source}\n", "pipelines/made_up.py"))
    assert any(repr(word) in line for line in lines)


def test_words_that_only_look_alike_are_used():
    source = (
        '"""Titles, a storyteller, one row per week; a week is over a row."""\nlock.release()\n'
    )
    assert offences(python_texts(source, "pipelines/made_up.py")) == []


def test_a_column_of_a_query_is_a_name_and_a_text_of_it_is_not():
    assert offences(sql_texts("select said from t where rule = 'told'", "sql/made_up.sql")) == [
        "sql/made_up.sql:1: 'said'; say printed, stated, or the name of the value"
    ]
