"""Cheaper imports of what a run needs: Dagster is large, and stays to the end of the process."""

from __future__ import annotations

import gc
import sys


def import_for_good() -> None:
    """Import large modules that stay to the end, and keep the garbage collector out of them.

    Saves a second per run, half of it at the exit. DuckDB must not be among them: its binding
    complains at the exit about objects that were never collected.
    """
    if "duckdb" in sys.modules:
        return
    gc.disable()
    import dagster  # noqa: F401
    import pandera.backends.polars.builtin_checks  # noqa: F401

    import pipelines.dagster_internals.event_log  # noqa: F401

    gc.freeze()
    gc.set_threshold(20_000)  # a run leaves little garbage: a look every 700 objects finds none
    gc.enable()
