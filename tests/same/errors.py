"""What keeps two builds from being compared; the command prints it and leaves with exit code 2."""

from __future__ import annotations


class CannotCompareError(Exception):
    """The comparison was asked for wrongly, or one of the sides could not be built or read."""
