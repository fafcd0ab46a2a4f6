"""Dagster's migrations, loaded once in a process (decision 16)."""

from __future__ import annotations

from functools import cache

from dagster._core.storage.sql import ScriptDirectory


def load_once() -> None:
    """Load the scripts of Dagster's migrations at most once for each of its three storages.

    For every file that it opens first, each run's among them, Dagster would have Alembic execute
    all ninety of them, twice: the newest is what it marks the file with.
    """
    if not hasattr(ScriptDirectory.from_config, "cache_info"):
        ScriptDirectory.from_config = cache(ScriptDirectory.from_config)  # type: ignore[method-assign]
