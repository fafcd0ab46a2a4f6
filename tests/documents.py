"""The pages that people read, taken apart: what they show to type, to query, and what comes out.

Markdown in, values out; nothing is run here (`checkout` does that) and nothing is asserted.
An example is one block of code. It may hold queries with their answers, commands, settings of the
environment, rows of reference files, YAML, or what a command prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import cache

from house import HOUSE
from markdown_it import MarkdownIt
from markdown_it.token import Token

COMMANDS = ("make", "fundflows", ".venv/bin/fundflows", ".venv/bin/python")
NORMALISED = {
    r"\b\d:\d\d:\d\d\b": "<duration>",  # beside a progress bar
    r"\b[0-9a-f]{8}\b": "<hash>",  # the beginning of a report's id
    r"(?<=\d\d:\d\d)(:\d\d(\.\d+)?)?\+00\b": "",  # moments, which pages show to the minute, in UTC
}
"""What differs from run to run or is shown shorter, by pattern. `...` in a page is any text, and
on a line of its own any lines; paths are written so."""


@dataclass(frozen=True, slots=True)
class Example:
    """A block of code on a page, the so-manieth under its heading."""

    page: str
    heading: str
    number: int
    info: str
    text: str

    @property
    def place(self) -> str:
        """What it is called in lists."""
        return f"{self.page} | {self.heading} | {self.number}"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do with an example: its kind says what, `shows` what must come out."""

    kind: str
    text: str
    shows: str | None = None


def pages() -> list[str]:
    """Return all pages for people, by their path in the project."""
    found = [*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md")]
    found += [HOUSE / folder / "README.md" for folder in ("samples", "warehouse")]
    return sorted(file.relative_to(HOUSE).as_posix() for file in found)


@cache
def _tokens(page: str) -> list[Token]:
    return MarkdownIt("commonmark").parse((HOUSE / page).read_text(encoding="utf-8"))


@cache
def examples(page: str) -> list[Example]:
    """Return the blocks of code of a page in their order."""
    found: list[Example] = []
    tokens, heading, number = _tokens(page), "", 0
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following:
            heading, number = following.content, 0
        elif token.type in ("fence", "code_block"):
            number += 1
            found.append(Example(page, heading, number, token.info, token.content.rstrip()))
    return found


def inline(page: str) -> Iterator[str]:
    """Return every piece of code within the sentences of a page."""
    for token in _tokens(page):
        yield from (part.content for part in token.children or () if part.type == "code_inline")


def code(page: str) -> Iterator[str]:
    """Return every piece of code of a page: those within its sentences, and lines of examples."""
    yield from inline(page)
    for example in examples(page):
        yield from example.text.splitlines()


def steps(example: Example) -> list[Step]:
    """Return what is to be done with an example."""
    if example.info:
        return [Step(example.info, example.text)]
    found: list[Step] = []
    for part in re.split(r"\n\s*\n", example.text):
        first = part.split()[0]
        if first in ("select", "with", "from"):
            found += [Step("query", each) for each in re.split(r"\n(?=select )", part)]
        elif first in COMMANDS:
            found += _commands(part)
        elif re.match(r"[A-Z_]+=", part):
            found.append(Step("settings", part))
        elif re.match(r"sql/reference/\w+\.csv  ", part):
            found.append(Step("rows", part))
        elif found and found[-1].kind == "query":
            shown = f"{found[-1].shows}\n{part}" if found[-1].shows else part
            found[-1] = replace(found[-1], shows=shown)
        else:
            found.append(Step("printed", part))
    return found


def _commands(part: str) -> Iterator[Step]:
    """Return each line as a command; lines after `>>>` are what is typed into the one before."""
    for command, typed in re.findall(r"^(?!>>>)(.+)\n?((?:>>>.*\n?)*)", part, re.MULTILINE):
        words = re.sub(r"\s+#.*", "", command)
        yield Step("command", words, "\n".join(re.findall(r"^>>> (.*)", typed, re.MULTILINE)))


# -- comparing -------------------------------------------------------------------------------------


def normalised(text: str) -> str:
    """Return a text without what differs from run to run, and with single blanks."""
    for pattern, word in NORMALISED.items():
        text = re.sub(pattern, word, text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def is_printed(shown: str, printed: str) -> bool:
    """Tell whether lines that a page shows stand in what was printed, one after the other.

    A long line may be wrapped on the page.
    """
    lines = normalised(shown).splitlines()
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else rf"{_pattern(line)}[ \n]" for line in lines
    )
    return re.search(f"^{pattern}", normalised(printed), re.MULTILINE) is not None


def _pattern(line: str) -> str:
    return ".*".join(map(re.escape, line.split("...")))


def cells(line: str) -> list[str]:
    """Return the cells of a row as pages show it: parted by two blanks or more."""
    return re.split(r"\s{2,}", line.strip())


def is_answer(shown: str, rows: Sequence[Sequence[str]], *, ordered: bool) -> bool:
    """Tell whether a page shows all rows of a query; without an order they come in any."""
    left = list(rows)
    for line in shown.splitlines():
        fitting = (row for row in (left[:1] if ordered else left) if _is_row(line, row))
        if (row := next(fitting, None)) is None:
            return False
        left.remove(row)
    return not left


def _is_row(line: str, row: Sequence[str]) -> bool:
    shown = cells(line)
    return len(shown) == len(row) and all(map(_same, shown, row))


def _same(shown: str, value: str) -> bool:
    """Compare numbers as numbers (-5.00 is -5), all else as text."""
    try:
        return Decimal(shown) == Decimal(value)
    except InvalidOperation:
        texts = normalised(shown).strip(), normalised(value).strip()
        return re.fullmatch(_pattern(texts[0]), texts[1]) is not None


def answer(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a page would show them, to be pasted there."""
    return "\n".join("  ".join(row) for row in rows)
