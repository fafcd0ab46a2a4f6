"""Building what a revision publishes, with its own `make`, command and environment.

Everything is kept under `.same/` by commit, so the second use of a commit costs nothing. The
working tree is built where it is, and anew every time.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from . import real
from .errors import CannotCompareError

DATABASE = "fundflows.duckdb"
REPORTS = ("samples", "real")

_TAIL = 15
_NOT_INHERITED = ("FUNDFLOWS_", "DAGSTER_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHONPATH")

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Revision:
    """A state of the code: `code` is its checkout, `home` where its builds are kept."""

    name: str
    home: Path
    code: Path
    commit: str | None = None

    def again(self) -> Revision:
        """Return the same revision with builds, and if it is a commit a checkout, of its own."""
        home = self.home.with_name(f"{self.home.name}-again")
        code = home / "code" if self.commit else self.code
        return replace(self, name=f"{self.name}, built again", home=home, code=code)


def revision(text: str, project: Path) -> Revision:
    """Return the revision that a text names; nothing or a dot is the working tree.

    Raises:
        CannotCompareError: git does not know it.
    """
    cache = project / ".same"
    if text in ("", "."):
        return Revision("working tree", cache / "working-tree", project)
    asked = ("git", "-C", project, "rev-parse", "--verify", "--quiet", f"{text}^{{commit}}")
    answer = subprocess.run(asked, capture_output=True, encoding="utf-8", check=False)
    if answer.returncode:
        raise CannotCompareError(
            f"{text!r} is neither a folder that holds {DATABASE} nor a revision that git knows"
        )
    commit = answer.stdout.strip()
    home = cache / commit[:12]
    return Revision(f"{text} {commit[:12]}", home, home / "code", commit)


def built(of: Revision, reports: str, project: Path, say: Say) -> Path:
    """Return the database that a revision publishes from the samples or the real reports.

    Raises:
        CannotCompareError: with the end of what the build printed.
    """
    kept = of.home / (
        reports if reports == "samples" else f"real-{real.fingerprint(real.folder())}"
    )
    file = kept / DATABASE
    if of.commit and file.is_file():
        return file
    with _one_at_a_time(of.home):
        if not (of.commit and file.is_file()):  # else somebody built it meanwhile
            _build(of, reports, file, project, say)
    return file


def _build(of: Revision, reports: str, file: Path, project: Path, say: Say) -> None:
    began = time.monotonic()
    _check_out(of, project)
    with tempfile.TemporaryDirectory(prefix="warehouse-", dir=of.home) as folder:
        log = of.home / f"{reports}.log"
        log.unlink(missing_ok=True)
        build = _Build(of, Path(folder), log, say)
        build.from_samples() if reports == "samples" else build.from_real()
        file.parent.mkdir(exist_ok=True)
        (Path(folder) / DATABASE).replace(file)
    say(f"{of.name}: built from {reports} in {time.monotonic() - began:.0f} s")


@contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    """Let one process at a time build a revision; the others wait."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_out(of: Revision, project: Path) -> None:
    """Put the files of a commit into its folder, whole or not at all."""
    if of.code.is_dir() or of.commit is None:
        return
    partial = of.home / "code.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    archive = of.home / "code.tar"
    for command in (
        ("git", "-C", project, "archive", "--format=tar", "-o", archive, of.commit),
        ("tar", "-xf", archive, "-C", partial),
    ):
        subprocess.run(command, check=True)
    archive.unlink()
    partial.replace(of.code)


@dataclass(frozen=True, slots=True)
class _Build:
    """One build into a warehouse of its own; what it prints goes to the log."""

    of: Revision
    warehouse: Path
    log: Path
    say: Say

    def from_samples(self) -> None:
        """Do what `make run` does."""
        self._must("make", "run")

    def from_real(self) -> None:
        """Add all real reports and the sample workbooks, then run once.

        What a revision does not take is said and left out: an older one may not know a source, or
        refuse a week that a newer one reads. The rows that it lacks are then differences.
        """
        self._must("make", ".venv/.stamp")
        fundflows = str(self.of.code / ".venv" / "bin" / "fundflows")
        self._run(fundflows, "init")  # which a revision from before warehouses were marked lacks
        for arrival in real.arrivals(real.folder(), self.of.code / "samples" / "reports"):
            if self._run(fundflows, *arrival.words):
                names = ", ".join(file.name for file in arrival.files)
                self.say(f"{self.of.name}: not all read by {arrival.source}: {names}")
        if self._run(fundflows, "run"):
            if not (self.warehouse / DATABASE).is_file():
                raise self._failed(fundflows, "run")
            self.say(f"{self.of.name}: weeks were refused, see {self.log}")

    def _must(self, *command: str) -> None:
        if self._run(*command):
            raise self._failed(*command)

    def _run(self, *command: str) -> int:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_INHERITED)}
        with self.log.open("a", encoding="utf-8") as log:
            return subprocess.run(
                command,
                cwd=self.of.code,
                env=inherited | {"FUNDFLOWS_WAREHOUSE": str(self.warehouse)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode

    def _failed(self, *command: str) -> CannotCompareError:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        said = [f"{self.of.name}: `{' '.join(command)}` failed", *lines[-_TAIL:]]
        return CannotCompareError("\n    ".join([*said, f"all that it printed: {self.log}"]))
