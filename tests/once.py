"""What a process of tests makes once, and each command would make anew: definitions, job, home."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

import dagster as dg
import pytest

from pipelines.cli.main import prepare_dagster
from pipelines.components.workspace import Workspace
from pipelines.definitions import complete, defs_to_run
from pipelines.store import marker
from pipelines.store.paths import Warehouse


@functools.cache
def definitions() -> dg.Definitions:
    """Load the code location once: the command does so once a process, and tests share one."""
    return complete(_loaded())


@functools.cache
def _loaded() -> dg.Definitions:
    return defs_to_run()


_given: list[Workspace] = []


@functools.cache
def _shared_job() -> dg.JobDefinition:
    space = dg.ResourceDefinition(lambda _: _given[-1])
    return complete(_loaded(), space).resolve_implicit_global_asset_job_def()


def job(space: Workspace) -> dg.JobDefinition:
    """Return the job of a command with its workspace, resolved once as the definitions are."""
    _given[:] = [space]
    return _shared_job()


@functools.cache
def _homes() -> tempfile.TemporaryDirectory[str]:
    """Let Dagster make its files in a new warehouse once: that takes as long as reading weeks."""
    folder = tempfile.TemporaryDirectory()
    made = Warehouse(Path(folder.name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", "")
        patch.delenv("DAGSTER_HOME")
        prepare_dagster(made)
        dg.DagsterInstance.get().dispose()
    return folder


def give_dagster_a_home(warehouse: Warehouse) -> None:
    """Let Dagster find in a warehouse without runs what it would make there first."""
    home = warehouse.dagster_home
    if (warehouse.root / marker.NAME).exists() and not home.exists():
        shutil.copytree(Warehouse(Path(_homes().name)).dagster_home, home)
