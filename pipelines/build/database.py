"""Write, audit, publish: one DuckDB file from the weeks' files.

A build goes into a temporary file beside the served one, in one process, is audited there, and is
renamed over the served file. Readers keep the file that they opened; a crash or a failed audit
leaves the served file as it was. The only module that opens DuckDB for writing.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandera.polars as pa
import polars as pl

from pipelines.build import as_known, errors, models
from pipelines.build.models import SQL, Model
from pipelines.reports import release, survey
from pipelines.reports.layout import Source
from pipelines.reports.release import Coverage
from pipelines.reports.warehouse import PROJECT, Warehouse, one_at_a_time, write_whole
from schemas import catalog
from schemas.observation import empty, frame

BUILD = "ops.build"
CORRECTION = "reference.correction"
MEMORY = "FUNDFLOWS_MEMORY"
"""Names the memory that DuckDB may take for a build before it uses the disk."""
_MEMORY = "400MB"
_SAMPLE = 5
_DAYS = ("week_ending", "trade_date", "period_end")
_AT_ONCE = 100_000
"""Rows that are held against their contract at a time."""
_UNMAPPED = """
    select dimension, label, source, min(period_start)
    from core.observation
    where member = 'unmapped' and dimension <> 'check' and value is not null
    group by all
    order by source, dimension, label
"""
_STALE = """
    select
        ledger.correction,
        concat_ws(' ', ledger.source, ledger.printed_table, ledger.label, ledger.measure,
            'of the', ledger.period, 'to', ledger.period_end),
        ledger.expected_value,
        coalesce(
            rtrim(rtrim(cast(newest.printed_value as varchar), '0'), '.'), newest.null_reason
        ),
        ledger.withdrawn_on is not null
    from reference.correction as ledger
    left join core.observation as newest
        using (source, printed_table, dimension, label, measure, period, period_end)
    where if(
        ledger.withdrawn_on is null,
        newest.correction is distinct from ledger.correction,
        ledger.correction not in (
            select correction from core.observation_history where correction is not null
        )
    )
    order by all
"""


@dataclass(frozen=True, slots=True)
class BuiltTable:
    """A table or view of a build."""

    name: str
    kind: str
    rows: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """The frames and files that the SQL reads under schema `facts`."""

    files: dict[str, list[Path]]
    frames: dict[str, pl.DataFrame]


def inputs(
    warehouse: Warehouse, sources: Collection[Source], as_of: dt.datetime | None = None
) -> Inputs:
    """Return what a build reads of a warehouse: the weeks' files, the archive, the sources."""
    until = as_of or dt.datetime.now(dt.UTC)
    expected = [
        each
        for source in sources
        for each in release.coverage(source, survey.spoken(warehouse, source), until)
    ]
    return Inputs(
        files={
            "facts.observation": warehouse.week_files("facts"),
            "facts.quarantine": warehouse.week_files("quarantine"),
            "facts.outcome": warehouse.week_files("outcomes"),
        },
        frames={
            "facts.report": _reports(warehouse, sources),
            "facts.source": _sources(sources),
            "facts.coverage": _coverage(expected),
        },
    )


def _sources(sources: Collection[Source]) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "source": source.name,
            "title": source.title,
            "publisher": source.publisher,
            "url": source.url,
            "universe": source.universe,
            "country_basis": source.country_basis,
            "week_ends": source.week.ends,
            "report_covers": source.report_covers,
            "is_split_adjusted": source.is_split_adjusted,
            "price_basis": source.price_basis,
        }
        for source in sources
    ]
    return frame(catalog.contract_of("facts.source"), rows)


def _reports(warehouse: Warehouse, sources: Collection[Source]) -> pl.DataFrame:
    """List the archive with what the surveys say of each report."""
    rows: list[dict[str, object]] = [
        {
            "report_id": each.archived.report.report_id,
            "source": source.name,
            "name": each.archived.report.name,
            "layout": each.layout,
            "received_at": each.archived.report.received_at,
            "published_at": each.published_at,
            "known_at": each.known_at,
            "first_week": each.first_week,
            "last_week": each.last_week,
            "weeks": each.weeks,
            "error": each.error,
        }
        for source in sources
        for each in survey.contents(warehouse, source, parsing=False)
    ]
    return frame(catalog.contract_of("facts.report"), rows)


