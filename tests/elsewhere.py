"""What the tests are on another machine: under another clock, zone, locale, hash seed and path.

`python tests/elsewhere.py` collects the suite in twenty processes, each elsewhere, and compares the
ids of the tests and the bytes of all inputs that are made in code. Not a test itself.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import ctypes
import datetime as dt
import gc
import hashlib
import json
import locale
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
NOT_COPIED = shutil.ignore_patterns(".*", "warehouse", "__pycache__", "*.egg-info")


@dataclass(frozen=True)
class Place:
    """Where tests may run."""

    folder: str
    clock: int = 0  # days ahead
    zone: str = "UTC"
    locale: str = "C.UTF-8"
    seed: int = 0
    is_link: bool = False
    has_home: bool = True

    def environment(self) -> dict[str, str]:
        """Return the environment of a process there."""
        left_out = {"FUNDFLOWS_WAREHOUSE", "DAGSTER_HOME", "HOME", "LANG", "PYTHONPATH"}
        plain = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"} if self.locale == "C" else {}
        return {
            **{name: value for name, value in os.environ.items() if name not in left_out},
            **({"HOME": os.environ.get("HOME", "/")} if self.has_home else {}),
            **plain,
            "LC_ALL": self.locale,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": str(self.seed),
            "TZ": self.zone,
        }


HERE = Place("here")
FAR = Place("a path with [a-z]* {b} 100%", 366, "Asia/Kolkata", "C", 1, has_home=False)
TWENTY = tuple(
    Place(
        ("plain", "with blanks", "with [brackets]", "with [both] of them", "link")[number % 5],
        (0, 1, -1, 366, 40, -200, 10_000)[number % 7],
        ("Asia/Kolkata", "UTC", "America/Los_Angeles", "Pacific/Kiritimati")[number % 4],
        ("C", "C.UTF-8", "POSIX")[number % 3],
        seed=number,
        is_link=number % 5 == 4,
        has_home=number % 6 != 0,
    )
    for number in range(20)
)


def told(places: Iterable[Place], folder: Path) -> Iterator[dict[str, Any]]:
    """Collect the suite in each place, two at a time, and yield what each says, in order."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield from pool.map(lambda place: _told(place, folder), places)


def _told(place: Place, folder: Path) -> dict[str, Any]:
    project = Path(tempfile.mkdtemp(dir=folder)) / place.folder
    if place.is_link:
        project.symlink_to(PROJECT)
    else:
        shutil.copytree(PROJECT, project, ignore=NOT_COPIED)
        (project / "warehouse").mkdir()  # of which only its page is the project's
        shutil.copy(PROJECT / "warehouse" / "README.md", project / "warehouse")
    done = subprocess.run(
        [sys.executable, "tests/elsewhere.py", "tell", str(place.clock)],
        cwd=project,
        env=place.environment() | {"PYTHONPATH": str(project)},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{place}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


# -- in a process of its own -----------------------------------------------------------------------


def tell(clock: int) -> dict[str, Any]:
    """Return the ids of all tests, and a hash of each input; this process is elsewhere then."""
    import pytest

    set_clock(clock)
    collected = Collected()
    with contextlib.redirect_stdout(sys.stderr):
        code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"], [collected])
    assert code == 0, code
    return {
        "today": f"{dt.date.today()}",  # noqa: DTZ011 (the day on this process's own clock)
        "zone": time.tzname[0],
        "encoding": locale.getpreferredencoding(do_setlocale=False),
        "hash": hash("seed"),
        "path": str(Path(sys.modules["pipelines"].__file__ or "").parents[1]),
        "ids": [item.nodeid for item in collected.items],
        "inputs": dict(_inputs(collected.items)),
    }


class Collected:
    """A plugin of pytest that keeps what was collected."""

    items: list[Any]

    def pytest_collection_finish(self, session: Any) -> None:
        self.items = session.items


def _inputs(items: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Yield every input with a name or in a parameter of a test, and what the project writes."""
    modules = {name: module for name, module in sys.modules.items() if _is_ours(module)}
    for name, module in sorted(modules.items()):
        for variable, value in vars(module).items():
            yield from _hashes(f"{name}.{variable}", value)
    for item in items:
        if callspec := getattr(item, "callspec", None):
            yield from _hashes(item.nodeid, callspec.params)
    yield from _written()


def _is_ours(module: Any) -> bool:
    return str(getattr(module, "__file__", None) or "").startswith(str(Path(__file__).parent))


def _hashes(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the bytes and dates within a value; texts may well be paths of this place."""
    if isinstance(value, bytes):
        yield name, hashlib.sha256(value).hexdigest()
    elif isinstance(value, dt.date):
        yield name, value.isoformat()
    elif type(value) is dict:
        for key, inner in value.items():
            yield from _hashes(f"{name}[{key!r}]", inner)
    elif type(value) in (list, tuple):
        for place, inner in enumerate(value):
            yield from _hashes(f"{name}[{place}]", inner)


def _written() -> Iterator[tuple[str, str]]:
    """Yield the samples and a blank workbook, made anew."""
    from pipelines.ingest.form import write_workbook
    from pipelines.ingest.sources import sources
    from samples.make import build

    with tempfile.TemporaryDirectory() as folder:
        source = sources()["coinshares"]
        write_workbook(source, source.layouts[0], Path(folder) / "blank.xlsx")
        build(Path(folder))
        for file in sorted(Path(folder).rglob("*.*")):
            yield from _hashes(file.relative_to(folder).as_posix(), file.read_bytes())


def set_clock(days: int) -> None:
    """Move the clock of this process: in place, for what was imported before sees it too."""
    shift = dt.timedelta(days=days)
    clock, utc, local = time.time, time.gmtime, time.localtime
    now = dt.datetime.now
    time.time = lambda: clock() + shift.total_seconds()
    time.gmtime = lambda seconds=None: utc(time.time() if seconds is None else seconds)
    time.localtime = lambda seconds=None: local(time.time() if seconds is None else seconds)
    (methods,) = gc.get_referents(dt.datetime.__dict__)
    methods["now"] = classmethod(lambda _, tz=None: now(tz) + shift)
    methods["utcnow"] = classmethod(lambda _: now(dt.UTC).replace(tzinfo=None) + shift)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(dt.datetime))


def main() -> None:
    """Compare twenty places, or tell about this one."""
    if sys.argv[1:2] == ["tell"]:
        print(json.dumps(tell(int(sys.argv[2]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        ((here,), there) = (list(told(places, Path(folder))) for places in ((HERE,), TWENTY))
    for place, said in zip(TWENTY, there, strict=True):
        same = {what: said[what] == here[what] for what in ("ids", "inputs")}
        print(f"{said['today']} {said['zone']:<6} {said['encoding']:<16} {place.folder:<20} {same}")
    alike = [all(said[what] == here[what] for what in ("ids", "inputs")) for said in there]
    print(
        f"{sum(alike)} of {len(alike)} collections have the same {len(here['ids'])} tests "
        f"and {len(here['inputs'])} inputs as this place"
    )
    raise SystemExit(not all(alike))


if __name__ == "__main__":
    main()
