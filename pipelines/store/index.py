"""The index: which weeks each archived report covers, one Parquet file per source.

Derived, and may be deleted: what it lacks is read again. One row per report and week, with the
report's name and clocks, so that a lost report is known by name, and a digest of all that it says
about the week: as it is, and if a person accepts what its own numbers contradict. A report without
a week, or one that cannot be used, has one row without a week.
`ingest.read` reads the reports; here are only their rows.
"""

from __future__ import annotations

import polars as pl

from pipelines.store.files import write_whole
from pipelines.store.paths import Warehouse

SERIES = pl.List(
    pl.Struct(
        {
            "label": pl.String(),
            "measure": pl.String(),
            "digest": pl.String(),
            "numbers": pl.Int64(),
        }
    )
)
"""Of a week: a digest of each label's numbers of one measure, and how many are not zero."""
SCHEMA: dict[str, pl.DataType] = {
    "report_id": pl.String(),
    "fingerprint": pl.String(),
    "name": pl.String(),
    "received_at": pl.Datetime("us", "UTC"),
    "layout": pl.String(),
    "published_at": pl.Datetime("us", "UTC"),
    "error": pl.String(),
    "labels": pl.String(),
    "first_day": pl.Date(),
    "last_day": pl.Date(),
    "days": pl.Int64(),
    "is_closed": pl.Boolean(),
    "week_ending": pl.Date(),
    "digest": pl.String(),
    "digest_if_accepted": pl.String(),
    "series": SERIES,
}


def read(warehouse: Warehouse, source: str) -> pl.DataFrame:
    """Return the rows of a source; none if there is no index, or a damaged one."""
    try:
        rows = pl.read_parquet(warehouse.index(source), glob=False)
    except (FileNotFoundError, pl.exceptions.PolarsError):
        return pl.DataFrame(schema=SCHEMA)
    return rows if rows.schema == SCHEMA else pl.DataFrame(schema=SCHEMA)


def write(warehouse: Warehouse, source: str, rows: pl.DataFrame) -> None:
    """Replace the rows of a source."""
    write_whole(warehouse.index(source), rows.write_parquet)