def _coverage(expected: list[Coverage]) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "source": each.source,
            "week_ending": each.week,
            "expected_by": each.expected_by,
            "first_known_at": each.first_known_at,
            "state": each.state,
        }
        for each in expected
    ]
    return frame(catalog.contract_of("facts.coverage"), rows)


def fingerprint(warehouse: Warehouse, sources: Collection[Source]) -> str:
    """Return a hash of all that a build is made of: weeks, archive, SQL, contracts, this code."""
    digest = hashlib.sha256()
    for pattern in ("facts/*/*", "quarantine/*/*", "outcomes/*/*", "contents/*"):
        for file in sorted(warehouse.root.glob(f"{pattern}.parquet")):
            stat = file.stat()
            digest.update(file.relative_to(warehouse.root).as_posix().encode())
            digest.update(f" {stat.st_size} {stat.st_mtime_ns}\n".encode())
    reference = models.reference_tables().values()
    code = [*SQL.rglob("*.sql"), *reference, *Path(__file__).parent.glob("*.py")]
    for file in sorted([*code, *(PROJECT / "schemas").glob("*.py")]):
        digest.update(file.read_bytes())
    digest.update(_sources(sources).write_json().encode())
    now = dt.datetime.now(dt.UTC)
    digest.update("".join(release.position(source, now) for source in sources).encode())
    return digest.hexdigest()[:16]


def published_fingerprint(warehouse: Warehouse) -> str | None:
    """Return the fingerprint of the served database, or None if there is none that opens."""
    if not warehouse.database.exists():
        return None
    try:
        with closing(duckdb.connect(str(warehouse.database), read_only=True)) as connection:
            rows = connection.execute(f"select inputs from {BUILD}").fetchall()  # noqa: S608
    except duckdb.Error:
        return None
    return str(rows[0][0]) if rows else None


def publish(
    warehouse: Warehouse,
    sources: Collection[Source],
    *,
    as_of: dt.datetime | None = None,
    target: Path | None = None,
    on_table: Callable[[BuiltTable], None] = lambda _: None,
    on_wait: Callable[[], object] = lambda: None,
) -> list[BuiltTable]:
    """Build the database, audit it, and rename it over the served file.

    Two builds of the same file follow each other, so that the later one is of the newer weeks.

    Args:
        warehouse: where the weeks lie and the database is served.
        sources: the sources, for `core.source` and `core.report`.
        as_of: admit only what was known by then.
        target: another file than the served one.
        on_table: told about each table as it is built.
        on_wait: called when another build has to end first.

    Raises:
        BuildError: a model, a contract or an audit failed. The served file stays as it was.
    """
    served = target or warehouse.database
    built: list[BuiltTable] = []

    def write(file: Path) -> None:
        file.unlink()  # DuckDB makes the file itself
        with closing(opened(file)) as connection:
            built.extend(
                _build(
                    connection,
                    inputs(warehouse, sources, as_of),
                    as_of=as_of,
                    stamp=stamp,
                    on_table=on_table,
                )
            )

    with one_at_a_time(served, on_wait):
        stamp = fingerprint(warehouse, sources)
        write_whole(served, write)
    return built


def _build(
    connection: duckdb.DuckDBPyConnection,
    read: Inputs,
    *,
    as_of: dt.datetime | None,
    stamp: str,
    on_table: Callable[[BuiltTable], None],
) -> list[BuiltTable]:
    _open_inputs(connection, read, as_of)
    for schema in catalog.SCHEMAS:
        connection.execute(f"create schema if not exists {schema}")
    for macro in models.macros().values():
        connection.execute(macro)
    built = _load_reference(connection, as_of)
    waiting = list(models.models().values())
    while waiting:
        model = waiting.pop(0)
        table = _create(connection, model)
        on_table(table)
        built.append(table)
        read_later = {name for each in waiting for name in each.reads}
        for name in catalog.FACTS.keys() & set(model.reads) - read_later:
            connection.execute(f"drop table {name}")  # else it fills the memory to the end
    for statement in as_known.macros():
        connection.execute(statement)
    _stamp(connection, as_of, stamp)
    if as_of is None:  # of a past day, a line may have been overtaken and not yet withdrawn
        _corrections_hold(connection)
    audit(connection)
    _comment(connection)
    connection.execute("checkpoint")
    return built


