"""The command: `python -m tests.same OLD NEW`, which `make same` calls."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from . import allowed as allow_list
from . import show
from .builds import REPORTS
from .compare import compare
from .errors import CannotCompareError
from .real import PROJECT
from .sides import pairs

EQUAL, DIFFERENT, MISUSE = 0, 1, 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("old")
@click.argument("new", default=".")
@click.option("--allow", type=click.Path(path_type=Path), help="The list of allowed differences.")
@click.option("--reports", type=click.Choice(REPORTS), help="Build from these only.")
@click.option("--as-known", multiple=True, metavar="DATE", help="Compare the macros' answers, too.")
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    metavar="N",
    help="Rows shown of a table that changed, are only in OLD, only in NEW.",
)
def main(
    old: str,
    new: str,
    *,
    allow: Path | None,
    reports: str | None,
    as_known: tuple[str, ...],
    sample: int,
) -> None:
    """Compare what OLD and NEW publish, row by row and value by value.

    Each is a folder with a fundflows.duckdb, or a revision of the code, which is built first; a
    dot is the working tree. Exit code 0: equal but for what is allowed; 1: different; 2: nothing
    was compared.
    """
    try:
        allowed = allow_list.read(allow) if allow else allow_list.AllowList()
        found = {}
        for pair in pairs(old, new, project=PROJECT, reports=reports, say=_note):
            found[pair.title] = compare(
                pair.old, pair.new, allowed, sample=sample, as_known=as_known
            )
            click.echo(pair.title)
            click.echo("\n".join(show.comparison(found[pair.title])) + "\n")
    except CannotCompareError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(MISUSE)
    for line in show.allow_list(allowed):
        click.echo(line)
    click.echo(show.last_line(found, allowed))
    sys.exit(DIFFERENT if any(each.differs for each in found.values()) else EQUAL)


def _note(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
