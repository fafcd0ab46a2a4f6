"""The code location: everything under `defs/`, run in one process."""

import warnings
from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Load the sources and the models."""
    return _in_one_process(dg.load_from_defs_folder(path_within_project=Path(__file__).parent))


def defs_to_run() -> dg.Definitions:
    """Load the same without the pages about component types, which only the UI shows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as `load_from_defs_folder` does
        tree = dg.ComponentTree.for_project(Path(__file__).parent)
        return _in_one_process(tree.build_defs("."))


def _in_one_process(loaded: dg.Definitions) -> dg.Definitions:
    # A week takes milliseconds: a process a step would cost a thousand times the work.
    return dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor))
