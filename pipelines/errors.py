"""The one form in which fundflows reports that something cannot be used.

Every error names what is wrong, where, what was expected, what was found and what to do.
Classes receive the culprits and compose the message; nobody formats such a message elsewhere.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a report, as narrow as it is known: source, file, sheet, cell."""

    source: str | None = None
    file: str | None = None
    sheet: str | None = None
    cell: str | None = None

    def __str__(self) -> str:
        named = (
            ("source", self.source),
            ("file", self.file),
            ("sheet", self.sheet),
            ("cell", self.cell),
        )
        return ", ".join(f"{name} {value}" for name, value in named if value)


class FundflowsError(Exception):
    """Base of all errors that a user can mend: what, where, expected, found, what to do."""

    def __init__(
        self, what: str, *, where: Where | None = None, expected: str, found: str, fix: str
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where or Where()
        self.expected = expected
        self.found = found
        self.fix = fix

    def at(self, *, source: str | None = None, file: str | None = None) -> FundflowsError:
        """Return the same error with the source and file filled in, where the caller knows them."""
        self.where = replace(
            self.where, source=self.where.source or source, file=self.where.file or file
        )
        return self

    def __str__(self) -> str:
        lines = [self.what]
        if str(self.where):
            lines.append(f"  where:      {self.where}")
        for name, text in (
            ("expected", self.expected),
            ("found", self.found),
            ("what to do", self.fix),
        ):
            indented = text.replace("\n", "\n              ")
            lines.append(f"  {name + ':':<12}{indented}")
        return "\n".join(lines)


class UnreadableReport(FundflowsError):
    """The bytes are not what the container says: empty, truncated, encrypted, another format."""


class ShapeError(FundflowsError):
    """No layout describes the tables of the report. Nothing of it is used."""


class LayoutError(FundflowsError):
    """A source's own file (`defs.yaml`) is not usable."""


_SYSTEM = {
    errno.ENOSPC: ("The disk is full.", "free some space, then run again"),
    errno.EDQUOT: ("The disk quota is used up.", "free some space, then run again"),
    errno.EROFS: ("The disk is read-only.", "mount it for writing, or name another folder"),
    errno.EACCES: ("A file or folder is closed to this user.", "correct the permissions"),
    errno.EPERM: ("A file or folder is closed to this user.", "correct the permissions"),
    errno.ENOTDIR: ("A path leads through a file.", "correct FUNDFLOWS_WAREHOUSE"),
    errno.EEXIST: ("A file stands where a folder is needed.", "move it, or name another folder"),
    errno.ENOLCK: ("The disk gives no locks.", "put the warehouse on a disk that can lock files"),
    errno.EMFILE: ("Too many files are open.", "raise the limit (ulimit -n), then run again"),
}


def refused_by_the_system(error: OSError) -> FundflowsError:
    """Return what the operating system refused, and what to do; nothing half done stays."""
    unknown = ("The operating system refused an operation.", "mend what is named, then run again")
    what, fix = _SYSTEM.get(error.errno or 0, unknown)
    return FundflowsError(
        what,
        where=Where(file=str(error.filename)) if error.filename else None,
        expected="files and folders of the warehouse that can be read and written",
        found=error.strerror or str(error),
        fix=f"{fix}; nothing that was published or archived is lost",
    )
