"""Every page is executed: what it says to type and to query is, and gives what the page shows.

One workspace is built from the samples; each page has a copy of it and is run from the top. What a
page shows and is not run is in `documents_not_run.txt`, with its reason; that list only shrinks.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator

import click
import documents
import pytest
import scenes
import surface_of
import yaml
from checkout import Checkout
from documents import Example, Step
from listed import kept

from pipelines.layouts.source import parse_source

FIRST = "make run"
"""What builds the workspace; the page that shows it is compared with what it printed there."""
SOURCE = "example"
"""The source that is added in an example."""


def not_run() -> dict[str, str]:
    """Return the places of the examples that are not run, with the reason."""
    lines = (line.rpartition("|") for line in kept("documents_not_run.txt"))
    return {place.strip(): reason.strip() for place, _, reason in lines}


def run_of(page: str) -> list[Example]:
    """Return the examples of a page that are run."""
    return [each for each in documents.examples(page) if each.place not in not_run()]


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Checkout:
    """A checkout in which the samples have been read and published."""
    checkout = Checkout.of(tmp_path_factory.mktemp("documents") / "project")
    assert checkout.run(FIRST) == 0, checkout.printed
    return checkout


class Reader:
    """Someone who does what a page says, in a checkout, and notes where it says otherwise."""

    def __init__(self, page: str, checkout: Checkout, first: str) -> None:
        self.examples = run_of(page)
        self.checkout = checkout
        self.first = first
        self.problems: list[str] = []

    def read(self) -> list[str]:
        """Do all of it; return what is not as the page says."""
        todo = [(example, step) for example in self.examples for step in documents.steps(example)]
        place = ""
        for (example, step), (_, following) in itertools.zip_longest(
            todo, todo[1:], fillvalue=(None, None)
        ):
            if example.place != place and (scene := scenes.SCENES.get(example.place)):
                scene(self.checkout)
            place = example.place
            shown = following is not None and following.kind == "printed"
            for problem in self.do(step, may_fail=shown):
                self.problems.append(f"{place}\n{problem}")
        return self.problems

    def do(self, step: Step, *, may_fail: bool) -> Iterator[str]:
        """Do one step; yield what is wrong."""
        match step.kind:
            case "command":
                yield from self.command(step, may_fail=may_fail)
            case "query":
                rows = self.checkout.query(step.text)
                ordered = "order by" in step.text
                if step.shows and not documents.is_answer(step.shows, rows, ordered=ordered):
                    yield f"shows\n{step.shows}\nfound\n{documents.answer(rows)}"
            case "printed":
                if not documents.is_printed(step.text, self.checkout.printed):
                    yield f"shows\n{step.text}\nprinted was\n{self.checkout.printed}"
            case "rows":
                self.checkout.append(step.text)
            case "settings":
                names = [word.partition("=")[0] for word in shlex.split(step.text, comments=True)]
                yield from (
                    f"sets {name}" for name in names if name not in kept("surface/environment.txt")
                )
            case "yaml":
                yield from self.declared(step.text)
            case _:
                yield f"a kind of example that nobody runs: {step.kind}"

    def command(self, step: Step, *, may_fail: bool) -> Iterator[str]:
        """Type a command. It may fail only where the page shows what it then says."""
        if step.text == FIRST:
            self.checkout.printed += self.first
            return
        words = (scenes.STAND_INS.get(word, word) for word in step.text.split(" "))
        before = len(self.checkout.printed)
        code = self.checkout.run(" ".join(words), step.shows or "")
        said = self.checkout.printed[before:]
        if (code and not may_fail) or "Traceback" in said:
            yield f"{step.text}: exit code {code}\n{said}"

    def declared(self, text: str) -> Iterator[str]:
        """Put YAML into the source of the example, or hold a part of a file against the models."""
        file = self.checkout.root / "pipelines/defs/sources" / SOURCE / "defs.yaml"
        if file.exists() or text.splitlines()[1].startswith("type:"):
            self.checkout.edit(SOURCE, text)
            attributes = yaml.safe_load(file.read_text(encoding="utf-8"))["attributes"]
            parse_source(SOURCE, attributes, str(file))
            return
        parsed = yaml.safe_load(re.sub(r"^\s*\.\.\.$", "", text, flags=re.MULTILINE))
        if isinstance(parsed, dict):
            file = file.parents[1] / "coinshares" / "defs.yaml"
            attributes = yaml.safe_load(file.read_text(encoding="utf-8"))["attributes"]
            parse_source("coinshares", attributes | parsed, str(file))
            return
        known = {line.partition(":")[0].split(".")[-1] for line in kept("surface/defs_yaml.txt")}
        unknown = {name for each in parsed for name in each} - known
        yield from (f"there is no field {name}" for name in sorted(unknown))


PAGES = [
    pytest.param(page, marks=[] if page == "README.md" else pytest.mark.slow)
    for page in documents.pages()
    if run_of(page)
]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_happens(page, built, tmp_path):
    problems = Reader(page, built.copy(tmp_path / "project"), built.printed).read()
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)


def test_queries_within_sentences_run(built):
    spans = [span for page in documents.pages() for span in documents.inline(page)]
    queries = [span for span in spans if re.match(r"(select|from) \S", span)]
    assert queries
    for query in queries:
        built.query(query)


def test_examples_that_are_not_run_are_there_and_have_a_reason():
    places = [each.place for page in documents.pages() for each in documents.examples(page)]
    listed = not_run()
    assert len(listed) == len(kept("documents_not_run.txt"))
    gone = sorted(listed.keys() - set(places))
    assert not gone, "run now, renamed or gone: take its line out, the list only shrinks"
    assert all(len(reason.split()) > 3 and reason.endswith(".") for reason in listed.values())


def test_scenes_are_set_in_front_of_examples():
    run = {each.place for page in documents.pages() for each in run_of(page)}
    assert scenes.SCENES.keys() <= run


# -- names -----------------------------------------------------------------------------------------


def named(pattern: str) -> dict[str, str]:
    """Return what a pattern finds in the code of the pages, each with a page that names it."""
    return {
        found: page
        for page in documents.pages()
        for span in documents.code(page)
        for found in re.findall(pattern, span)
    }


def commands() -> set[str]:
    """Return the commands as listed: `fundflows add`, `fundflows add --published`."""
    lines = (line.partition(", default")[0].split() for line in kept("surface/commands.txt"))
    return {" ".join(word for word in line if word.islower()) for line in lines} - {"fundflows"}


def options_of(span: str) -> Iterator[str]:
    """Return the options that follow a command in a piece of code, as the list names them."""
    if command := re.search(r"fundflows ([a-z][a-z-]*)", span):
        yield from (
            f"fundflows {command[1]} {option}" for option in re.findall(r"--[a-z-]*[a-z]", span)
        )


def test_pages_name_commands_and_options_that_are_there():
    known = commands()
    mentions = named(r"(?<![\w/.-])(?:\.venv/bin/)?(fundflows [a-z][a-z-]*)\b(?![@.])")
    assert {name: page for name, page in mentions.items() if name not in known} == {}
    used = {
        option: page
        for page in documents.pages()
        for span in documents.code(page)
        for option in options_of(span)
    }
    assert {name: page for name, page in used.items() if name not in known} == {}


def test_pages_name_each_command_and_option():
    mentioned = " ".join(span for page in documents.pages() for span in documents.code(page))
    for line in kept("surface/commands.txt"):
        words = line.partition(", default")[0].split()
        if len(words) == 2 and words[1].islower() and not words[1].startswith("-"):
            assert line in mentioned, f"no page shows {line}"
        for option in words[2:]:
            if option.startswith("--") and option != "--help":
                assert option in mentioned, f"no page shows {line}"


def test_pages_name_tables_macros_variables_and_targets_that_are_there():
    lines = [*kept("surface/tables.txt"), *kept("surface/macros.txt")]
    known = {re.split(r"[ (]", line)[0] for line in lines}
    files = r"(?!sql\b|py\b|yaml\b|csv\b)"
    tables = named(rf"(?<![\w/.])((?:core|mart|ops|reference)\.{files}[a-z]\w*[a-z0-9])\b")
    assert {name: page for name, page in tables.items() if name not in known} == {}
    variables = named(r"\b(FUNDFLOWS_[A-Z_]+)") | named(r"\b(DAGSTER_HOME)\b")
    of_tests = {"FUNDFLOWS_REAL", "FUNDFLOWS_REWRITE_SNAPSHOTS"}
    ours = {*kept("surface/environment.txt"), *of_tests}
    assert {name: page for name, page in variables.items() if name not in ours} == {}
    assert set(kept("surface/environment.txt")) - variables.keys() == {"PYTHONWARNINGS"}
    targets = named(r"\bmake ([a-z]+)")
    assert {
        name: page for name, page in targets.items() if name not in kept("surface/make.txt")
    } == {}


# -- help ------------------------------------------------------------------------------------------


def test_every_command_and_option_says_what_it_does():
    for context in surface_of.commands():
        first = (context.command.help or "").strip().partition("\n")[0]
        assert re.fullmatch(r"[A-Z].*\.", first), (
            f"{context.command_path}: {first!r} is no sentence"
        )
        shown = " ".join(context.get_help().split())
        assert first in shown
        for each in surface_of.parameters(context):
            if isinstance(each, click.Option):
                said = each.help or ""
                name = f"{context.command_path} {each.opts[-1]}"
                assert re.fullmatch(r"[A-Z].*[.]", said, re.DOTALL), (
                    f"{name}: {said!r} is no sentence"
                )
                assert each.opts[-1] in shown
            else:
                assert each.make_metavar(context) in shown


# -- the harness -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "ordered", "fits"),
    [
        ("-5  BTC\n0.5  a long ...", True, True),
        ("0.5  a long name\n-5  BTC", True, False),
        ("0.5  a long name\n-5  BTC", False, True),
        ("-5  BTC", False, False),
        ("5  BTC\n0.5  a long name", False, False),
        ("-5  ETH\n0.5  a long name", False, False),
        ("-5\n0.5", False, False),
        ("-5  BTC\n0.5  a long name\n1  ETH", False, False),
        ("-5  BTC\n-5  BTC", False, False),
    ],
)
def test_an_answer_is_all_rows_with_all_cells(shown, ordered, fits):
    rows = [["-5.00", "BTC"], ["0.500", "a long name"]]
    assert documents.is_answer(shown, rows, ordered=ordered) is fits


@pytest.mark.parametrize(
    ("shown", "fits"),
    [
        ("one\n  two   three", True),
        ("two three\n4 weeks in 0:00:09", True),
        ("one\n...\n4 weeks ...", True),
        ("one two\nthree", False),
        ("one\n4 weeks ...", False),
        ("one\ntwo four", False),
        ("two three 4 weeks in 0:00:01", False),
        ("4\nweeks in 0:00:02", True),  # wrapped on the page
        ("ne\ntwo three", False),
    ],
)
def test_printed_lines_stand_one_after_the_other(shown, fits):
    assert documents.is_printed(shown, "one\ntwo three\n\n4 weeks in 0:00:02\n") is fits


def test_an_example_is_taken_apart():
    text = """\
fundflows run   # reads
fundflows ui
>>> typed
>>> twice

select 1
from a
select 2

2  b

printed"""
    found = documents.steps(documents.Example("page", "heading", 1, "", text))
    assert found == [
        Step("command", "fundflows run", ""),
        Step("command", "fundflows ui", "typed\ntwice"),
        Step("query", "select 1\nfrom a"),
        Step("query", "select 2", "2  b\nprinted"),
    ]
