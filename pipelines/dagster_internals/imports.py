"""Importing what a run needs, cheaply: Dagster is large, and lives to the end of the process."""

from __future__ import annotations

import gc
import sys


def import_for_good() -> None:
    """Import what is large and lives to the end, without ever looking for garbage in it.

    Saves a second of a run, half of it at the exit. DuckDB must not be among it: its binding
    complains at the exit about objects that nobody collected.
    """
    if "duckdb" in sys.modules:
        return
    gc.disable()
    import dagster  # noqa: F401
    import pandera.backends.polars.builtin_checks  # noqa: F401

    import pipelines.dagster_internals.event_log  # noqa: F401

    gc.freeze()
    gc.set_threshold(20_000)  # a run leaves little: looking every 700 objects finds nothing
    gc.enable()
