"""What came of a mutant: how far its change reached, against the specimen that it was made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from tests.mutants.product import Figure, Key, Result, line_of

COLUMNS = [
    "refused", "rows", "check", "held", "harmless", "rounding", "balanced", "missed", "unexpected",
    "traceback", "hang",
]  # fmt: skip
"""What can come of a mutant, as the package's docstring says."""
FAULTS = ("unexpected", "traceback", "hang")
"""What must come of no mutant."""
_ZERO = Decimal(0)


class Difference(NamedTuple):
    """A number that is published otherwise than before; None where it is not published."""

    key: Key
    before: Figure | None
    after: Figure | None

    @property
    def weeks(self) -> set[object]:
        return {each.week for each in (self.before, self.after) if each is not None}

    @property
    def change(self) -> Decimal:
        """How much the sum that it is part of changes: a number that is gone adds nothing."""
        return _value(self.after) - _value(self.before)

    @property
    def is_coarser(self) -> bool:
        """Whether the new number still says the old one, with fewer digits."""
        after, before = self.after, self.before
        if after is None or after.value is None or before is None or before.value is None:
            return False
        return abs(after.value - before.value) <= (after.half_unit or _ZERO)

    def __str__(self) -> str:
        label, measure, end = self.key[1], self.key[3], self.key[6]
        return f"{label} {measure} {end}: {_shown(self.before)} -> {_shown(self.after)}"


@dataclass(frozen=True)
class Base:
    """The result of a specimen, with the bound of each of its sums."""

    result: Result
    bounds: Mapping[Key, Decimal]

    @classmethod
    def of(cls, result: Result) -> Base:
        lines: dict[Key, list[tuple[str, Figure]]] = defaultdict(list)
        for key, figure in result.figures.items():
            if figure.value is not None and key[0] != "check":
                lines[line_of(key)].append((key[0], figure))
        return cls(
            result,
            {line: _bound(of_line) for line, of_line in lines.items() if _has_total(of_line)},
        )


def _has_total(line: list[tuple[str, Figure]]) -> bool:
    return any(dimension == "total" for dimension, _ in line)


def _bound(line: list[tuple[str, Figure]]) -> Decimal:
    """Return how far a number of a sum can be off unseen: all half units, and what is left now."""
    halves = sum((figure.half_unit or _ZERO for _, figure in line), _ZERO)
    signs = ((1 if dimension == "total" else -1, figure) for dimension, figure in line)
    left = sum((sign * _value(figure) for sign, figure in signs), _ZERO)
    return halves + abs(left)


def verdict(base: Base, result: Result) -> tuple[str, str]:
    """Return what came of a mutant, and the numbers that nobody would question."""
    if result.error:
        known = result.error in ("held", "hang", "unexpected", "traceback")
        return result.error if known else "refused", result.message
    refused = result.refused - base.result.refused
    failed = result.failed - base.result.failed
    silent = [
        each
        for each in _silent(_differences(base.result, result), refused, failed)
        if not _stands_elsewhere(each, result)
    ]
    if silent:
        return _unseen(base, silent), "; ".join(map(str, silent[:3]))
    return "rows" if refused else "check" if failed else "harmless", ""


def _differences(base: Result, result: Result) -> Iterator[Difference]:
    for key in base.figures.keys() | result.figures.keys():
        before, after = base.figures.get(key), result.figures.get(key)
        if key[0] != "check" and _stated(before) != _stated(after):
            yield Difference(key, before, after)


def _silent(
    differences: Iterable[Difference], refused: frozenset[Key], failed: frozenset[Key]
) -> Iterator[Difference]:
    """Yield the differences of weeks in which nothing is refused or fails.

    A row without a date is refused under the newest week: what it held is missing elsewhere.
    """
    weeks = {week for week, *_ in (*refused, *failed)}
    loses_rows = any(rule in ("date", "row") for _, rule, *_ in refused)
    for each in sorted(differences, key=str):
        if not each.weeks & weeks and not (loses_rows and each.after is None):
            yield each


def _stands_elsewhere(difference: Difference, result: Result) -> bool:
    """Return whether a total that is blank now is printed in another table, and is still right."""
    key, before, after = difference
    if key[0] != "total" or before is None or after is None or after.value is not None:
        return False
    same = [each for each in result.figures if each[0] == "total" and each[3:] == key[3:]]
    return any(result.figures[each].value == before.value for each in same)


def _unseen(base: Base, silent: list[Difference]) -> str:
    """Return whether rounding explains differences of which nothing is told, or exchanged parts."""
    if all(each.is_coarser for each in silent):
        return "rounding"
    lines: dict[Key, list[Difference]] = defaultdict(list)
    for each in silent:
        lines[line_of(each.key)].append(each)
    if not lines.keys() <= base.bounds.keys():
        return "missed"
    if any(abs(_left(of_line)) > base.bounds[line] for line, of_line in lines.items()):
        return "missed"
    if all(abs(each.change) <= base.bounds[line_of(each.key)] for each in silent):
        return "rounding"
    exchanged = all(each.before is not None and each.after is not None for each in silent)
    return "balanced" if exchanged else "missed"


def _left(line: list[Difference]) -> Decimal:
    signs = ((1 if each.key[0] == "total" else -1, each) for each in line)
    return sum((sign * each.change for sign, each in signs), _ZERO)


def _stated(figure: Figure | None) -> tuple[Decimal | None, str | None] | None:
    return None if figure is None else (figure.value, figure.currency)


def _value(figure: Figure | None) -> Decimal:
    return _ZERO if figure is None or figure.value is None else figure.value


def _shown(figure: Figure | None) -> str:
    if figure is None:
        return "not there"
    return "blank" if figure.value is None else f"{figure.value.normalize():f}"