def opened(file: Path) -> duckdb.DuckDBPyConnection:
    """Open a file to build in, and beside it `facts` in memory, for what is no part of it."""
    connection = duckdb.connect()
    try:
        connection.execute("set memory_limit = $limit", {"limit": _limit()})
    except duckdb.Error as error:
        raise errors.no_amount_of_memory(MEMORY, _limit()) from error
    connection.execute("set temp_directory = $folder", {"folder": f"{file}.tmp"})
    connection.execute("set timezone = 'UTC'")
    # No log: a build that is cut off is begun again.
    quoted = str(file).replace("'", "''")
    connection.execute(f"attach '{quoted}' as built (recovery_mode no_wal_writes)")
    connection.execute("attach ':memory:' as facts")
    connection.execute("use built")
    return connection


def _limit() -> str:
    return os.environ.get(MEMORY) or _MEMORY


def _load_reference(
    connection: duckdb.DuckDBPyConnection, as_of: dt.datetime | None = None
) -> list[BuiltTable]:
    loaded = []
    for name, file in models.reference_tables().items():
        schema = empty(catalog.contract_of(name)).schema
        read = pl.read_csv(file, infer_schema=False, glob=False)
        if set(read.columns) != set(schema):
            raise errors.shape_of(name, list(schema), read.columns)
        try:
            rows = read.select(_typed(column, dtype) for column, dtype in schema.items())
        except pl.exceptions.PolarsError as error:
            raise errors.failed_query(name, f"sql/reference/{file.name}", str(error)) from error
        if name == CORRECTION and as_of:
            rows = _known_corrections(rows, as_known.last_day_over(as_of))
        connection.register("arriving", rows)
        connection.execute(f"create or replace table {name} as from arriving")
        connection.unregister("arriving")
        loaded.append(BuiltTable(name, "table", rows.height))
    return loaded


def _known_corrections(rows: pl.DataFrame, day: dt.date) -> pl.DataFrame:
    """Return the corrections that were decided by the end of a day, as they then stood."""
    known = rows.filter(pl.col("corrected_on") <= day)
    return known.with_columns(
        withdrawn_on=pl.when(pl.col("withdrawn_on") <= day).then(pl.col("withdrawn_on"))
    )


def _corrections_hold(connection: duckdb.DuckDBPyConnection) -> None:
    """Hold every correction against the printed number that it expects.

    Raises:
        BuildError: with the line of the ledger, what it expects and what is printed now.
    """
    _keeps_contract(connection, CORRECTION)
    stale = connection.execute(_STALE).fetchall()
    if stale:
        correction, number, expected, found, is_withdrawn = stale[0]
        file = models.reference_tables()[CORRECTION]
        raise errors.stale_correction(
            correction,
            f"{file}:{_line_of(file, correction)}",
            expected=f"{number} printed as {expected.normalize():f}",
            found=found or "no such number",
            is_withdrawn=is_withdrawn,
        )


def _line_of(file: Path, correction: str) -> int:
    """Return the number of the line in the ledger that begins with a correction's name."""
    with file.open(encoding="utf-8", newline="") as opened:
        rows = csv.DictReader(opened)
        return next(rows.line_num for row in rows if row["correction"] == correction)


def _typed(column: str, dtype: pl.DataType) -> pl.Expr:
    """Read a text of a reference file as its contract's type."""
    if dtype == pl.Date:
        return pl.col(column).str.to_date()
    if dtype == pl.Boolean:
        return pl.col(column).replace_strict(
            {"true": True, "false": False}, return_dtype=pl.Boolean
        )
    return pl.col(column).cast(dtype)


