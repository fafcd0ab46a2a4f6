"""The results as tables of plain text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from tests.mutants.harness import Mutant
from tests.mutants.verdicts import COLUMNS, FAULTS

_CAUGHT = ("refused", "rows", "check", "held")
_FREE = ("harmless", "rounding")


def table(mutants: Sequence[Mutant], by: Callable[[Mutant], str]) -> Iterator[str]:
    """Yield a table with a row a group: how many mutants came to what, and the share caught.

    The share is of those that change what is published by more than rounding.
    """
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for each in mutants:
        groups[by(each)][each.result] += 1
    width = max(map(len, groups), default=0)
    yield f"{'':{width}} {'mutants':>8} " + " ".join(f"{name:>10}" for name in COLUMNS) + "  caught"
    for name, counted in sorted(groups.items()):
        cells = " ".join(f"{counted[column]:>10}" for column in COLUMNS)
        yield f"{name:{width}} {counted.total():>8} {cells}  {_share(counted)}"


def _share(counted: Counter[str]) -> str:
    caught = sum(counted[name] for name in _CAUGHT)
    counts = counted.total() - sum(counted[name] for name in _FREE)
    return f"{caught / counts:6.1%}" if counts else "      -"


def report(mutants: Sequence[Mutant], shown: int) -> Iterator[str]:
    """Yield the tables, and the mutants that nobody would have seen or that are faults."""
    must, other = _must(mutants), [each for each in mutants if each.of_number]
    other = [each for each in other if not each.must_be_caught]
    damaged = [each for each in mutants if not each.of_number]
    parts: list[tuple[str, Sequence[Mutant], Callable[[Mutant], str]]] = [
        ("All mutants, by container", mutants, lambda each: each.container),
        ("All mutants, by container and source", mutants, _by_source),
        ("Changes of numbers in tables with totals", must, _by_source),
        ("the same, by kind", must, lambda each: each.kind),
        ("Changes of numbers in tables without totals", other, _by_source),
        ("the same, by source and kind", other, lambda each: f"{each.source}: {each.kind}"),
        ("Damage, by container and kind", damaged, lambda each: f"{each.container}: {each.kind}"),
    ]
    for title, chosen, by in parts:
        yield f"\n{title}\n"
        yield from table(chosen, by)
    yield from _listed("Faults", [each for each in mutants if each.result in FAULTS], shown)
    missed = [each for each in must if each.result == "missed"]
    yield from _listed("Missed in tables with totals", missed, shown)


def _by_source(mutant: Mutant) -> str:
    return f"{mutant.container} {mutant.source}"


def _must(mutants: Iterable[Mutant]) -> list[Mutant]:
    return [each for each in mutants if each.must_be_caught]


def _listed(title: str, mutants: Sequence[Mutant], shown: int) -> Iterator[str]:
    yield f"\n{title}: {len(mutants)}\n"
    yield from map(str, mutants[:shown])
    if len(mutants) > shown:
        yield f"... and {len(mutants) - shown} more (--show)"
