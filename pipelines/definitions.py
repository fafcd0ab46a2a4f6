"""The code location: everything under `defs/`, run in one process."""

import warnings
from pathlib import Path

import dagster as dg

from pipelines.components import workspace


@dg.definitions
def defs() -> dg.Definitions:
    """Load the sources and the models."""
    return complete(dg.load_from_defs_folder(path_within_project=Path(__file__).parent))


def defs_to_run() -> dg.Definitions:
    """Load the sources and the models for a run: without the UI's pages about component types."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as `load_from_defs_folder` does
        return dg.ComponentTree.for_project(Path(__file__).parent).build_defs(".")


def complete(
    loaded: dg.Definitions, space: dg.ResourceDefinition = workspace.workspace_resource
) -> dg.Definitions:
    """Add what all assets share: the executor and the workspace."""
    # A week takes milliseconds: a process per step would cost a thousand times the work.
    shared = dg.Definitions(executor=dg.in_process_executor, resources={workspace.KEY: space})
    return dg.Definitions.merge(loaded, shared)
