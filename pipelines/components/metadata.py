"""What the UI shows: all metadata of runs and definitions are made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pandera.polars as pa
import polars as pl

from pipelines.ingest.results import WeekResult
from pipelines.store.paths import PROJECT
from schemas import catalog


def column_schema(contract: type[pa.DataFrameModel]) -> dg.TableSchema:
    """Return the Columns tab of a table: the same texts as the comments in the database."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                type=column.type,
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in catalog.columns(contract)
        ]
    )


def of_week(result: WeekResult) -> dict[str, dg.MetadataValue]:
    """Return the metadata of a week: rows, vintages, verdicts, reports and a few rows."""
    hashes = [
        f"{name}: sha256 {id_}" for name, id_ in zip(result.reports, result.report_ids, strict=True)
    ]
    return {
        "dagster/partition_row_count": dg.MetadataValue.int(result.rows),
        "vintages": dg.MetadataValue.int(result.vintages),
        "refused_rows": dg.MetadataValue.int(result.refused_rows),
        "reports": dg.MetadataValue.text(", ".join(result.reports) or "no report covers this week"),
        "verdicts": dg.MetadataValue.text(
            ", ".join(f"{count} {verdict}" for verdict, count in result.verdicts.items()) or "none"
        ),
        **bullets("report_hashes", hashes),
        **(
            {"refused_reports": dg.MetadataValue.text("; ".join(result.refused_reports))}
            if result.refused_reports
            else {}
        ),
        **({"sample": dg.MetadataValue.md(markdown(result.sample))} if result.rows else {}),
    }


def lineage(
    columns: Mapping[str, tuple[tuple[str, str], ...]], sources: Sequence[str]
) -> dg.TableColumnLineage:
    """Return the column lineage of a model, down to the printed numbers of every source."""
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(asset_key=dg.AssetKey(path.split(".")), column_name=name)
                for table, name in made_of
                for path in _assets_of(table, sources)
            ]
            for column, made_of in columns.items()
        }
    )


def _assets_of(table: str, sources: Sequence[str]) -> list[str]:
    if table == "input.observation":
        return [f"reports.{source}" for source in sources]
    return [] if table.startswith("input.") else [table]


def code(*files: Path) -> dg.CodeReferencesMetadataValue:
    """Return the links from an asset to the files that make it."""
    labels = [
        file.relative_to(PROJECT).as_posix() if file.is_relative_to(PROJECT) else file.name
        for file in files
    ]
    return dg.CodeReferencesMetadataValue(
        code_references=[
            dg.LocalFileCodeReference(file_path=str(file), line_number=1, label=label)
            for file, label in zip(files, labels, strict=True)
        ]
    )


def markdown(rows: pl.DataFrame) -> str:
    """Return a few observations as a table: what a person would look at first."""
    shown = rows.select(
        "period_end", "label", "measure", "period", "printed", "value", "status", "sheet", "cell"
    )
    lines = [" | ".join(shown.columns), " | ".join("---" for _ in shown.columns)]
    lines.extend(" | ".join(_shown(value) for value in row) for row in shown.iter_rows())
    return "\n".join(f"| {line} |" for line in lines)


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    return "" if value is None else str(value).strip()


def bullets(name: str, lines: Sequence[str], most: int = 10) -> dict[str, dg.MetadataValue]:
    """Return a list for the UI under a name, shortened if it is long; nothing if it is empty."""
    if not lines:
        return {}
    more = [f"and {len(lines) - most} more"] if len(lines) > most else []
    listed = [f"- {line}" for line in [*lines[:most], *more]]
    return {name: dg.MetadataValue.md("\n".join(listed))}
