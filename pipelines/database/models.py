"""The SQL models: one SELECT per file, folder is schema, stem is table; and their macros.

A file that is written once for all dimensions makes a model for each of them.

Names, descriptions, dependencies and column lineage are read from the files; nothing is typed
twice. Nothing is executed here.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipelines.database import dimensions, errors
from pipelines.store.files import write_whole
from pipelines.store.paths import PROJECT
from schemas import catalog

if TYPE_CHECKING:  # it takes a while to import, and is needed only when the SQL has changed
    from sqlglot.lineage import Node

SQL = PROJECT / "sql"
_DERIVED = ("core", "ops", "mart")
_NAMED = re.compile(
    rf"""--.*|'(?:[^']|'')*'|\b((?:input|{"|".join(catalog.SCHEMAS)})\.\w+)\b(?!\s*\()"""
)
Lineage = dict[str, tuple[tuple[str, str], ...]]
"""For each column of a table, the (table, column) pairs that it is made of."""


@dataclass(frozen=True)
class Model:
    """One table or view: its name, its SELECT and the tables that it reads."""

    name: str
    path: Path
    dimension: str | None = None
    """The dimension that the model is about, of a file that makes a model for each."""

    @cached_property
    def sql(self) -> str:
        """The SELECT, with what its file says once for all dimensions of a kind."""
        sql = self.path.read_text(encoding="utf-8")
        return dimensions.repeated(dimensions.about(sql, self.dimension) if self.dimension else sql)

    @property
    def file(self) -> str:
        """The file as people find it: `sql/mart/flows.sql`."""
        return f"sql/{self.path.relative_to(SQL).as_posix()}"

    @property
    def query(self) -> str:
        """The SELECT without its header comment, for places that show the description anyway."""
        return re.sub(r"\A(?:--.*\n)+", "", self.sql)

    def typed(self, sql: str) -> str:
        """Return a query with exactly the columns and types of the contract, in its order."""
        columns = catalog.columns(catalog.contract_of(self.name))
        typed = ", ".join(f'cast("{c.name}" as {c.type}) as "{c.name}"' for c in columns)
        return f"select {typed} from ({sql}\n)"  # noqa: S608 (made of our own files)

    @property
    def kind(self) -> Literal["table", "view"]:
        """A table, unless the header says `kind: view`."""
        return "view" if re.search(r"^-- kind: view$", self.sql, re.MULTILINE) else "table"

    @property
    def code(self) -> str:
        """The SELECT and the macros that it calls: what decides its rows."""
        return "\n".join([self.sql, *(text for name, text in macros().items() if name in self.sql)])

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The tables that the SELECT reads: all that it names outside comments and texts."""
        return tuple(sorted({table for table in _NAMED.findall(self.sql) if table}))


@dataclass(frozen=True, slots=True)
class BuiltTable:
    """A table or view of a build."""

    name: str
    kind: str
    rows: int


@cache
def models() -> dict[str, Model]:
    """Return all models by name, each after those that it reads.

    Raises:
        graphlib.CycleError: when models read each other in a circle.
    """
    files = (file for schema in _DERIVED for file in sorted((SQL / schema).glob("*.sql")))
    found = {model.name: model for file in files for model in _models_in(file)}
    graph = {name: [read for read in model.reads if read in found] for name, model in found.items()}
    return {name: found[name] for name in TopologicalSorter(graph).static_order()}


def _models_in(file: Path) -> list[Model]:
    name = f"{file.parent.name}.{file.stem}"
    each = dimensions.dimensions_of(file.read_text(encoding="utf-8"))
    return [Model(f"{name}_{one}", file, one) for one in each] or [Model(name, file)]


@cache
def macros() -> dict[str, str]:
    """Return the statements that create the macros which models may call, by name.

    They come before the models and read no table, so that they depend on nothing.
    """
    files = sorted((SQL / "macros").glob("*.sql"))
    return {f"ops.{file.stem}": file.read_text(encoding="utf-8") for file in files}


def audits() -> dict[str, Path]:
    """Return the audits: queries that return the rows which must not be there."""
    return {file.stem: file for file in sorted((SQL / "audit").glob("*.sql"))}


def column_lineages(kept: Path) -> dict[str, Lineage]:
    """Return the column lineage of every model, by table.

    Args:
        kept: a file for the answer, valid for one state of the SQL and the contracts: tracing all
            columns takes as long as building all tables.

    Raises:
        BuildError: sqlglot cannot parse a model, or finds other tables in it than `Model.reads`.
    """
    traced = [(name, model.sql, _known_columns(model.reads)) for name, model in models().items()]
    state = hashlib.sha256(repr(traced).encode()).hexdigest()
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        stored = json.loads(kept.read_text(encoding="utf-8"))
        if stored["state"] == state:
            return {
                name: {
                    column: tuple((table, of) for table, of in made_of)
                    for column, made_of in columns.items()
                }
                for name, columns in stored["lineage"].items()
            }
    found = {name: _column_lineage(model) for name, model in models().items()}
    answer = json.dumps({"state": state, "lineage": found})
    write_whole(kept, lambda temporary: temporary.write_text(answer, encoding="utf-8"))
    return found


def _column_lineage(model: Model) -> Lineage:
    import sqlglot
    from sqlglot.lineage import lineage as trace

    try:
        tree = sqlglot.parse_one(model.sql, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise errors.failed_query(model.name, model.file, str(error)) from error
    tables = tree.find_all(sqlglot.exp.Table)
    reads = sorted({f"{table.db}.{table.name}" for table in tables if table.db})
    if reads != list(model.reads):
        raise errors.unclear_names(model.name, model.file, reads, list(model.reads))
    # Untrimmed: only the leaves are wanted, and trimming copies the tree for every column.
    known = _known_columns(model.reads)
    nodes = trace(None, tree, known, dialect="duckdb", trim_selects=False)
    return {column: _leaves(node) for column, node in nodes.items()}


def _leaves(node: Node) -> tuple[tuple[str, str], ...]:
    from sqlglot import exp

    leaves = {
        (f"{leaf.expression.db}.{leaf.expression.name}", leaf.name.split(".")[-1].strip('"'))
        for leaf in node.walk()
        if isinstance(leaf.expression, exp.Table) and leaf.expression.db
    }
    return tuple(sorted(leaves))


def _known_columns(tables: tuple[str, ...]) -> dict[str, dict[str, dict[str, str]]]:
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for table in tables:
        named, _, stem = table.partition(".")
        schema.setdefault(named, {})[stem] = {
            column.name: column.type for column in catalog.columns(catalog.contract_of(table))
        }
    return schema
