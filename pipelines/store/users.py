"""Who does something: the name that the system knows."""

from __future__ import annotations

import getpass
import os


def user() -> str:
    """Return who runs this; by number in a container whose user has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        return str(os.getuid())