def _open_inputs(
    connection: duckdb.DuckDBPyConnection, read: Inputs, as_of: dt.datetime | None
) -> None:
    """Make the inputs visible as tables of schema `facts`, as known by `as_of`."""
    # To keep thousands of small files in their order takes three times the time, and all memory.
    connection.execute("set preserve_insertion_order = false")
    for name in (*read.files, *read.frames):
        files = [str(file) for file in read.files.get(name, [])]
        rows = read.frames.get(name, empty(catalog.contract_of(name)))
        known = " where known_at <= $as_of" if as_of and "known_at" in rows.columns else ""
        parameters: dict[str, object] = {"as_of": as_of} if known else {}
        if files:
            parameters["files"] = files
        connection.register("arriving", rows)
        origin = "read_parquet($files)" if files else "arriving"
        try:
            connection.execute(f"create table {name} as from {origin}{known}", parameters)
        except duckdb.OutOfMemoryException as error:
            raise errors.out_of_memory(name, MEMORY, _limit(), str(error)) from error
        except duckdb.Error as error:
            raise errors.damaged_week(name, str(error)) from error
        connection.unregister("arriving")
    connection.execute("reset preserve_insertion_order")


def _create(connection: duckdb.DuckDBPyConnection, model: Model) -> BuiltTable:
    """Create a model's table or view with exactly the columns and types of its contract."""
    schema, _, stem = model.name.partition(".")
    file = f"sql/{schema}/{stem}.sql"
    columns = catalog.columns(catalog.contract_of(model.name))
    try:
        found = connection.sql(model.sql).columns
        if sorted(found) != sorted(column.name for column in columns):
            raise errors.shape_of(model.name, [column.name for column in columns], found)
        connection.execute(f"create {model.kind} {model.name} as {model.typed(model.sql)}")
        counted = connection.execute(f"select count(*) from {model.name}").fetchall()  # noqa: S608
    except duckdb.OutOfMemoryException as error:
        raise errors.out_of_memory(model.name, MEMORY, _limit(), str(error)) from error
    except duckdb.Error as error:
        raise errors.failed_query(model.name, file, str(error)) from error
    return BuiltTable(model.name, model.kind, int(counted[0][0]))


def _stamp(connection: duckdb.DuckDBPyConnection, as_of: dt.datetime | None, stamp: str) -> None:
    """Leave one row that says how the database was built."""
    row = frame(
        catalog.contract_of(BUILD),
        [
            {
                "built_at": dt.datetime.now(dt.UTC),
                "as_of": as_of,
                "inputs": stamp,
                "duckdb_version": duckdb.__version__,
            }
        ],
    )
    connection.register("arriving", row)
    connection.execute(f"create or replace table {BUILD} as from arriving")
    connection.unregister("arriving")


def audit(connection: duckdb.DuckDBPyConnection) -> None:
    """Hold every table against its contract, and run the audits.

    Raises:
        BuildError: with a few of the rows that must not be there.
    """
    for name in _tables(connection):
        _keeps_contract(connection, name)
    for name, file in models.audits().items():
        rows = connection.sql(file.read_text(encoding="utf-8")).pl()
        if rows.height:
            sample = "\n".join(str(row) for row in rows.head(_SAMPLE).to_dicts())
            raise errors.failed_audit(name, f"sql/audit/{file.name}", rows.height, sample)


