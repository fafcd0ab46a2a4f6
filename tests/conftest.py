"""Settings and fixtures that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from same import real as reports

# A slow machine is no failure: examples are counted, not timed.
settings.register_profile("fundflows", deadline=None, max_examples=100)
settings.load_profile("fundflows")


@pytest.fixture(scope="session")
def real() -> Path:
    """Return the folder of real reports; they belong to their publishers and are not kept here."""
    folder = reports.folder()
    if not folder.is_dir():
        pytest.skip(f"no real reports in {folder}: set FUNDFLOWS_REAL to their folder")
    return folder
