"""Looking up data versions of assets together instead of one by one (decision 16)."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg


def look_up_together(context: dg.AssetExecutionContext, keys: Sequence[dg.AssetKey]) -> None:
    """Have Dagster look up assets that it has just recorded, before those made of them need it.

    It would look them up one by one, and wait each time until all events are stored.
    """
    cache = context.get_step_execution_context()._data_version_cache
    cache._fetch_input_asset_version_info(list(keys))