def _keeps_contract(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    contract = catalog.contract_of(name)
    for rows in _slices(connection, name, contract):
        try:
            contract.validate(rows, lazy=True)
        except pa.errors.SchemaErrors as broken:
            raise errors.broken_contract(name, _cases(broken.failure_cases)) from broken


def _slices(
    connection: duckdb.DuckDBPyConnection, name: str, contract: type[pa.DataFrameModel]
) -> Iterator[pl.DataFrame]:
    """Return a table's rows, of a large one some weeks or days at a time.

    No check of a contract looks beyond a week or day that is part of the table's key.
    """
    table = connection.table(name)
    rows = len(table)
    key = contract.to_schema().unique or []
    day = next((column for column in key if column in _DAYS), None)
    if day is None or rows <= _AT_ONCE:
        yield table.pl()
        return
    bounds = connection.execute(
        f"""
        select min({day}), max({day})
        from (
            select {day}, sum(count(*)) over (order by {day}) // {_AT_ONCE} as slice
            from {name} group by {day}
        )
        group by slice
        """  # noqa: S608 (names of our own)
    ).fetchall()
    for first, last in bounds:
        within = duckdb.ColumnExpression(day).between(
            duckdb.ConstantExpression(first), duckdb.ConstantExpression(last)
        )
        yield table.filter(within).pl()


def unmapped_labels(database: Path) -> list[str]:
    """Return the printed labels that mean no member, each with the reference line to add."""
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        rows = connection.execute(_UNMAPPED).fetchall()
    return [
        lines_to_add(dimension, label, source, since) for dimension, label, source, since in rows
    ]


def unmapped_in(observations: pl.DataFrame) -> list[str]:
    """Return what `unmapped_labels` would say of observations that are stored nowhere."""
    wanted = ("core.member_label", "core.observation_history", "core.observation")
    reports = observations.group_by("source", "report_id").agg(pl.col("known_at").first())
    listed = [
        {**row, "name": "", "received_at": row["known_at"], "weeks": 0}
        for row in reports.iter_rows(named=True)
    ]
    contract = catalog.contract_of("facts.report")
    read = Inputs(
        files={},
        frames={"facts.observation": observations, "facts.report": frame(contract, listed)},
    )
    with closing(duckdb.connect()) as connection:
        connection.execute("attach ':memory:' as facts")
        _open_inputs(connection, read, None)
        for schema in catalog.SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
        _load_reference(connection)
        for name in wanted:
            _create(connection, models.models()[name])
        rows = connection.execute(_UNMAPPED).fetchall()
    return [
        lines_to_add(dimension, label, source, since) for dimension, label, source, since in rows
    ]


def printed_labels(dimension: str, asset_classes: Collection[str] = ()) -> list[str]:
    """Return one printed label for each current member of a dimension, as a report prints it.

    Of assets, only those of the given classes, if any are given.
    """
    alias = pl.read_csv(
        models.reference_tables()["reference.alias"], infer_schema=False, glob=False
    )
    current = alias.filter((pl.col("dimension") == dimension) & pl.col("valid_to").is_null())
    names = pl.read_csv(
        models.reference_tables()[f"reference.{dimension}"], infer_schema=False, glob=False
    )
    if dimension == "asset" and asset_classes:
        names = names.filter(pl.col("asset_class").is_in(list(asset_classes)))
    named = names.rename({dimension: "member", f"{dimension}_name": "name"})
    printed = current.join(named, on="member").with_columns(
        is_name=pl.col("label").str.to_lowercase() == pl.col("name").str.to_lowercase()
    )
    best = printed.sort("is_name", descending=True).unique("member", keep="first")
    return best.sort("member").get_column("label").to_list()


def lines_to_add(dimension: str, label: str, source: str, since: dt.date) -> str:
    """Return the reference line that would map a label, and where it belongs."""
    quoted = f'"{label}"' if "," in label else label
    file, line = (
        ("fund_identifier.csv", f"<fund id>,ticker,{quoted},{since},")
        if dimension == "fund"
        else ("alias.csv", f"{dimension},{quoted},<{dimension}>,1900-01-01,,")
    )
    return f"{source}: {label!r} (since {since}) -> sql/reference/{file}: {line}"


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where not internal and database_name = current_database() order by 1"
    ).fetchall()
    return [name for (name,) in found]


def _cases(cases: pl.DataFrame) -> str:
    counted = cases.group_by("check", maintain_order=True).agg(
        pl.len(), pl.col("failure_case").head(2)
    )
    return "\n".join(
        f"{row['check']}: {row['len']} times, such as {'; '.join(map(str, row['failure_case']))}"
        for row in counted.head(_SAMPLE).iter_rows(named=True)
    )


def _comment(connection: duckdb.DuckDBPyConnection) -> None:
    """Comment every table and column with the text of its contract."""
    views = {model.name for model in models.models().values() if model.kind == "view"}
    listed = connection.execute(
        "select schema_name || '.' || view_name from duckdb_views() "
        "where not internal and database_name = current_database()"
    ).fetchall()
    for name in [*_tables(connection), *(name for (name,) in listed if name in views)]:
        contract = catalog.contract_of(name)
        kind = "view" if name in views else "table"
        connection.execute(f"comment on {kind} {name} is {_quoted(catalog.description(contract))}")
        for column in catalog.columns(contract):
            connection.execute(
                f'comment on column {name}."{column.name}" is {_quoted(column.description)}'
            )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
