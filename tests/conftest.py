"""Settings and fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine is no failure: examples are counted, not timed.
settings.register_profile("fundflows", deadline=None, max_examples=100)
settings.load_profile("fundflows")


@pytest.fixture(scope="session")
def real() -> Path:
    """Return the folder of real reports; they belong to their publishers and are not kept here."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "real"
    folder = Path(os.environ.get("FUNDFLOWS_REAL") or beside)
    if not folder.is_dir():
        pytest.skip(f"no real reports in {folder}: set FUNDFLOWS_REAL to their folder")
    return folder
