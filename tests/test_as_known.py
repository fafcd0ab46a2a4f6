"""As known on: the ledger of a past moment, as a database of its own and through table macros.

The reports of a world are archived with the time at which they were received; a query as known at
K must not see what came later, whatever was done since (E38, E43).
`FUNDFLOWS_HISTORIES` is the number of random histories (200 if not set).
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import golden
import polars as pl
import pytest
import steps
from world import World, definitions, different, files_under, tables

pytestmark = pytest.mark.slow

MILLION = 1_000_000
BTC = golden.source("farside_btc")
FUNDS = ["IBIT", "FBTC", "BITB", "ARKB", "BTCO", "EZBC", "BRRR", "HODL", "BTCW", "GBTC", "BTC"]
SEEN = {
    "2026-02-03T15:00Z": "btc_asof_20260203T1500Z.csv",
    "2026-02-03T18:30Z": "btc_asof_20260203T1830Z.csv",
    "2026-02-03T23:30Z": "btc_asof_20260203T2330Z.csv",
    "2026-02-04T02:00Z": "btc_asof_20260204T0200Z.csv",
    "2026-02-04T05:00Z": "btc_asof_20260204T0500Z.csv",
}
# What the page read for 3 February 2026: the total, each fund, how many funds are told.
READ: dict[str, tuple[str, list[str | None], str]] = {
    "2026-02-03T15:00Z": ("0.0", ["0.0"] * 11, "preliminary"),
    "2026-02-03T18:30Z": ("0.0", [None] * 11, "preliminary"),
    "2026-02-03T23:30Z": ("-90.4", [*[None] * 9, "-56.6", "-33.8"], "preliminary"),
    "2026-02-04T02:00Z": (
        "-332.0",
        [None, "-148.7", "-23.4", "-62.5", "0.0", "-2.2", "0.0", "-4.8", "0.0", "-56.6", "-33.8"],
        "preliminary",
    ),
    "2026-02-04T05:00Z": (
        "-272.0",
        ["60.0", "-148.7", "-23.4", "-62.5", "0.0", "-2.2", "0.0", "-4.8", "0.0", "-56.6", "-33.8"],
        "final",
    ),
}  # fmt: skip
MACROS = ("core.observation", "mart.flows", "mart.aum_change", "mart.fund_bridge")


def read(database_file: Path, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with closing(duckdb.connect(str(database_file), read_only=True)) as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.execute(sql, parameters).fetchall()


def as_of(world: World, moment: str) -> Path:
    """Build the database as known at a moment with the command, and return its file."""
    before = set(world.root.glob("*.duckdb"))
    said = world.call("as-of", moment)
    assert said.code == 0, said.text
    (made,) = set(world.root.glob("*.duckdb")) - before
    return made


def macros_of(
    file: Path, moment: str, zone: str = "UTC", names: Sequence[str] = MACROS
) -> Mapping[str, list[str]]:
    """Return what the table macros say about a moment, as sorted texts."""
    moment = re.sub(r"(T\d\d:\d\d)Z$", r"\1:00Z", moment)  # DuckDB 1.5 wants seconds
    with closing(duckdb.connect(str(file), read_only=True)) as connection:
        connection.execute(f"set timezone = '{zone}'")
        return {
            name: sorted(
                map(repr, connection.execute(f"from {name}_as_known('{moment}')").fetchall())
            )
            for name in names
        }


def in_utc(file: Path) -> Mapping[str, list[str]]:
    with closing(duckdb.connect(str(file), read_only=True)) as connection:
        connection.execute("set timezone = 'UTC'")
        return {
            name: sorted(map(repr, connection.execute(f"from {name}").fetchall()))
            for name in MACROS
        }


# -- the five states of one day, as the page showed them -------------------------------------------


@pytest.fixture(scope="module")
def btc(real: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("btc") / "warehouse")
    for moment, name in SEEN.items():
        content = (real / "farside/vintages" / name).read_bytes()
        world.add("farside_btc", "btc.csv", content, received=moment)
    assert steps.publish_all(world.warehouse) == []
    return world


def millions(value: Decimal | None) -> str | None:
    return None if value is None else f"{value / MILLION:.1f}"


@pytest.mark.real
@pytest.mark.parametrize("moment", SEEN)
def test_e43_each_state_of_a_day_is_built_as_it_was_known(btc: World, moment: str) -> None:
    """E07, E37, E43: what was printed, and what of it is a flow."""
    served = btc.database.read_bytes()
    file = as_of(btc, moment)
    assert btc.database.read_bytes() == served
    total, funds, status = READ[moment]
    printed = {
        label: (millions(value), state)
        for label, value, state in read(
            file,
            "select label, value, status from core.observation "
            "where period_end = '2026-02-03' and measure = 'net_flow'",
        )
    }
    assert printed == {
        "Total": (total, status),
        **{label: (flow, status) for label, flow in zip(FUNDS, funds, strict=True)},
    }
    flows = dict(
        read(
            file,
            "select label, net_flow_usd from core.fund_step "
            "where trade_date = '2026-02-03' and net_flow_usd is not null",
        )
    )
    # A zero while the row is filling is no flow; in the final row it is one.
    told = {
        label: Decimal(flow) * MILLION
        for label, flow in zip(FUNDS, funds, strict=True)
        if flow is not None and (status == "final" or flow != "0.0")
    }
    assert flows == told
    ((week_flow, week_status, coverage),) = read(
        file,
        "select net_flow_usd, status, coverage from mart.flows "
        "where week_ending = '2026-02-06' and dimension = 'total'",
    )
    assert week_flow == Decimal("561.8") * MILLION + Decimal(total) * MILLION
    assert week_status == "preliminary"
    # Eleven funds told the Monday; the Tuesday as far as they have spoken.
    assert coverage == round(Decimal(100 * (11 + len(told))) / 22, 6)
    assert macros_of(btc.database, moment) == in_utc(file)


@pytest.mark.real
def test_e38_macros_answer_alike_in_any_time_zone_of_the_session(btc: World) -> None:
    moments = ["2026-02-03", "2026-02-03T18:30:00Z", "2026-02-04T03:30:00+01:00"]
    for moment in moments:
        here, *there = (
            macros_of(btc.database, moment, zone, ["mart.flows"])
            for zone in ("UTC", "America/New_York", "Asia/Tokyo")
        )
        assert there == [here, here]
    flows = [
        millions(btc.one(
            f"select net_flow_usd from mart.flows_as_known('{moment}') "
            "where week_ending = '2026-02-06' and dimension = 'total'"
        )) for moment in moments
    ]  # fmt: skip
    assert flows == ["471.4", "561.8", "229.8"]


def all_of(world: World) -> dict[str, object]:
    """Return what a warehouse keeps; the rows of the index have no order."""
    rows = {file.name: pl.read_parquet(file, glob=False) for file in world.root.glob("index/*")}
    index = {name: sorted(map(repr, frame.rows())) for name, frame in rows.items()}
    kept = files_under(world.root).items()
    return index | {name: each for name, each in kept if not name.startswith("index/")}


@pytest.mark.real
def test_e43_the_order_in_which_five_vintages_are_added_does_not_matter(
    real: Path, tmp_path: Path
) -> None:
    """All 120 orders, with a reading after each report.

    Whatever of the reports is there, it is the same in every file whichever came last: so all
    orders of a few lead to one state, and from there on they are one.
    """
    contents = {}
    for moment, name in SEEN.items():
        header, *days = (real / "farside/vintages" / name).read_text(encoding="utf-8").splitlines()
        contents[moment] = golden.history(header, *days[-6:])

    worlds = {frozenset[str](): World(tmp_path / "none")}
    for number in range(len(SEEN)):
        for known in [each for each in worlds if len(each) == number]:
            for moment in SEEN.keys() - known:
                longer = World(tmp_path / "-".join([*sorted(known), moment]))
                if known:
                    shutil.copytree(worlds[known].root, longer.root)
                longer.add(BTC.name, "btc.csv", contents[moment], received=moment)
                steps.ingest(longer.warehouse, BTC, steps.due(longer.warehouse, BTC))
                first = worlds.setdefault(known | {moment}, longer)
                assert all_of(longer) == all_of(first)
    assert len(worlds) == 2 ** len(SEEN)
    assert list(worlds[frozenset(SEEN)].root.glob("weeks/*/*.parquet"))


@pytest.mark.real
def test_funds_that_enter_a_page_need_no_new_layout_and_days_that_leave_it_stay(
    real: Path, tmp_path: Path
) -> None:
    world = World(tmp_path / "warehouse")
    vintages = real / "farside/vintages"
    for moment, name in golden.SOLANA.items():
        world.add("farside_sol", "sol.csv", (vintages / name).read_bytes(), received=moment)
    assert steps.publish_all(world.warehouse) == []
    funds = (
        "select string_agg(distinct label, ' ' order by label) from {} "
        "where dimension = 'fund' and measure = 'net_flow'"
    )
    assert world.one(funds.format("core.observation_as_known('2025-11-16')")) == "BSOL GSOL"
    assert world.one(funds.format("core.observation")) == "BSOL FSOL GSOL SOEZ TSOL VSOL"
    days = "select min(period_end), count(distinct period_end) from {} where label = 'BSOL'"
    shown = days.format("core.observation") + " and measure = 'net_flow' and known_at > ?"
    later = dt.datetime(2025, 11, 17, tzinfo=dt.UTC)
    # 28 October to 11 November is no longer on the page, and still in the ledger.
    assert world.query(shown, later) == [(dt.date(2025, 11, 14), 13)]
    assert world.query(
        "select min(trade_date), count(*) from core.fund_day where label = 'BSOL'"
    ) == [(dt.date(2025, 10, 28), 24)]
    week = "select net_flow_usd from mart.flows where member = 'bsol-us' and week_ending = ?"
    assert world.one(week, dt.date(2025, 11, 7)) == Decimal("126.8") * MILLION


# -- what a day means ------------------------------------------------------------------------------

WEEK = golden.history(
    "Date,IBIT,FBTC,Total", "19 Jan 2026,5.0,1.0,6.0", "23 Jan 2026,-8.0,1.0,-7.0"
)
RESTATED = WEEK.replace(b"-8.0,1.0,-7.0", b"-6.5,1.0,-5.5")


@pytest.fixture(scope="module")
def restated(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("restated") / "warehouse")
    world.add("farside_btc", "btc.csv", WEEK, received="2026-01-26T14:00Z")
    world.add("farside_btc", "btc.csv", RESTATED, received="2026-02-02T14:00Z")
    assert steps.publish_all(world.warehouse) == []
    return world


@pytest.mark.parametrize(
    ("moment", "flow"),
    [
        ("2026-01-25", None),
        ("2026-01-26T13:59:59Z", None),
        ("2026-01-26T14:00:00Z", -1),
        ("2026-01-26", -1),
        ("2026-01-27", -1),
        ("2026-02-01", -1),
        ("2026-02-02T13:59:59.999999Z", -1),
        ("2026-02-02", "0.5"),
        ("2030-01-01", "0.5"),
    ],
)
def test_e38_e43_a_query_sees_nothing_that_was_published_later(
    restated: World, moment: str, flow: object
) -> None:
    found = restated.query(
        f"select net_flow_usd from mart.flows_as_known('{moment}') where dimension = 'total'"
    )
    assert found == ([] if flow is None else [(Decimal(str(flow)) * MILLION,)])


def test_macros_take_dates_and_timestamps_too(restated: World) -> None:
    for moment in (
        "date '2026-01-27'",
        "timestamptz '2026-01-27 00:00:00+00'",
        "'2026-01-27 09:00:00'",
    ):
        sql = f"select net_flow_usd from mart.flows_as_known({moment}) where dimension = 'total'"
        assert restated.query(sql) == [(Decimal(-1) * MILLION,)]


def test_observations_as_known_have_the_reports_and_clocks_of_their_time(restated: World) -> None:
    sql = (
        "select value, known_at, published_at from core.observation_as_known(?) "
        "where label = 'IBIT' and period_end = '2026-01-23'"
    )
    first = dt.datetime(2026, 1, 26, 14, tzinfo=dt.UTC)
    assert restated.query(sql, "2026-01-27") == [(-8 * MILLION, first, None)]
    then = dt.datetime(2026, 2, 2, 14, tzinfo=dt.UTC)
    assert restated.query(sql, "2026-02-02") == [(Decimal("-6.5") * MILLION, then, None)]


# -- the command and the asset's config ------------------------------------------------------------


def test_a_day_names_the_file_and_the_served_database_stays(restated: World) -> None:
    before = restated.database.read_bytes()
    said = restated.call("as-of", "2026-01-27")
    assert said.code == 0
    assert "as known at 2026-01-27 23:59:59 UTC" in said.text
    assert restated.database.read_bytes() == before
    file = restated.root / "fundflows@2026-01-27.duckdb"
    assert read(file, "select net_flow_usd from mart.flows where dimension = 'total'") == [
        (Decimal(-1) * MILLION,)
    ]
    assert read(file, "select distinct name from core.report") == [("btc.csv",)]
    assert read(file, "select count(*) from core.report") == [(1,)]


def test_before_the_first_report_the_ledger_is_empty_and_whole(restated: World) -> None:
    assert restated.call("as-of", "2020-01-01").code == 0
    file = restated.root / "fundflows@2020-01-01.duckdb"
    assert read(file, "select count(*) from mart.flows") == [(0,)]
    assert set(tables(file)) == set(tables(restated.database))


@pytest.mark.parametrize("moment", ["yesterday", "2026-13-01", "27.01.2026", ""])
def test_a_date_that_is_none_is_refused(restated: World, moment: str) -> None:
    before = set(restated.root.iterdir())
    said = restated.call("as-of", moment)
    assert said.code == 2
    assert "is not a day such as 2026-01-27" in said.text
    assert set(restated.root.iterdir()) == before


def test_weeks_that_are_not_read_yet_are_named(tmp_path: Path) -> None:
    world = World(tmp_path / "warehouse")
    world.add("farside_btc", "btc.csv", WEEK, received="2026-01-26T14:00Z")
    said = world.call("as-of", "2026-01-27")
    assert said.code == 0
    assert "farside_btc 1" in said.text


def materialize_tables(world: World, as_of: str) -> dg.ExecuteInProcessResult:
    """Materialize all tables as from the launchpad, with a config."""
    job = definitions().resolve_implicit_global_asset_job_def()
    keys = [key for key in job.asset_layer.executable_asset_keys if key.path[0] != "reports"]
    with world.instance() as instance:
        return job.execute_in_process(
            run_config={"ops": {"build_and_publish": {"config": {"as_of": as_of}}}},
            instance=instance,
            asset_selection=keys,
            raise_on_error=False,
        )


def test_the_launchpad_builds_a_past_database_too(restated: World) -> None:
    before = restated.database.read_bytes()
    result = materialize_tables(restated, "2026-01-28")
    assert result.success
    assert restated.database.read_bytes() == before
    file = restated.root / "fundflows@2026-01-28.duckdb"
    assert read(file, "select net_flow_usd from mart.flows where dimension = 'total'") == [
        (Decimal(-1) * MILLION,)
    ]
    said = {
        event.materialization.asset_key.to_user_string(): event.materialization.metadata
        for event in result.get_asset_materialization_events()
    }
    assert Path(str(said["mart/flows"]["database"].value)) == file


def test_the_launchpad_refuses_a_day_that_is_none(restated: World) -> None:
    before = files_under(restated.root)
    result = materialize_tables(restated, "soon")
    assert not result.success
    after = files_under(restated.root)
    assert {name for name in after if name.endswith(".duckdb")} == {
        name for name in before if name.endswith(".duckdb")
    }


# -- many histories -------------------------------------------------------------------------------

HISTORIES = int(os.environ.get("FUNDFLOWS_HISTORIES") or 200)
DAYS = ("12 Jan 2026", "13 Jan 2026")
MOMENTS = [f"2026-01-{day}T12:00Z" for day in (14, 15, 19, 20, 26, 27)]


def told(chance: random.Random) -> str | None:
    """Return what a publisher may say next: anew, a blank, a zero, or a day no longer shown."""
    return chance.choice([f"{chance.randint(-99, 99) / 10:.1f}", "", "0.0", None])


def histories(seed: int) -> tuple[list[str], list[dict[str, list[str]]]]:
    """Return labels, and for each report what it prints for each day, a cell a label.

    A label repeats what it said with even chance, so that restatements fall anywhere; a report
    may leave a whole day out, as pages with a rolling window do.
    """
    chance = random.Random(seed)
    letters = itertools.product("ABCDEFGHIJKLMNOPQRSTUVWXYZ", repeat=3)
    labels = ["".join(each) for each in itertools.islice(letters, HISTORIES)]
    last = {day: ["" for _ in labels] for day in DAYS}
    reports = []
    for _ in MOMENTS:
        for cells in last.values():
            for index, cell in enumerate(cells):
                if chance.random() < 0.5:
                    said = told(chance)
                    cells[index] = cell if said is None else said
        kept = [day for day in DAYS if chance.random() < 0.8] or [DAYS[0]]
        reports.append({day: list(last[day]) for day in kept})
    return labels, reports


def believed(
    reports: Iterable[dict[str, list[str]]], labels: list[str]
) -> dict[tuple[str, str], str]:
    """Return what the last report that shows a day says in it: the rule, in its plainest form."""
    latest: dict[tuple[str, str], str] = {}
    for report in reports:
        for day, cells in report.items():
            latest |= {(label, day): cell for label, cell in zip(labels, cells, strict=True)}
    return latest


@pytest.mark.parametrize("seed", [20260203])
def test_many_histories_are_known_at_any_time_as_if_nothing_had_come_later(
    tmp_path: Path, seed: int
) -> None:
    """E43: an as-of build equals a warehouse that only ever got the reports known by then."""
    labels, reports = histories(seed)
    header = ",".join(["Date", "IBIT", *labels, "Total"])
    whole, growing = World(tmp_path / "whole"), World(tmp_path / "growing")
    contents = [
        golden.history(header, *(",".join([day, "", *cells, ""]) for day, cells in report.items()))
        for report in reports
    ]
    for content, moment in zip(contents, MOMENTS, strict=True):
        whole.add(BTC.name, "btc.csv", content, received=moment)
    steps.ingest(whole.warehouse, BTC, steps.due(whole.warehouse, BTC))
    for known, (content, text) in enumerate(zip(contents, MOMENTS, strict=True), start=1):
        moment = dt.datetime.fromisoformat(text)
        then = tmp_path / f"{known}.duckdb"
        steps.publish(whole.warehouse, [BTC], as_of=moment, target=then)
        growing.add(BTC.name, "btc.csv", content, received=text)
        steps.ingest(growing.warehouse, BTC, steps.due(growing.warehouse, BTC))
        steps.publish(growing.warehouse, [BTC])
        # Which weeks are late by now is another question.
        of_today = ("ops.build", "ops.coverage")
        assert different(then, growing.database, without=of_today) == set()
        found = {
            (label, f"{day:%d %b %Y}"): "" if value is None else f"{value / MILLION:.1f}"
            for label, day, value in read(
                then, "select label, period_end, value from core.observation "
                "where dimension = 'fund' and label <> 'IBIT'",
            )
        }  # fmt: skip
        assert found == believed(reports[:known], labels)
