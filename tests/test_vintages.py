"""Vintages: what a later report newly says is kept beside what was said, whatever comes first.

A week on disk is a pure function of the archive. So the order in which reports arrive, running
twice, and deleting all that is derived must leave no trace.
"""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import golden
import polars as pl
import pytest
import steps
from hypothesis import given, settings
from hypothesis import strategies as st
from world import World, files_under, tables

from pipelines.components.workspace import Workspace
from pipelines.database.publish import published_fingerprint
from pipelines.errors import FundflowsError
from pipelines.ingest.results import WeekResult
from pipelines.layouts.source import Source, parse_source

FRIDAY = dt.date(2026, 1, 16)
BEFORE = FRIDAY - dt.timedelta(weeks=1)
SOURCE = golden.source("farside_btc")
DERIVED = ("weeks", "index", "outcomes", "quarantine")
MILLION = 1_000_000

HEADER = "Date,IBIT,FBTC,Total"
VINTAGES = {
    # While Thursday and Friday fill in.
    "2026-01-15": golden.history(
        HEADER, "09 Jan 2026,7.0,1.0,8.0", "13 Jan 2026,10.0,-2.5,7.5", "15 Jan 2026,0.0,-,0.0"
    ),
    # All days are there.
    "2026-01-17": golden.history(
        HEADER,
        "09 Jan 2026,7.0,1.0,8.0",
        "13 Jan 2026,10.0,-2.5,7.5",
        "15 Jan 2026,5.0,5.0,10.0",
        "16 Jan 2026,1.0,1.0,2.0",
    ),
    # Tuesday is restated, and the week before is no longer shown.
    "2026-01-20": golden.history(
        HEADER,
        "13 Jan 2026,11.0,-2.5,8.5",
        "15 Jan 2026,5.0,5.0,10.0",
        "16 Jan 2026,1.0,1.0,2.0",
    ),
    # A total does not add up in this week; the week before says something new.
    "2026-01-22": golden.history(
        HEADER, "09 Jan 2026,7.5,1.0,8.5", "13 Jan 2026,99.0,-2.5,8.5", "16 Jan 2026,1.0,1.0,2.0"
    ),
}


def add(world: World, seen: str) -> None:
    world.add(SOURCE.name, "btc.csv", VINTAGES[seen], received=f"{seen}T06:00Z")


def due(world: World, source: Source = SOURCE) -> list[dt.date]:
    return steps.due(world.warehouse, source)


def ingest(world: World, source: Source = SOURCE) -> list[WeekResult]:
    return steps.ingest(world.warehouse, source, due(world, source))


def derived(world: World) -> dict[str, bytes]:
    """Return the weeks' files; the survey of a report is beside the point."""
    return {
        f"{kind}/{name}": content
        for kind in ("weeks", "quarantine", "outcomes")
        if (world.root / kind).is_dir()
        for name, content in files_under(world.root / kind).items()
    }


