"""A copy of the project in which the examples of the pages are run, by the real commands.

What people type writes into the project (its warehouse, its reference rows, its sources), so it is
done in a copy; the environment's Python is shared and never installed into. Nothing asserts here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import chdir, closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
from house import HOUSE
from world import PATIENCE

FOLDERS = ("pipelines", "schemas", "sql", "samples")
FILES = ("Makefile", "pyproject.toml", "requirements.lock", "dagster.yaml")


@dataclass
class Checkout:
    """The copy, and all that its commands have printed so far."""

    root: Path
    printed: str = ""

    @classmethod
    def of(cls, root: Path) -> Checkout:
        """Copy the project without its data."""
        for name in FOLDERS:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(HOUSE / name, root / name, ignore=ignored)
        for name in FILES:
            shutil.copy(HOUSE / name, root / name)  # older than .stamp
        made = cls(root)
        made.borrow_python()
        return made

    def copy(self, root: Path) -> Checkout:
        """Copy this one with its data; the copy has printed nothing."""
        shutil.copytree(self.root, root, symlinks=True)
        return Checkout(root)

    def borrow_python(self) -> None:
        """Make `.venv` of this Python, up to date for make, so that nothing is installed."""
        environment = self.root / ".venv"
        environment.mkdir()
        for name in ("lib", "lib64", "pyvenv.cfg"):
            if (Path(sys.prefix) / name).exists():
                (environment / name).symlink_to(Path(sys.prefix) / name)
        (environment / "bin").symlink_to(Path(sys.executable).parent)
        (environment / ".stamp").touch()

    def run(self, command: str, typed: str = "") -> int:
        """Run a command as people do in the project's folder; keep what it prints.

        It sees nothing of the environment of the tests but where programs are.
        """
        environment = {
            "PATH": f"{self.root / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.root),
            "PYTHONPATH": str(self.root),
            "PYTHONUTF8": "1",
            "TERM": "dumb",
            "TZ": "UTC",
        }
        ran = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.root,
            env=environment,
            input=typed and f"{typed}\n",
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=PATIENCE,
        )
        self.printed += ran.stdout
        return ran.returncode

    def query(self, sql: str) -> list[list[str]]:
        """Return the rows of a query of the published database, each value as DuckDB prints it."""
        file = self.root / "warehouse" / "fundflows.duckdb"
        # From the copy's folder: a query may name a file, and the project may have one like it.
        with chdir(self.root), closing(duckdb.connect(str(file), read_only=True)) as connection:
            connection.execute("set timezone = 'UTC'")
            shown = f"select coalesce(cast(columns(*) as varchar), 'NULL') from ({sql})"
            return [list(row) for row in connection.execute(shown).fetchall()]

    # -- what people edit --------------------------------------------------------------------------

    def append(self, lines: str) -> None:
        """Append rows to reference files; a line without a file goes to that of the line before."""
        file = None
        for line in lines.splitlines():
            named, _, row = line.rpartition("  ")
            file = self.root / named.strip() if named.strip() else file
            assert file is not None, "the first line names its file"
            with file.open("a", encoding="utf-8") as opened:
                opened.write(f"{row.strip()}\n")

    def edit(self, source: str, text: str) -> None:
        """Write a source's file, or put the new lines of a part of it where they belong.

        A line that is there already says where the lines after it go; `...` stands for what is
        left out.
        """
        file = self.root / "pipelines" / "defs" / "sources" / source / "defs.yaml"
        if not file.exists():
            file.parent.mkdir()
            file.write_text(f"{text}\n", encoding="utf-8")
            return
        lines, at, new = file.read_text(encoding="utf-8").splitlines(), 0, list[str]()
        for line in text.splitlines():
            if line in lines[at:]:
                known = lines.index(line, at)
                lines[known:known] = new
                at, new = known + len(new) + 1, []
            elif line.strip() != "...":
                new.append(line)
        file.write_text("\n".join([*lines, *new, ""]), encoding="utf-8")
