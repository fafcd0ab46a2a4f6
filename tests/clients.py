"""What older DuckDBs read of a published file: `python -m tests.clients FILE 1.2.2 1.4.4`.

Each version is installed in an environment of its own, so this needs the package index and is no
test. Printed for each: the tables and views that it counts, their rows, and the macros that answer.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

_SECONDS = 60
_COUNT = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
names = connection.execute(
    "select schema_name || '.' || table_name from duckdb_tables() where not internal union all "
    "select schema_name || '.' || view_name from duckdb_views() where not internal"
).fetchall()
rows = sum(
    connection.execute(f"select count(*) from (from {name})").fetchall()[0][0] for (name,) in names
)
print(f"{len(names)} tables and views, {rows} rows")
"""
_MACRO = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
macro = sys.argv[2]
print(connection.execute(f"select count(*) from {macro}('2026-01-27')").fetchall()[0][0], "rows")
"""
_MACROS = (
    "core.observation_as_known",
    "mart.flows_as_known",
    "mart.aum_change_as_known",
    "mart.fund_bridge_as_known",
)


def main(file: str, versions: list[str]) -> None:
    """Print what each version reads of a file."""
    for version in versions:
        with tempfile.TemporaryDirectory() as folder:
            venv.create(folder, with_pip=True)
            python = str(Path(folder) / "bin" / "python")
            install = [python, "-m", "pip", "install", "--quiet", f"duckdb=={version}"]
            subprocess.run(install, check=True)
            print(f"DuckDB {version}: {_answer(python, _COUNT, file)}")
            for macro in _MACROS:
                print(f"  {macro}: {_answer(python, _MACRO, file, macro)}")


def _answer(python: str, *program: str) -> str:
    try:
        ran = subprocess.run(
            [python, "-c", *program],
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            encoding="utf-8",
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {_SECONDS} seconds"
    lines = (ran.stdout if ran.returncode == 0 else ran.stderr).strip().splitlines()
    return lines[0] if ran.returncode == 0 else lines[-1]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
