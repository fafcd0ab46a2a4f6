"""The numbers that say what of an earlier version can still be used.

They are raised by hand when a meaning changes, never derived from code: an edited comment makes
nothing stale. `tests/test_versions.py` fails when golden reports come out differently and the
number has not been raised.
"""

from __future__ import annotations

READING = 4
"""How bytes become observations: a change has every report read again."""

CHECKING = 4
"""What is admitted to a week: a change has every week checked again."""

TABLES = 1
"""What the SQL makes of the weeks: after a change, numbers of the served file may be gone."""

WAREHOUSE = 2
"""How the warehouse's folders and files are laid out: docs/upgrading.md says what each changed."""
