"""Leaves what the steps of a run print in the terminal, instead of capturing it.

Dagster would write it to a file, progress bar included, and start four processes per run that copy
the file to the terminal. The steps print nothing but progress (decision 16).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg
from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._utils import touch_file


class NotCaptured(LocalComputeLogManager):
    """Captures nothing, and marks the log as complete, so that the UI does not wait for more."""

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        """Let a run print."""
        touch_file(self.complete_artifact_path(log_key))
        yield CapturedLogContext(log_key)


def leave_in_terminal(instance: dg.DagsterInstance) -> None:
    """Let runs of this instance in this process print to the terminal.

    A team's own place for what steps print, such as a bucket, still gets it.
    """
    manager = instance.compute_log_manager
    if type(manager) is LocalComputeLogManager:
        instance._compute_log_manager = NotCaptured(manager._base_dir)
        instance._compute_log_manager.register_instance(instance)
