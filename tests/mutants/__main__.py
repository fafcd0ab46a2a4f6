"""The command: makes the mutants, and prints what came of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.harness import by_container, in_processes, unreadable
from tests.mutants.specimens import PROJECT, specimens
from tests.mutants.tables import report
from tests.mutants.verdicts import FAULTS

CONTAINERS = ("xlsx", "csv", "html")


def main(arguments: Sequence[str]) -> int:
    """Run; return 1 if a mutant raised, hung or was missed in a table with totals."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--per-container", type=int, default=5000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--source", help="only specimens of one source")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--show", type=int, default=60, help="how many faults are printed")
    parser.add_argument(
        "--project", type=Path, default=PROJECT, help="the checkout whose reports are changed"
    )
    options = parser.parse_args(arguments)
    found = [each for each in specimens(options.project) if options.source in (None, each.source)]
    for key, error, message in unreadable(found):
        print(f"left out: {key}: {error}: {message.strip()}")
    planned = [
        each
        for container in CONTAINERS
        for each in by_container(found, container, options.per_container)
    ]
    made = in_processes(planned, options.seed, options.workers)
    print("\n".join(report(made, options.show)))
    missed = (each.must_be_caught and each.result == "missed" for each in made)
    return int(any(each.result in FAULTS for each in made) or any(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
