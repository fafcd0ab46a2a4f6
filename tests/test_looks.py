"""How often one run asks the disk: the state of a source is looked up once, and handed on."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from world import World

from pipelines.ingest.sources import sources
from samples.add import received


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count listings of an archive, sidecars that are parsed, and footers of week files."""
    counted: Counter[str] = Counter()
    scandir, text_of, metadata = os.scandir, Path.read_text, pl.read_parquet_metadata

    def listed(folder: Path) -> Any:
        counted["archive listings"] += Path(folder).parent.name == "archive"
        return scandir(folder)

    def parsed(self: Path, *arguments: Any, **options: Any) -> str:
        counted["sidecars"] += self.name.endswith(".report.json")
        return text_of(self, *arguments, **options)

    def footer(*arguments: Any) -> dict[str, str]:
        counted["footers"] += 1
        return metadata(*arguments)

    monkeypatch.setattr(os, "scandir", listed)
    monkeypatch.setattr(Path, "read_text", parsed)
    monkeypatch.setattr(pl, "read_parquet_metadata", footer)
    return counted


def test_a_run_lists_every_archive_once_and_parses_every_sidecar_once(tmp_path, looks):
    """But for a look by names before weeks are written, and before tables are built of all."""
    world = World(tmp_path / "warehouse")
    world.add_samples()
    reports = len(received())
    with_reports = len({each.source for each in received()})
    for run in ("the first run", "nothing new"):
        looks.clear()
        assert world.run().code == 0
        written = len(list((world.root / "weeks").rglob("*.parquet")))
        # Canary's weeks have a gap, so they are two runs.
        guards = with_reports + 1 + len(sources()) if run == "the first run" else 0
        assert looks["archive listings"] <= len(sources()) + guards, run
        assert looks["sidecars"] == reports, run
        # Of the second run: the outcomes of a week, and what lies beside them.
        assert looks["footers"] <= (0 if run == "the first run" else 2 * written), run
