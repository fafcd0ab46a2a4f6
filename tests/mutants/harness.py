"""Mutants one after the other: made, read, checked, and what came of each."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from random import Random

from tests.mutants import damage, damage_books, damage_pages, numbers
from tests.mutants.books import Book
from tests.mutants.documents import Page
from tests.mutants.numbers import Change
from tests.mutants.product import results_of
from tests.mutants.specimens import WITH_TOTALS, Specimen
from tests.mutants.verdicts import Base, verdict

_TRIES = 20
_TOGETHER = 64
"""So many mutants are checked at once."""
_OF_NUMBERS = 0.6
"""The share of mutants that are changes of a number."""


@dataclass(frozen=True)
class Mutant:
    """What came of one mutant."""

    specimen: str
    number: int
    container: str
    source: str
    kind: str
    of_number: bool
    must_be_caught: bool
    place: str
    before: str
    after: str
    result: str
    detail: str

    def __str__(self) -> str:
        return (
            f"{self.specimen} {self.number}, {self.place}: {self.before!r} -> {self.after!r} "
            f"({self.kind})\n    {self.result}: {self.detail}"
        )


def by_container(
    specimens: Sequence[Specimen], container: str, count: int
) -> list[tuple[Specimen, int]]:
    """Return which specimens are changed how often, so that each source has its share."""
    own: dict[str, list[Specimen]] = {}
    for each in specimens:
        if each.container == container:
            own.setdefault(each.source, []).append(each)
    names = sorted(own)
    return [
        (own[names[n % len(names)]][n // len(names) % len(own[names[n % len(names)]])], n)
        for n in range(count if names else 0)
    ]


def mutants(planned: Sequence[tuple[Specimen, int]], seed: int) -> Iterator[Mutant]:
    """Make the mutants of a plan, and yield what came of each, specimen by specimen."""
    numbers_of: dict[str, list[int]] = {}
    for specimen, number in planned:
        numbers_of.setdefault(specimen.key, []).append(number)
    by_key = {specimen.key: specimen for specimen, _ in planned}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of openpyxl, about what it leaves out
        for key, ours in sorted(numbers_of.items()):
            for start in range(0, len(ours), _TOGETHER):
                yield from _of(by_key[key], ours[start : start + _TOGETHER], seed)


def in_processes(planned: Sequence[tuple[Specimen, int]], seed: int, workers: int) -> list[Mutant]:
    """Return what came of the mutants of a plan, made in so many processes."""
    if workers < 2:
        return _part(planned, seed)
    parts = [planned[start::workers] for start in range(workers)]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        made = pool.map(partial(_part, seed=seed), parts, chunksize=1)
    return [each for part in made for each in part]


def _part(planned: Sequence[tuple[Specimen, int]], seed: int) -> list[Mutant]:
    return list(mutants(planned, seed))


def unreadable(specimens: Sequence[Specimen]) -> Iterator[tuple[str, str, str]]:
    """Yield the specimens that cannot be read as they are, and why: they are left out."""
    for each in specimens:
        if (result := _base(each.key, each).result).error:
            yield each.key, result.error, result.message


_BASES: dict[str, Base] = {}


def _base(key: str, specimen: Specimen) -> Base:
    if key not in _BASES:
        _BASES[key] = Base.of(results_of(specimen, [specimen.content])[0])
    return _BASES[key]


def _of(specimen: Specimen, ours: Sequence[int], seed: int) -> Iterator[Mutant]:
    base = _base(specimen.key, specimen)
    if base.result.error:
        return
    changes = [_change(specimen, Random(f"{seed} {specimen.key} {number}")) for number in ours]
    results = results_of(specimen, [change[0] for _, _, change in changes], base.result)
    for number, (of_number, kind, change), result in zip(ours, changes, results, strict=True):
        has_totals = specimen.source in WITH_TOTALS and base.result.complete
        yield Mutant(
            specimen.key,
            number,
            specimen.container,
            specimen.source,
            kind,
            of_number,
            of_number and has_totals,
            *change[1:],
            *verdict(base, result),
        )


def _change(specimen: Specimen, random: Random) -> tuple[bool, str, Change]:
    """Return a change of the first kind drawn that changes anything; first, if of a number."""
    of_number = random.random() < _OF_NUMBERS
    kinds = numbers.KINDS if of_number else _damages(specimen.container)
    for _ in range(_TRIES):
        kind = random.choice(kinds)
        change = _changed(specimen, kind, random)
        if change is not None and change[0] != specimen.content:
            return of_number, kind, change
    raise AssertionError(f"nothing to change in {specimen.key}")


@cache
def _damages(container: str) -> list[str]:
    own = {"html": damage_pages.KINDS, "xlsx": damage_books.KINDS, "csv": []}[container]
    return [*damage.KINDS, *own]


def _changed(specimen: Specimen, kind: str, random: Random) -> Change | None:
    document = specimen.document
    if kind in numbers.KINDS:
        return numbers.changed(document, kind, random)
    if kind in damage.KINDS:
        return damage.changed(document, specimen.content, kind, random)
    if isinstance(document, Page):
        return damage_pages.changed(document, kind, random)
    assert isinstance(document, Book)
    return damage_books.changed(document, kind, random)
