"""The types of columns that several schemas have, and the rules that several contracts keep."""

from __future__ import annotations

from typing import Annotated

import pandera.polars as pa
import polars as pl

Money = Annotated[pl.Decimal, 18, 2]
Rate = Annotated[pl.Decimal, 18, 10]
Share = Annotated[pl.Decimal, 18, 6]


def closes(flow: str) -> pl.Expr:
    """F4: opening AUM and all effects add up to closing AUM to the cent, if the market is known."""
    effects = (
        flow,
        "market_effect_usd",
        "fx_effect_usd",
        "corporate_action_usd",
        "universe_effect_usd",
    )
    explained = pl.sum_horizontal(pl.col(name).fill_null(0) for name in effects)
    return pl.col("market_effect_usd").is_null() | (
        pl.col("aum_open_usd") + explained == pl.col("aum_close_usd")
    )


class Strict(pa.DataFrameModel):
    """A table with these columns and no others."""

    class Config:
        """Shape rules: these columns, no others."""

        strict = True
