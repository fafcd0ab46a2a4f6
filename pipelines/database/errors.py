"""Why a build is not published."""

from __future__ import annotations

from pipelines.errors import FundflowsError, Where


class BuildError(FundflowsError):
    """A model, a contract or an audit failed: the served file stays as it was."""


class RowsError(BuildError):
    """Rows are as a model, a contract, an audit or a correction does not expect them."""


def shape_of(table: str, file: str, expected: list[str], found: list[str]) -> BuildError:
    """A model's columns are not those of its contract."""
    missing = [column for column in expected if column not in found]
    extra = [column for column in found if column not in expected]
    differences = "; ".join(
        part
        for part in (
            f"missing {', '.join(missing)}" if missing else "",
            f"not in the contract: {', '.join(extra)}" if extra else "",
        )
        if part
    )
    schema = table.partition(".")[0]
    return BuildError(
        f"Model {table} does not have the columns of its contract.",
        where=Where(file=file),
        expected=", ".join(expected),
        found=differences,
        fix=f"mend the file, or the class in schemas/{schema}.py",
    )


def no_amount_of_memory(variable: str, found: str) -> BuildError:
    """The environment names no amount of memory."""
    return BuildError(
        "The memory that a build may take cannot be read.",
        where=Where(file=variable),
        expected="an amount as DuckDB writes it, such as 512MB or 4GB",
        found=found,
        fix=f"change or unset the environment variable {variable}",
    )


def out_of_memory(table: str, variable: str, limit: str, message: str) -> BuildError:
    """A table needs more memory than a build may take, even with the disk."""
    return BuildError(
        f"Table {table} needs more memory than a build may take; nothing was published.",
        expected=f"at most {limit}",
        found=message,
        fix=f"set {variable} to more",
    )


def broken_line(table: str, place: str, fields: int, found: str) -> BuildError:
    """A line of a reference file is no row of its table."""
    return BuildError(
        f"A line of {table} is not a row of it; nothing was published.",
        where=Where(file=place),
        expected=f"{fields} fields in UTF-8, as in the first line of the file",
        found=found,
        fix="mend the line: a text with a comma stands in quotes",
    )


def wrong_value(table: str, place: str, column: str, expected: str, found: str) -> BuildError:
    """A value of a reference row is not of its column's type."""
    return BuildError(
        f"A row of {table} has a value that {column} cannot hold; nothing was published.",
        where=Where(file=place),
        expected=expected,
        found=found,
        fix="mend the line",
    )


def failed_query(table: str, file: str, message: str) -> RowsError:
    """DuckDB could not run a model."""
    return RowsError(
        f"Model {table} does not run.",
        where=Where(file=file),
        expected="a SELECT that DuckDB can run",
        found=message,
        fix="mend the SELECT",
    )


def unclear_names(table: str, file: str, reads: list[str], named: list[str]) -> BuildError:
    """A model reads tables that it does not name as schema.table."""
    return BuildError(
        f"Model {table} does not name its tables clearly.",
        where=Where(file=file),
        expected=", ".join(reads),
        found=", ".join(named),
        fix="write each table as schema.table without quotes, and give no alias a schema's name",
    )


def failed_audit(name: str, file: str, count: int, sample: str) -> RowsError:
    """An audit returned rows."""
    return RowsError(
        f"Audit {name} failed; nothing was published.",
        where=Where(file=file),
        expected="no rows",
        found=f"{count} row{'s' * (count != 1)}, of which the first:\n{sample}",
        fix="find the cause in the rows shown; the published database is still the last good one",
    )


def broken_contract(table: str, file: str, rules: str) -> RowsError:
    """Rows of a table break its contract."""
    schema = table.partition(".")[0]
    return RowsError(
        f"Table {table} breaks its contract; nothing was published.",
        where=Where(file=file),
        expected=f"the rules of the class in schemas/{schema}.py",
        found=rules,
        fix="find the cause in the rows shown; the published database is still the last good one",
    )


def stale_correction(
    correction: str, place: str, *, expected: str, found: str, is_withdrawn: bool
) -> RowsError:
    """A line of the corrections ledger expects a printed number that is not there."""
    fix = (
        "mend the line: while it held, no report printed what it expects"
        if is_withdrawn
        else "look at the newest report: if it prints the right number now, set withdrawn_on of "
        "the line to today; if it is wrong in another way, withdraw the line and add one for it"
    )
    return RowsError(
        f"Correction {correction} does not hold any more; nothing was published.",
        where=Where(file=place),
        expected=expected,
        found=found,
        fix=fix,
    )


def damaged_week(name: str, message: str) -> BuildError:
    """A week's file does not open."""
    return BuildError(
        f"The files of {name} cannot be read; nothing was published.",
        expected="the Parquet files that fundflows wrote",
        found=message,
        fix="delete the file that is named; the next run writes it again from the archive",
    )


def would_vanish(numbers: str, sources: list[str]) -> BuildError:
    """Numbers of the served database are not in the build, and nothing says why."""
    allowed = " ".join(f"--allow-loss {source}" for source in sources)
    return BuildError(
        "Numbers that are served would vanish; nothing was published.",
        expected="every number of the served database, or a newer vintage, a changed reference row "
        "or another version that takes it away",
        found=numbers,
        fix=f"bring back what is missing; if it is meant to go: fundflows run {allowed}",
    )


def undeclared(sources: list[str]) -> BuildError:
    """The warehouse holds weeks of sources that have no folder."""
    allowed = " ".join(f"--allow-loss {source}" for source in sources)
    return BuildError(
        "Numbers that are served would vanish; nothing was published.",
        where=Where(source=", ".join(sources)),
        expected="a folder in pipelines/defs/sources/ for every source of the warehouse",
        found=f"weeks of {', '.join(sources)}, and no such folder",
        fix=f"bring back the folder; if the source is meant to go: fundflows run {allowed}",
    )
