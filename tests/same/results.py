"""What a comparison found: values only, made by `compare` and printed by `show`."""

from __future__ import annotations

from dataclasses import dataclass, field

from .published import Key

SIDES = ("old", "new")


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row that one side lacks, or that has other values: its key, and column, old, new."""

    side: str
    key: dict[str, str]
    values: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """In how many rows a column changed, and by how much at most if it is a number."""

    column: str
    rows: int
    largest: str | None


@dataclass(slots=True)
class TableComparison:
    """How a table came out. What the allow-list covers counts as allowed and nowhere else."""

    name: str
    old_name: str
    key: Key | None = None
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    equal: int = 0
    changed: int = 0
    only_old: int = 0
    only_new: int = 0
    allowed: int = 0
    shape: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: list[ColumnChange] = field(default_factory=list)
    sample: list[RowDifference] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether anything differs that is not allowed."""
        return bool(self.changed or self.only_old or self.only_new or self.shape)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All tables that both databases have, and the tables and macros that only one has."""

    tables: list[TableComparison]
    shape: list[str]

    @property
    def differs(self) -> bool:
        """Whether anything differs that is not allowed."""
        return bool(self.shape) or any(table.differs for table in self.tables)
