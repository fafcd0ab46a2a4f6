"""The project's own code as data: which module imports what, and how long everything is.

Files are parsed and never imported, so that imports inside functions count, too. The rules are in
`test_house_rules`, the lists that they are held against in `house_rules/`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import sqlglot

HOUSE = Path(__file__).parents[1]
FOLDERS = ("pipelines", "schemas", "samples", "benchmarks", "tests")


@dataclass(frozen=True, slots=True)
class Size:
    """How long a thing is: its kind in the budget, its place, its lines (or CTEs)."""

    kind: str
    place: str
    size: int


@cache
def files() -> dict[str, Path]:
    """Return the Python files of the project by the name under which they are imported."""
    found = {}
    for folder in FOLDERS:
        for file in sorted((HOUSE / folder).rglob("*.py")):
            parts = file.relative_to(HOUSE).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = file
    return found


@cache
def tree(module: str) -> ast.Module:
    """Return the parsed source of a module."""
    return ast.parse(files()[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """Return what a module imports anywhere in it, by full name; our own modules as modules."""
    is_package = files()[module].name == "__init__.py"
    package = module if is_package else module.rpartition(".")[0]
    return frozenset(imported_in(tree(module), package)) - {module}


def imported_in(parsed: ast.Module, package: str) -> Iterator[str]:
    """Return what is imported in a module of a package, also within its functions."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            for alias in node.names:
                # `from package import module`, or `from module import name`
                yield name if (name := f"{base}.{alias.name}") in files() else base


def private_parts(module: str) -> list[str]:
    """Return the private attributes that a module takes of things that are not its own."""
    return sorted(
        {
            node.attr
            for node in ast.walk(tree(module))
            if isinstance(node, ast.Attribute)
            and node.attr.startswith("_")
            and not node.attr.startswith("__")
            and ast.unparse(node.value) not in ("self", "cls", "os")  # os._exit is documented
        }
    )


def circle(graph: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a circle in a graph of imports, from an importer to what it imports, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def sizes() -> Iterator[Size]:
    """Measure every module, class and function, and every SQL file with its CTEs."""
    for module, file in files().items():
        place = file.relative_to(HOUSE).as_posix()
        lines = len(file.read_text(encoding="utf-8").splitlines())
        is_test = file.name.startswith("test_")
        yield Size("test module" if is_test else "module", place, lines)
        yield from _parts(tree(module), place, "")
    for file in sorted((HOUSE / "sql").rglob("*.sql")):
        place, text = file.relative_to(HOUSE).as_posix(), file.read_text(encoding="utf-8")
        yield Size("model", place, len(text.splitlines()))
        if not place.startswith("sql/macros/"):
            parsed = sqlglot.parse_one(text, read="duckdb")
            yield Size("CTEs", place, len(list(parsed.find_all(sqlglot.exp.CTE))))


def _parts(node: ast.AST, place: str, outer: str) -> Iterator[Size]:
    for child in ast.iter_child_nodes(node):
        inner = outer
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            kind = "class" if isinstance(child, ast.ClassDef) else "function"
            inner = f"{outer}.{child.name}".lstrip(".")
            lines = (child.end_lineno or child.lineno) - child.lineno + 1
            yield Size(kind, f"{place}:{inner}", lines)
        yield from _parts(child, place, inner)