def said(world: World, label: str, day: str) -> list[tuple[Any, ...]]:
    """Return the vintages of one number, oldest first: when known, value in US$m, status."""
    week = FRIDAY if dt.date.fromisoformat(day) > BEFORE else BEFORE
    rows = world.observations(SOURCE.name, str(week)).filter(
        pl.col("label") == label, pl.col("period_end") == dt.date.fromisoformat(day)
    )
    return [
        (f"{row['known_at']:%Y-%m-%d}", row["value"] and row["value"] / MILLION, row["status"])
        for row in rows.sort("known_at").iter_rows(named=True)
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> World:
    """All vintages, in the order in which they were published."""
    world = World(tmp_path_factory.mktemp("whole") / "warehouse")
    for seen in VINTAGES:
        add(world, seen)
    ingest(world)
    return world


# -- what is stored --------------------------------------------------------------------------------


def test_a_restated_number_is_kept_beside_the_first_one(whole):
    assert said(whole, "IBIT", "2026-01-13") == [
        ("2026-01-15", 10, "final"),
        ("2026-01-20", 11, "final"),
    ]


def test_a_number_that_is_repeated_is_not_stored_again(whole):
    assert said(whole, "FBTC", "2026-01-13") == [("2026-01-15", Decimal("-2.5"), "final")]
    assert said(whole, "FBTC", "2026-01-16") == [("2026-01-17", 1, "final")]


def test_a_dash_that_becomes_a_number_is_two_statements(whole):
    assert said(whole, "FBTC", "2026-01-15") == [
        ("2026-01-15", None, "preliminary"),
        ("2026-01-17", 5, "final"),
    ]


def test_a_row_that_is_no_longer_shown_is_not_deleted(whole):
    assert said(whole, "FBTC", "2026-01-09") == [("2026-01-15", 1, "final")]


def test_a_refused_vintage_leaves_no_number_in_its_week_only(whole):
    known = whole.observations(SOURCE.name, str(FRIDAY)).get_column("known_at")
    assert f"{known.max():%Y-%m-%d}" == "2026-01-20"
    assert said(whole, "IBIT", "2026-01-09") == [
        ("2026-01-15", 7, "final"),
        ("2026-01-22", Decimal("7.5"), "final"),
    ]


def test_results_say_what_was_read_and_what_was_refused(whole, tmp_path):
    world = World(tmp_path / "warehouse")
    shutil.copytree(whole.root / "archive", world.root / "archive")
    before, week = ingest(world)
    assert (before.week, week.week) == (BEFORE, FRIDAY)
    assert before.ok
    assert not week.ok
    assert (week.vintages, len(week.reports), week.refused_reports) == (3, 4, ("btc.csv",))
    assert "residual" in week.failures[0]


def test_a_report_that_repeats_its_predecessor_is_no_vintage(whole, tmp_path):
    world = World(tmp_path / "warehouse")
    shutil.copytree(whole.root, world.root)
    again = VINTAGES["2026-01-22"].replace(b"09 Jan 2026,7.5", b"09 Jan 2026,7.50")
    same = VINTAGES["2026-01-22"] + b"\n"
    assert due(world) == []
    world.add(SOURCE.name, "btc.csv", same, received="2026-01-23T06:00Z")
    assert due(world) == []
    # A finer last digit is news: it narrows what the number can be (F9).
    world.add(SOURCE.name, "btc.csv", again, received="2026-01-24T06:00Z")
    assert due(world) == [BEFORE]


# -- the order of arrival --------------------------------------------------------------------------


def arrive(world: World, order: Sequence[str], *, run_between: bool) -> dict[str, bytes]:
    for seen in order:
        add(world, seen)
        if run_between:
            ingest(world)
    ingest(world)
    return derived(world)


@pytest.mark.parametrize("order", list(itertools.permutations(VINTAGES)), ids="-".join)
def test_the_order_of_arrival_does_not_matter(whole, tmp_path, order):
    found = arrive(World(tmp_path / "warehouse"), order, run_between=True)
    assert found == derived(whole)


def test_arriving_together_is_arriving_one_by_one(whole, tmp_path):
    found = arrive(World(tmp_path / "warehouse"), list(VINTAGES)[::-1], run_between=False)
    assert found == derived(whole)


FLOWS = st.sampled_from(["1.0", "2.0", "-", "0.0"])


@pytest.mark.slow
@settings(max_examples=15)
@given(
    data=st.lists(st.tuples(FLOWS, FLOWS, st.integers(1, 3)), min_size=2, max_size=4),
    seed=st.randoms(use_true_random=False),
)
def test_any_vintages_in_any_order_make_the_same_week(tmp_path_factory, data, seed):
    """Also several that were known at the very same time."""
    worlds = [World(tmp_path_factory.mktemp("any") / "warehouse") for _ in range(2)]
    reports = [
        (
            golden.history(
                "Date,BSOL,GSOL,Total",
                f"13 Jan 2026,{one},{two},-",
                f"14 Jan 2026,{two},{one},-",
            ),
            f"2026-01-{20 + day}T00:00Z",
        )
        for one, two, day in data
    ]
    shuffled = list(reports)
    seed.shuffle(shuffled)
    # Which clock the same bytes get depends on who comes first: bytes twice are one report.
    first = dict(reversed(reports))
    for world, of in zip(worlds, (reports, shuffled), strict=True):
        for content, _ in of:
            world.add("farside_sol", "sol.csv", content, received=first[content])
            ingest(world, golden.source("farside_sol"))
    assert derived(worlds[0]) == derived(worlds[1])


@pytest.mark.slow
@pytest.mark.parametrize("order", [1, -1])
def test_two_vintages_known_at_the_same_time_are_told_apart_in_one_way(tmp_path, order):
    """Nobody can say which is newer: but the week file, core and the week's outcome must agree."""
    world = World(tmp_path / "warehouse")
    flows = ("10.0", "11.0")
    for flow in flows[::order]:
        content = golden.history(HEADER, f"13 Jan 2026,{flow},0.0,{flow}")
        world.add(SOURCE.name, "btc.csv", content, received="2026-01-20T00:00Z")
    ingest(world)
    steps.publish(world.warehouse, [SOURCE])
    last = steps.vintages(world.warehouse, SOURCE)[FRIDAY][-1][0]
    assert world.query("select distinct report_id from core.observation where label = 'IBIT'") == [
        (last,)
    ]


# -- idempotence -----------------------------------------------------------------------------------


def test_reading_a_week_twice_writes_the_same_bytes(whole, tmp_path):
    world = World(tmp_path / "warehouse")
    shutil.copytree(whole.root, world.root)
    steps.ingest(world.warehouse, SOURCE, [BEFORE, FRIDAY])
    assert derived(world) == derived(whole)


def test_weeks_can_be_read_one_by_one_in_any_order(whole, tmp_path):
    world = World(tmp_path / "warehouse")
    shutil.copytree(whole.root / "archive", world.root / "archive")
    for week in (FRIDAY, BEFORE):
        steps.ingest(world.warehouse, SOURCE, [week])
    assert derived(world) == derived(whole)


def test_a_week_that_no_report_covers_any_more_leaves_no_file(whole, tmp_path):
    """If that is meant: else what was read of lost reports stays (test_never_less)."""
    world = World(tmp_path / "warehouse")
    shutil.copytree(whole.root, world.root)
    shutil.rmtree(world.root / "archive")
    shutil.rmtree(world.root / "index")
    space = Workspace(world.warehouse, allow_loss=frozenset({SOURCE.name}))
    (result,), _ = space.ingest(SOURCE, [FRIDAY], lambda _: None)
    assert (result.rows, result.reports, result.ok) == (0, (), True)
    assert not world.week_file("weeks", SOURCE.name, str(FRIDAY)).exists()
    assert not world.week_file("outcomes", SOURCE.name, str(FRIDAY)).exists()


def test_a_vintage_more_is_added_without_reading_the_older_reports(whole, tmp_path):
    """Else a page that is seen a thousand times would be read a thousand times."""
    world, undisturbed = (World(tmp_path / name / "warehouse") for name in ("cut", "sound"))
    more = VINTAGES["2026-01-20"].replace(b"1.0,1.0,2.0", b"1.0,1.5,2.5")
    for each in (world, undisturbed):
        shutil.copytree(whole.root, each.root)
        if each is world:
            for file in (each.root / "archive" / SOURCE.name).glob("*.csv"):
                file.write_bytes(b"not what was archived")
        each.add(SOURCE.name, "btc.csv", more, received="2026-01-25T06:00Z")
        assert due(each) == [FRIDAY]
        ingest(each)
    assert derived(world) == derived(undisturbed)
    assert said(world, "FBTC", "2026-01-16") == [
        ("2026-01-17", 1, "final"),
        ("2026-01-25", Decimal("1.5"), "final"),
    ]
    # Asked for again, though nothing is new, a week is made from the archive; what is lost stays.
    before = derived(world)
    steps.ingest(world.warehouse, SOURCE, [FRIDAY])
    assert derived(world) == before


# -- what makes a week due -------------------------------------------------------------------------


def tiny(**table: Any) -> Source:
    """Return a source of its own, to change its layout."""
    attributes = golden.attributes_of("farside_sol")
    layout = next(each for each in attributes["layouts"] if each["container"] == "csv")
    layout["tables"][0].update(table)
    return parse_source("farside_sol", attributes, "defs.yaml")


def test_a_layout_that_judges_otherwise_makes_its_weeks_due(tmp_path):
    """The numbers are the same, but whether the week may be used is not."""
    world = World(tmp_path / "warehouse")
    off = golden.history("Date,BSOL,Total", "13 Jan 2026,1.0,5.0", "14 Jan 2026,1.0,1.0")
    world.add("farside_sol", "sol.csv", off, received="2026-01-20T00:00Z")
    (loose,) = ingest(world, tiny(totals="none"))
    assert loose.ok
    assert due(world, tiny()) == [FRIDAY]
    (strict,) = ingest(world, tiny())
    assert not strict.ok
    assert not world.week_file("weeks", "farside_sol", str(FRIDAY)).exists()


def test_a_layout_that_reads_otherwise_makes_its_weeks_due(tmp_path):
    world = World(tmp_path / "warehouse")
    flows = golden.history("Date,BSOL,Total", "13 Jan 2026,1.0,1.0", "14 Jan 2026,1.0,1.0")
    world.add("farside_sol", "sol.csv", flows, received="2026-01-20T00:00Z")
    ingest(world, tiny())
    assert due(world, tiny()) == []
    across = {"dimension": "fund", "label": "[A-Z]{3,5}", "measure": "net_flow",
              "unit": "US$bn", "period": "day"}  # fmt: skip
    total = {"measure": "net_flow", "unit": "US$bn", "period": "day", "dimension": "total"}
    columns = {"Date": {"key": "date", "formats": ["%d %b %Y"]}, "Total": total}
    assert due(world, tiny(across=across, columns=columns)) == [FRIDAY]


def test_outcomes_that_were_lost_or_damaged_are_written_again(whole, tmp_path):
    world = World(tmp_path / "warehouse")
    shutil.copytree(whole.root, world.root)
    file = world.week_file("outcomes", SOURCE.name, str(FRIDAY))
    file.write_bytes(b"PAR1 cut off")
    assert due(world) == [FRIDAY]
    file.unlink()
    assert due(world) == [FRIDAY]
    ingest(world)
    assert derived(world) == derived(whole)


@pytest.mark.parametrize("state", ["{}", '{"reports": []}', "?"])
def test_outcomes_of_another_version_are_written_again(whole, tmp_path, state):
    world = World(tmp_path / "warehouse")
    shutil.copytree(whole.root, world.root)
    file = world.week_file("outcomes", SOURCE.name, str(FRIDAY))
    pl.read_parquet(file, glob=False).write_parquet(file, metadata={"fundflows": state})
    assert due(world) == [FRIDAY]


def test_a_survey_that_was_damaged_is_made_again(whole, tmp_path):
    world = World(tmp_path / "warehouse")
    shutil.copytree(whole.root, world.root)
    (file,) = (world.root / "index").glob("*")
    file.write_bytes(b"PAR1 cut off")
    assert due(world) == []
    assert files_under(world.root / "index") == files_under(whole.root / "index")


def test_a_week_file_that_was_damaged_are_a_clear_error_and_nothing_is_published(whole, tmp_path):
    world = World(tmp_path / "warehouse")
    shutil.copytree(whole.root, world.root)
    world.week_file("weeks", SOURCE.name, str(FRIDAY)).write_bytes(b"PAR1 cut off")
    with pytest.raises(FundflowsError, match=str(FRIDAY)):
        steps.publish(world.warehouse, [SOURCE])
    assert not world.database.exists()


def test_a_week_file_that_was_lost_is_written_again(whole, tmp_path):
    """Else the next build would publish a week without its numbers, and nobody would be told."""
    world = World(tmp_path / "warehouse")
    shutil.copytree(whole.root, world.root)
    world.week_file("weeks", SOURCE.name, str(FRIDAY)).unlink()
    assert due(world) == [FRIDAY]
    ingest(world)
    assert derived(world) == derived(whole)


# -- rebuilt from the archive ----------------------------------------------------------------------


@pytest.mark.slow
def test_everything_but_the_archive_can_be_deleted_and_comes_back_the_same(tmp_path):
    world = World(tmp_path / "warehouse")
    world.add("coinshares", "week.xlsx", golden.CLEAN, received="2023-05-16T00:00Z")
    world.add("coinshares", "text.xlsx", golden.TEXT_NUMBER, received="2023-05-17T00:00Z")
    world.add("canary", "HBR.csv", golden.NAV_HISTORY, received="2026-02-01T00:00Z")
    for seen in VINTAGES:
        add(world, seen)
    assert world.run().code == 1  # the last vintage is refused
    before, stored = tables(world.database), derived(world)
    for kind in DERIVED:
        shutil.rmtree(world.root / kind)
    assert world.run().code == 1
    after = tables(world.database)
    for name in before:
        assert after[name] == before[name], name
    assert len(before["core.observation"]) > 100
    assert before["ops.quarantine"]
    assert derived(world) == stored


@pytest.mark.slow
def test_deleting_the_database_brings_it_back(whole, tmp_path):
    world = World(tmp_path / "warehouse")
    shutil.copytree(whole.root, world.root)
    sources = [SOURCE]
    steps.publish(world.warehouse, sources)
    before = tables(world.database)
    Path(world.database).unlink()
    assert published_fingerprint(world.warehouse) is None
    steps.publish(world.warehouse, sources)
    assert tables(world.database) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("known", "flow"), [("2026-01-16", 10), ("2026-01-18", 10), ("2026-01-21", 11)]
)
def test_what_was_known_on_a_day_is_what_the_ledger_says_as_of_that_day(
    whole, tmp_path, known, flow
):
    """E43: as known on K is the latest statement up to K."""
    target = tmp_path / "asof.duckdb"
    moment = dt.datetime.fromisoformat(f"{known}T00:00+00:00")
    steps.publish(whole.warehouse, [SOURCE], as_of=moment, target=target)
    with closing(duckdb.connect(str(target), read_only=True)) as connection:
        connection.execute("set timezone = 'UTC'")
        found = connection.execute(
            "select net_flow_usd, (select max(known_at) <= ? from core.observation) "
            "from core.fund_step where label = 'IBIT' and trade_date = '2026-01-13'",
            [moment],
        ).fetchall()
    assert found == [(flow * MILLION, True)]
