"""Versions are raised by hand: golden reports tell when a meaning has changed without it.

The digests are of what each golden report says, and of what the checks make of it. A change that
is meant raises `READING`, or `CHECKING` where only outcomes differ, in `pipelines/versions.py`, and
the list is written anew with FUNDFLOWS_REWRITE_SNAPSHOTS=1.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import golden
import pytest

from pipelines.checking.check import check
from pipelines.ingest.sources import sources
from pipelines.ingest.vintages import digests
from pipelines.reading.reader import Reading
from pipelines.versions import CHECKING, READING

KEPT = Path(__file__).parent / "snapshots" / "versions.json"
REWRITE = "FUNDFLOWS_REWRITE_SNAPSHOTS"


def readings() -> dict[str, Reading]:
    """Return what the golden reports of all sources say."""
    return {
        f"{source}/{name}": reading
        for source in sorted(sources())
        for name, reading in golden.readings_of(source).items()
    }


def reading_digest(reading: Reading) -> str:
    weeks = {week.isoformat(): digest for week, digest in sorted(digests(reading).items())}
    return hashlib.sha256(json.dumps(weeks).encode()).hexdigest()[:16]


def checking_digest(reading: Reading) -> str:
    outcomes = check([reading]).outcomes.drop("report_id", "known_at")
    ordered = outcomes.sort("week_ending", "rule", "line")
    return hashlib.sha256(ordered.write_csv().encode()).hexdigest()[:16]


def found() -> dict[str, dict[str, Any]]:
    """Return both versions, and the digests that stand for them."""
    now = readings()
    of_reading = {name: reading_digest(reading) for name, reading in now.items()}
    of_checking = {name: checking_digest(reading) for name, reading in now.items()}
    return {
        "reading": {"version": READING, "digests": of_reading},
        "checking": {"version": CHECKING, "digests": of_checking},
    }


@pytest.mark.parametrize("what", ["reading", "checking"])
def test_a_changed_meaning_raises_its_version(what):
    now = found()
    if os.environ.get(REWRITE):
        KEPT.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    before = kept[what]["digests"]
    changed = [name for name, digest in now[what]["digests"].items() if before.get(name) != digest]
    if changed and now[what]["version"] == kept[what]["version"]:
        pytest.fail(
            f"{what} comes out otherwise for {', '.join(changed)}: if that is meant, raise "
            f"{what.upper()} in pipelines/versions.py and run with {REWRITE}=1",
            pytrace=False,
        )
    assert kept == now, f"run with {REWRITE}=1 and commit {KEPT.name}"
