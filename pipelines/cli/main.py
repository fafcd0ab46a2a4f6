"""The commands and their options. `output` prints, `run` and `execution` run."""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
from pathlib import Path

import click

from pipelines.cli import output
from pipelines.cli.parameters import Moment, PastTime, Time, Weeks
from pipelines.dagster_internals.imports import import_for_good
from pipelines.errors import FundflowsError, ShapeError, Where, refused_by_the_system
from pipelines.ingest.plan import plan
from pipelines.ingest.read import read_unread
from pipelines.ingest.sources import other_sources, sources
from pipelines.layouts.source import Source
from pipelines.reading.reader import inspect
from pipelines.report import Report
from pipelines.store import archive, marker
from pipelines.store.paths import PROJECT, Warehouse


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fundflows")
def cli() -> None:
    """The ledger of ETF and ETP fund flows."""


@cli.command()
def init() -> None:
    """Make the folder that FUNDFLOWS_WAREHOUSE names a warehouse, else the project's own."""
    warehouse = Warehouse.default()
    is_new = marker.init(warehouse)
    output.note(f"{warehouse.root} {'is a new' if is_new else 'is already a'} warehouse")


@cli.command()
@click.argument("source")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--published", type=Time(), help="When the publisher brought the report out.")
@click.option("--received", type=PastTime(), help="When you received it; now, if not given.")
def add(
    source: str,
    files: tuple[Path, ...],
    published: dt.datetime | None,
    received: dt.datetime | None,
) -> None:
    """Archive reports of SOURCE. The same bytes again change nothing."""
    warehouse, of = _warehouse(), _source(source)
    unusable = 0
    for file in files:
        try:
            archived = archive.add(warehouse, of.name, file, published=published, received=received)
        except FundflowsError as error:
            unusable += 1
            output.error(error)
            continue
        known = read_unread(warehouse, plan(warehouse, of))
        (covered,) = (each for each in known.reports if each.report_id == archived.report.report_id)
        output.archived(of.name, archived, covered)
        if covered.error:
            unusable += 1
            if not covered.is_on_hold:
                output.belongs_to(other_sources(of, archived.report, archived.content()))
    sys.exit(1 if unusable else 0)


@cli.command()
@click.option("--weeks", type=Weeks(), help="Only weeks ending from A to B.")
@click.option(
    "--allow-loss",
    multiple=True,
    metavar="SOURCE",
    help="Let numbers of SOURCE vanish from what is published, this once.",
)
def run(weeks: tuple[dt.date, dt.date] | None, allow_loss: tuple[str, ...]) -> None:
    """Read what is new or changed, check it, build the database and publish it."""
    warehouse = _warehouse()
    prepare_dagster(warehouse)
    import_for_good()
    from pipelines.cli.run import run_due
    from pipelines.components.workspace import Workspace

    sys.exit(run_due(Workspace(warehouse, allow_loss=frozenset(allow_loss)), weeks))


@cli.command()
@click.argument("report")
@click.option("--because", required=True, metavar="TEXT", help="Why it is right as it is.")
def accept(report: str, because: str) -> None:
    """Let REPORT through, which is on hold: its name, or the beginning of its id."""
    from pipelines.cli.decide import let_through

    let_through(_warehouse(), report, because)


@cli.command(name="as-of")
@click.argument("moment", type=Moment(), metavar="DATE")
def as_of(moment: dt.datetime) -> None:
    """Build a second database that knows what was known by the end of DATE, and nothing later.

    DATE is a day or a moment, such as 2026-01-27 or 2026-02-03T18:30Z.
    """
    from pipelines.database.publish import publish

    warehouse = _warehouse()
    plans = [read_unread(warehouse, plan(warehouse, source)) for source in sources().values()]
    behind = {each.source.name: len(each.due) for each in plans}
    if any(behind.values()):
        named = ", ".join(f"{name} {count}" for name, count in behind.items() if count)
        output.warning(f"weeks that are due are not in it ({named}): `fundflows run` reads them")
    file = warehouse.database_as_of(moment)
    publish(warehouse, plans, now=dt.datetime.now(dt.UTC), as_of=moment, target=file)
    output.note(f"Published {file}, as known at {moment:%Y-%m-%d %H:%M:%S} UTC")


