"""Writing files whole or not at all, and by one process at a time where that matters."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.errors import FundflowsError, Where


def write_whole(path: Path, write: Callable[[Path], object], mode: int = 0o644) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it over `path` with a mode.

    Readers see the old file or the new one, never a part; a crash leaves the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def entries(folder: Path, source: str) -> list[os.DirEntry[str]]:
    """List a source's folder; one that is not there holds nothing yet.

    Raises:
        FundflowsError: it is there, but cannot be read, which is not taken for nothing (E111).
    """
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise FundflowsError(
            "A folder of the warehouse cannot be read.",
            where=Where(source=source, file=str(folder)),
            expected="a readable folder",
            found=error.strerror or str(error),
            fix="mount the disk, or correct the permissions; nothing was changed",
        ) from error


@contextlib.contextmanager
def one_at_a_time(path: Path, on_wait: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Let one process at a time do what makes `path`; the others wait, after calling `on_wait`.

    The lock is the system's own, so a killed process holds none. What it left half written is
    removed first.
    """
    file = path.parent / "locks" / path.name
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        on_wait()
        lock.acquire()
    try:
        for unfinished in path.parent.glob(f".{glob.escape(path.name)}.*.partial*"):
            if unfinished.is_dir():
                shutil.rmtree(unfinished, ignore_errors=True)
            else:
                unfinished.unlink(missing_ok=True)
        yield
    finally:
        lock.release()
