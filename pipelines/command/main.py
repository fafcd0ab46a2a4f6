"""The commands and their options. What they print is in `show`, what they run is in `run`."""

from __future__ import annotations

import datetime as dt
import gc
import os
import re
import sys
from pathlib import Path

import click

from pipelines.build import as_known
from pipelines.command import show
from pipelines.command.sources import other_sources
from pipelines.reports import archive, facts, layout, survey
from pipelines.reports.errors import FundflowsError, ShapeError, Where
from pipelines.reports.layout import Source
from pipelines.reports.reader import Report, read
from pipelines.reports.warehouse import PROJECT, Warehouse


class _Time(click.ParamType):
    """A moment in ISO form; without a zone it is UTC, and a date is its first moment."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        try:
            moment = dt.datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-01-26T14:00:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


class _Moment(click.ParamType):
    """A day, which means its end, or a moment; in UTC."""

    name = "DATE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        try:
            return as_known.moment_of(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2026-01-27", param, ctx)


class _Weeks(click.ParamType):
    """Week-ending dates A..B, or one of them."""

    name = "A..B"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[dt.date, dt.date]:
        first, dots, last = str(value).partition("..")
        try:
            span = dt.date.fromisoformat(first), dt.date.fromisoformat(last if dots else first)
        except ValueError:
            self.fail(f"{value!r} is not two dates such as 2026-01-02..2026-01-30", param, ctx)
        if span[0] > span[1]:
            self.fail(f"{span[0]} is after {span[1]}", param, ctx)
        return span


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fundflows")
def cli() -> None:
    """The ledger of ETF and ETP fund flows."""


@cli.command()
@click.argument("source")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--published", type=_Time(), help="When the publisher brought the report out.")
@click.option("--received", type=_Time(), help="When you received it; now, if not given.")
def add(
    source: str,
    files: tuple[Path, ...],
    published: dt.datetime | None,
    received: dt.datetime | None,
) -> None:
    """Archive reports of SOURCE. The same bytes again change nothing."""
    warehouse, of = Warehouse.default(), _source(source)
    unusable = 0
    for file in files:
        try:
            archived = archive.add(warehouse, of.name, file, published=published, received=received)
        except FundflowsError as error:
            unusable += 1
            show.error(error)
            continue
        (covered,) = (
            each
            for each in survey.contents(warehouse, of)
            if each.archived.report.report_id == archived.report.report_id
        )
        show.archived(of.name, archived, covered)
        if covered.error:
            unusable += 1
            show.belongs_to(other_sources(of, archived.report, archived.content()))
    sys.exit(1 if unusable else 0)


@cli.command()
@click.option("--weeks", type=_Weeks(), help="Only weeks ending from A to B.")
def run(weeks: tuple[dt.date, dt.date] | None) -> None:
    """Read what is new or changed, check it, build the database and publish it."""
    prepare_dagster(Warehouse.default())
    _import_for_good()
    from pipelines.command.run import run_due

    sys.exit(run_due(Warehouse.default(), weeks))


@cli.command(name="as-of")
@click.argument("moment", type=_Moment(), metavar="DATE")
def as_of(moment: dt.datetime) -> None:
    """Build a second database that knows what was known by the end of DATE, and nothing later.

    DATE is a day or a moment, such as 2026-01-27 or 2026-02-03T18:30Z.
    """
    from pipelines.build import database

    warehouse, sources = Warehouse.default(), layout.sources().values()
    behind = {source.name: len(facts.due(warehouse, source)) for source in sources}
    if any(behind.values()):
        named = ", ".join(f"{name} {count}" for name, count in behind.items() if count)
        show.warning(f"weeks that are due are not in it ({named}): `fundflows run` reads them")
    file = warehouse.database_as_of(moment)
    database.publish(warehouse, sources, as_of=moment, target=file)
    show.note(f"Published {file}, as known at {moment:%Y-%m-%d %H:%M:%S} UTC")


@cli.command(name="layout")
@click.argument("source")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def layout_(source: str, file: Path) -> None:
    """Show what the layouts of SOURCE see in FILE, storing nothing."""
    from pipelines.build.database import unmapped_in
    from pipelines.reports import judge

    of, content = _source(source), file.read_bytes()
    report = Report(of.name, "0" * 64, file.name, dt.datetime.now(dt.UTC))
    try:
        reading = read(of, report, content)
    except FundflowsError as error:
        show.grids_of(content)
        show.error(error)
        if isinstance(error, ShapeError):
            show.belongs_to(other_sources(of, report, content))
        sys.exit(1)
    judgement = judge.judge([reading])
    show.reading(reading, judgement, unmapped_in(judgement.observations))
    refused = judgement.refused.height or judge.blocking(judgement.outcomes).height
    sys.exit(1 if refused else 0)


@cli.command()
@click.argument("source")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def template(source: str, file: Path) -> None:
    """Write the blank workbook that people fill in for SOURCE to FILE."""
    from pipelines.build.database import printed_labels
    from pipelines.reports.template import write_workbook

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
    from pipelines.command.materialize import open_instance
    from pipelines.components.sql_models import POOL

    home = prepare_dagster(Warehouse.default())
    with open_instance(Warehouse.default()) as instance:
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


def _import_for_good() -> None:
    """Import what is large and lives to the end, without ever looking for garbage in it.

    Saves a second of a run, half of it at the exit. DuckDB must not be among it: its binding
    complains at the exit about objects that nobody collected.
    """
    if "duckdb" in sys.modules:
        return
    gc.disable()
    import dagster  # noqa: F401
    import pandera.backends.polars.builtin_checks  # noqa: F401

    import pipelines.command.event_log  # noqa: F401

    gc.freeze()
    gc.set_threshold(20_000)  # a run leaves little: looking every 700 objects finds nothing
    gc.enable()


def _source(name: str) -> Source:
    known = layout.sources()
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
        show.error(error)
        sys.exit(1)