@cli.command(name="layout")
@click.argument("source")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def layout_(source: str, file: Path) -> None:
    """Show what the layouts of SOURCE see in FILE, storing nothing."""
    from pipelines.checking.check import blocking, check
    from pipelines.database.labels import unmapped_in

    of, content = _source(source), file.read_bytes()
    report = Report(of.name, "0" * 64, file.name, dt.datetime.now(dt.UTC))
    try:
        seen = inspect(of, report, content)
    except FundflowsError as error:
        output.grids_of(content)
        output.error(error)
        if isinstance(error, ShapeError):
            output.belongs_to(other_sources(of, report, content))
        sys.exit(1)
    checked = check([seen.reading])
    output.inspection(seen, checked, unmapped_in(checked.observations))
    refused = checked.refused.height or blocking(checked.outcomes).height
    sys.exit(1 if refused else 0)


@cli.command()
@click.argument("source")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def template(source: str, file: Path) -> None:
    """Write the blank workbook that people fill in for SOURCE to FILE."""
    from pipelines.database.labels import printed_labels
    from pipelines.ingest.form import write_workbook

    of = _source(source)
    workbooks = [each for each in of.layouts if each.container == "xlsx"]
    if not workbooks:
        raise FundflowsError(
            f"{of.name} is not kept as a workbook.",
            where=Where(source=of.name),
            expected="a source with an xlsx layout",
            found=", ".join(each.container for each in of.layouts),
            fix="add reports as the publisher brings them out",
        )
    newest = max(workbooks, key=lambda each: each.valid_from)
    labels = {
        table.name: printed_labels(table.dimension, of.asset_classes) for table in newest.tables
    }
    try:
        write_workbook(of, newest, file, labels=labels)
    except OSError as error:
        raise FundflowsError(
            "The template cannot be written.",
            where=Where(file=str(file)),
            expected="a file in a folder that is there",
            found=error.strerror or str(error),
            fix="make the folder, or name another",
        ) from error
    click.echo(f"wrote {file}")


@cli.command()
@click.option("--port", default=3000, show_default=True, help="Where the UI listens.")
def ui(port: int) -> None:
    """Open the Dagster UI on this machine (loopback only, no telemetry)."""
    from pipelines.cli.execution import open_instance
    from pipelines.components.models import POOL

    warehouse = _warehouse()
    home = prepare_dagster(warehouse)
    with open_instance(warehouse) as instance:
        # Dagster knows a pool from its first run on, and holds only later ones to its limit.
        instance.event_log_storage.initialize_concurrency_limit_to_default(POOL)
    click.echo(f"Dagster UI on http://127.0.0.1:{port} (runs and events in {home})")
    arguments = ["dev", "-h", "127.0.0.1", "-p", str(port)]
    os.environ.setdefault("PYTHONWARNINGS", "ignore:Function `dev_command`")
    os.chdir(PROJECT)
    dagster = Path(sys.executable).with_name("dagster")
    os.execv(dagster, ["dagster", *arguments])  # noqa: S606 (a fixed command)


def prepare_dagster(warehouse: Warehouse) -> Path:
    """Give Dagster a home in the warehouse, with the project's settings; return it.

    A `DAGSTER_HOME` that is set already is respected.

    Raises:
        FundflowsError: Dagster would take the path for a pattern, and silently go without the
            settings: with telemetry, and several builds at a time.
    """
    if home := os.environ.get("DAGSTER_HOME"):
        return Path(home)
    home_path = warehouse.dagster_home
    if found := re.search(r"[\[\]*?]|%[0-9A-Fa-f]{2}", str(home_path)):
        raise FundflowsError(
            "The warehouse is in a folder in which Dagster cannot keep its runs.",
            expected="a path without [ ] * ? and without % before two hexadecimal digits",
            found=f"{found[0]} in {warehouse.root}",
            fix="set FUNDFLOWS_WAREHOUSE to another folder, or move the project",
        )
    home_path.mkdir(parents=True, exist_ok=True)
    settings = (PROJECT / "dagster.yaml").read_text(encoding="utf-8")
    target = home_path / "dagster.yaml"
    if not target.exists() or target.read_text(encoding="utf-8") != settings:
        target.write_text(settings, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home_path)
    return home_path


def _warehouse() -> Warehouse:
    """Return the warehouse; one of an older version is brought up, with a line that says so."""
    warehouse = Warehouse.default()
    for step in marker.bring_up(warehouse):
        output.warning(f"warehouse brought up: {step}")
    return warehouse


def _source(name: str) -> Source:
    known = sources()
    if name not in known:
        raise FundflowsError(
            f"There is no source {name!r}.",
            expected=", ".join(known),
            found=name,
            fix="use one of these, or add a source (docs/add-a-source.md)",
        )
    return known[name]


def main() -> None:
    """Run the command; a known error is one clear message and exit code 1."""
    try:
        cli(standalone_mode=True)
    except FundflowsError as error:
        output.error(error)
        sys.exit(1)
    except OSError as error:
        output.error(refused_by_the_system(error))
        sys.exit(1)
