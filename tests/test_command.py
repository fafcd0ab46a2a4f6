"""The command as a person meets it: what it prints, what it leaves alone, and its exit codes."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from pathlib import Path

import dagster as dg
import golden
import openpyxl
import pytest
from world import Said, World, files_under

from pipelines.store import marker

pytestmark = pytest.mark.slow

HISTORY = golden.history(
    "Date,IBIT,FBTC,Total",
    "09 Jan 2026,7.0,1.0,8.0",
    "16 Jan 2026,10.0,-2.5,7.5",
    "23 Jan 2026,1.0,1.0,2.0",
)
COMMANDS = ("add", "run", "layout", "template", "ui")


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path / "warehouse")


def runs_of(world: World) -> list[dg.DagsterRun]:
    with world.instance() as instance:
        return list(instance.get_runs())


# -- add -------------------------------------------------------------------------------------------


def test_help_names_every_command(world):
    said = world.call("--help")
    assert said.code == 0
    for name in COMMANDS:
        assert f" {name} " in said.text
        assert world.call(name, "-h").code == 0


def test_add_says_what_was_archived_and_which_weeks_it_covers(world):
    said = world.call("add", "farside_btc", world.file("btc.csv", HISTORY))
    assert said.code == 0
    assert "farside_btc: btc.csv archived (history: 3 weeks 2026-01-09..2026-01-23)" in said.text
    assert not world.database.exists()


def test_add_takes_several_files_and_both_clocks(world):
    files = [world.file("a.csv", HISTORY), world.file("b.csv", HISTORY + b"\n")]
    clocks = ("--published", "2026-01-24", "--received", "2026-01-25T08:30:00+01:00")
    said = world.call("add", "farside_btc", *files, *clocks)
    assert said.code == 0
    sidecars = sorted(world.warehouse.archive("farside_btc").glob("*.json"))
    assert len(sidecars) == 2
    for sidecar in sidecars:
        kept = sidecar.read_text(encoding="utf-8")
        assert '"published_at": "2026-01-24T00:00:00+00:00"' in kept
        assert '"received_at": "2026-01-25T08:30:00+01:00"' in kept


def test_add_of_the_same_bytes_changes_nothing(world):
    world.call("add", "farside_btc", world.file("btc.csv", HISTORY))
    before = files_under(world.root)
    said = world.call("add", "farside_btc", world.file("renamed.csv", HISTORY))
    assert said.code == 0
    assert "already archived, same bytes: nothing to do" in said.text
    assert files_under(world.root) == before


def test_a_user_without_a_name_can_add(world, monkeypatch):
    """As in a container that runs under any number."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_294_967)  # nobody's
    assert world.call("add", "farside_btc", world.file("btc.csv", HISTORY)).code == 0
    (sidecar,) = world.warehouse.archive("farside_btc").glob("*.json")
    assert json.loads(sidecar.read_text(encoding="utf-8"))["archived_by"] == "4294967"


def test_add_leaves_the_file_where_it_is(world):
    file = world.file("btc.csv", HISTORY)
    world.call("add", "farside_btc", file)
    assert file.read_bytes() == HISTORY


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nowhere", "FILE"), 1, ("There is no source 'nowhere'", "expected: ark_bloomberg, ")),
        (("farside_btc", "missing.csv"), 1, ("cannot be read", "check the path")),
        (("farside_btc",), 2, ("Missing argument 'FILES...'",)),
        (
            ("farside_btc", "FILE", "--published", "yesterday"),
            2,
            ("'yesterday' is not a time such as 2026-01-26T14:00:00Z",),
        ),
        (
            ("farside_btc", "FILE", "--published", "2026-02-02", "--received", "2026-02-01"),
            1,
            ("published after it was received", "correct --published"),
        ),
        (("farside_btc", "FILE", "--received", "2026-02-30"), 2, ("'2026-02-30' is not a time",)),
    ],
)
def test_add_refuses_what_it_does_not_understand_and_writes_nothing(world, arguments, code, words):
    file = world.file("btc.csv", HISTORY)
    said = world.call("add", *(str(file) if each == "FILE" else each for each in arguments))
    assert said.code == code
    for each in words:
        assert each in said.text
    assert [file.name for file in world.root.iterdir()] == [marker.NAME]


def test_a_file_that_cannot_be_read_does_not_keep_the_others_out(world):
    good = world.file("btc.csv", HISTORY)
    said = world.call("add", "farside_btc", world.root / "missing.csv", good)
    assert said.code == 1
    assert "cannot be read" in said.text
    assert "btc.csv archived" in said.text


# -- run -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> World:
    """A warehouse after one run, with what it said in `said.txt`."""
    folder = tmp_path_factory.mktemp("a-folder-with-a-name-so-long-that-no-terminal-shows-it-whole")
    world = World(folder / "warehouse")
    world.drop("farside_btc", "btc.csv", HISTORY)
    world.drop("farside_btc", "half.csv.partial", HISTORY[:20])
    world.drop("farside_btc", ".hidden.csv", HISTORY[:20])
    world.drop("farside_btc", "page.html.crdownload", HISTORY[:20])
    world.drop("somebody_else", "report.csv", HISTORY)
    world.drop("coinshares", "week.xlsx", golden.CLEAN)
    said = world.run()
    world.file("out.txt", said.out.encode())
    world.file("err.txt", said.err.encode())
    assert said.code == 0, said.text
    return world


def said_by(world: World) -> str:
    folder = world.file("code.txt", b"").parent
    said = (folder / name for name in ("out.txt", "err.txt"))
    return " ".join(" ".join(file.read_text(encoding="utf-8") for file in said).split())


def test_run_ends_with_the_latest_week_and_the_path_of_the_database(ran):
    said = said_by(ran)
    for words in (
        "AUM change of the latest week, US$m: in total",
        "AUM change of the latest week, US$m: by asset",
        "AUM change of the latest week, US$m: by issuer",
        "AUM change of the latest week, US$m: by country",
        "AUM open net flow market other AUM close change %",
        "farside_btc, week ending 2026-01-23",
        "coinshares, week ending 2023-05-12",
        "Bitcoin - -37.5 - - 20,400.0 -",
        "iShares - 1.0 - - - -",
        "4 weeks read.",
    ):
        assert words in said
    assert "".join(str(ran.database).split()) in said.replace(" ", "")
    assert ran.database.exists()


def test_run_prints_the_path_in_one_piece(ran):
    """So that it can be copied, and found by a script."""
    out = (ran.file("code.txt", b"").parent / "out.txt").read_text(encoding="utf-8")
    assert str(ran.database) in out


def test_run_shows_its_progress(ran):
    assert "4/4" in said_by(ran)


def test_run_empties_the_inbox_but_for_what_is_still_being_written(ran):
    left = sorted(file.name for file in ran.warehouse.inbox("farside_btc").iterdir())
    assert left == [".hidden.csv", "half.csv.partial", "page.html.crdownload"]
    assert list(ran.warehouse.inbox("coinshares").iterdir()) == []
    assert "inbox: farside_btc/btc.csv archived" in said_by(ran)


def test_run_warns_of_an_inbox_that_is_of_no_source(ran):
    assert "inbox: somebody_else is no source and stays where it is; sources are" in said_by(ran)
    assert (ran.root / "inbox" / "somebody_else" / "report.csv").read_bytes() == HISTORY


def test_run_is_recorded_in_the_instance_as_runs_over_weeks(ran):
    runs = runs_of(ran)
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    spans = {
        (
            run.tags.get("dagster/asset_partition_range_start"),
            run.tags.get("dagster/asset_partition_range_end"),
        )
        for run in runs
    }
    assert spans == {("2023-05-12", "2023-05-12"), ("2026-01-09", "2026-01-23"), (None, None)}


def test_what_steps_print_is_left_in_the_terminal_and_the_ui_waits_for_no_more(ran):
    with ran.instance() as instance:
        for run in instance.get_runs():
            (event,) = instance.all_logs(run.run_id, dg.DagsterEventType.LOGS_CAPTURED)
            key = event.dagster_event.logs_captured_data.file_key
            logs = instance.compute_log_manager
            log_key = logs.build_log_key_for_run(run.run_id, key)
            assert logs.is_capture_complete(log_key)
            assert not logs.get_log_data(log_key).stdout


def test_dagster_keeps_its_home_in_the_warehouse_with_telemetry_off(ran):
    settings = (ran.warehouse.dagster_home / "dagster.yaml").read_text(encoding="utf-8")
    assert "telemetry:\n  enabled: false" in settings
    assert os.environ.get("DAGSTER_HOME") != str(ran.warehouse.dagster_home)


@pytest.fixture
def copy(ran, tmp_path) -> World:
    world = World(tmp_path / "warehouse")
    shutil.copytree(ran.root, world.root)
    return world


def test_a_second_run_with_nothing_new_says_so_and_does_nothing(copy):
    before = {run.run_id for run in runs_of(copy)}
    changed = copy.database.stat().st_mtime_ns
    said = copy.run()
    assert said.code == 0
    assert "Nothing is new:" in said.text
    assert "is up to date." in said.text
    assert {run.run_id for run in runs_of(copy)} == before
    assert copy.database.stat().st_mtime_ns == changed


def test_a_run_with_nothing_new_reminds_of_weeks_whose_newest_report_is_refused(world):
    world.add("coinshares", "good.xlsx", golden.CLEAN, received="2023-06-01T00:00Z")
    world.add("coinshares", "later.xlsx", golden.TOTAL_OFF, received="2023-06-02T00:00Z")
    assert world.run().code == 1
    (refusal,) = world.query("from ops.open_refusal")
    assert refusal == ("coinshares", golden.WEEK, "same_total, total")
    said = world.run()
    assert "Nothing is new:" in said.text
    assert "still refused: coinshares week 2023-05-12 (same_total, total)" in said.text


def test_run_of_some_weeks_leaves_the_others_for_later(world):
    world.add("farside_btc", "btc.csv", HISTORY, received="2026-02-01T00:00Z")
    said = world.run("--weeks", "2026-01-09..2026-01-16")
    assert said.code == 0
    assert "2 weeks read." in said.text
    weeks = "select distinct week_ending from mart.flows order by 1"
    assert world.query(weeks) == [(dt.date(2026, 1, 9),), (dt.date(2026, 1, 16),)]
    said = world.run("--weeks", "2026-01-23")
    assert said.code == 0
    assert "1 week read." in said.text
    assert len(world.query(weeks)) == 3


@pytest.mark.parametrize(
    ("weeks", "words"),
    [
        ("last week", "'last week' is not two dates such as 2026-01-02..2026-01-30"),
        ("2026-01-09..", "is not two dates"),
        ("2026-02-30..2026-03-01", "is not two dates"),
        ("2026-01-30..2026-01-02", "2026-01-30 is after 2026-01-02"),
    ],
)
def test_run_refuses_weeks_that_are_none(world, weeks, words):
    said = world.run("--weeks", weeks)
    assert said.code == 2
    assert words in said.text
    assert not world.database.exists()


@pytest.mark.parametrize("name", ["a [1]", "a*", "why?", "a%20b"])
def test_a_warehouse_in_which_dagster_would_lose_its_settings_is_refused(tmp_path, name):
    world = World(tmp_path / name)
    world.add("farside_btc", "btc.csv", HISTORY)
    said = world.run()
    assert said.code == 1
    assert "set FUNDFLOWS_WAREHOUSE to another folder" in said.text
    assert not world.database.exists()


def test_a_warehouse_in_a_path_with_blanks_and_other_signs_is_like_any_other(tmp_path):
    world = World(tmp_path / "a folder {b}, 100% the team's")
    world.add("farside_btc", "btc.csv", HISTORY)
    assert world.run().code == 0
    assert world.one("select count(*) from mart.flows where dimension = 'total'") == 3
    with world.instance() as instance:
        assert not instance.telemetry_enabled
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1


FUTURE = dt.date(2099, 1, 2)


@pytest.fixture(scope="module")
def idle(tmp_path_factory) -> tuple[World, Said]:
    """A run that finds nothing that it can use yet."""
    world = World(tmp_path_factory.mktemp("idle") / "warehouse")
    dates = {f"{sheet}!B1": FUTURE for sheet in golden.KEYS}
    nothing = {f"{sheet}!B2": None for sheet in golden.KEYS}
    world.drop("coinshares", "future.xlsx", golden.weekly({**dates, **nothing}))
    world.drop("farside_btc/2026", "btc.csv", HISTORY)
    return world, world.run()


def test_run_on_nothing_publishes_a_database_without_flows(idle):
    world, said = idle
    assert said.code == 1
    assert world.one("select count(*) from mart.flows") == 0
    assert world.one("select count(*) from core.member") > 100


def test_e100_a_report_of_a_week_that_has_not_ended_is_refused_and_not_lost(idle):
    world, said = idle
    assert str(FUTURE) in said.text
    assert world.query("select name from core.report") == [("future.xlsx",)]


def test_run_warns_of_a_folder_within_an_inbox(idle):
    """Nothing looks into it, so nobody must think that its reports were taken."""
    world, said = idle
    assert (world.warehouse.inbox("farside_btc") / "2026" / "btc.csv").exists()
    assert "farside_btc/2026" in said.text


# -- layout ----------------------------------------------------------------------------------------


def test_layout_shows_tables_columns_and_sums_and_stores_nothing(world):
    said = world.call("layout", "coinshares", world.file("week.xlsx", golden.CLEAN))
    assert said.code == 0
    for words in (
        "week.xlsx is read by layout weekly_workbook: 96 numbers, 0 refused",
        "as_of: 2023-05-12",
        "completeness: complete",
        "table by_asset on sheet By asset, header in row 5: 36 numbers",
        "A Asset the row's label Bitcoin",
        "B Week flow (US$m) net_flow, US$m, week -37.5",
        "E AUM (US$m) aum, US$m, close 20,400.0",
        "table by_country on sheet By exchange country",
        "what must add up: 19 exact, 1 rounding",
    ):
        assert words in said.text
    assert [file.name for file in world.root.iterdir()] == [marker.NAME]


def test_layout_shows_members_across(world):
    said = world.call("layout", "farside_btc", world.file("btc.html", golden.FARSIDE_PAGE))
    assert said.code == 0
    assert "Blackrock / IBIT / 0.25% fund IBIT: net_flow, US$m" in said.text
    assert "the row's date 13 Jan 2026" in said.text
    assert [file.name for file in world.root.iterdir()] == [marker.NAME]


def test_layout_shows_what_is_refused_and_what_does_not_add_up(world):
    content = golden.weekly({"By asset!B6": "many", "By asset!B14": -53.7})
    said = world.call("layout", "coinshares", world.file("week.xlsx", content))
    assert said.code == 1
    assert "refused: 1" in said.text
    assert "By asset!B6 'many': expected a number in US$m" in said.text
    assert "by_asset: total net_flow of the week to 2023-05-12" in said.text
    assert "residual -37,500,000.00 beyond" in said.text


LONG = "A basket of twelve coins and tokens, equally weighted, rebalanced every quarter"


@pytest.mark.parametrize("label", ["Moonshot", LONG])
def test_layout_prints_the_lines_to_add_for_labels_in_one_piece(world, label):
    content = golden.weekly({"By asset!A12": label})
    said = world.call("layout", "coinshares", world.file("week.xlsx", content))
    assert said.code == 0
    assert "mean no member" in said.text
    quoted = f'"{label}"' if "," in label else label
    line = f"asset,{quoted},<asset>,1900-01-01,,"
    assert line in said.out + said.err


def test_the_line_to_add_for_a_fund_is_a_line_of_its_file(world):
    content = golden.history("Date,IBIT,NEWB,Total", "16 Jan 2026,1.0,1.0,2.0")
    said = world.call("layout", "farside_btc", world.file("btc.csv", content))
    assert "fund_identifier.csv: <fund id>,ticker,NEWB,2026-01-16," in said.text


def test_of_many_unmapped_labels_their_number_is_printed_and_the_rows_to_add_are_a_file(world):
    labels = [f"Z{first}{second}" for first in "ABCDEFGH" for second in "STUVWXYZ"]
    header = ",".join(["Date", "IBIT", *labels, "Total"])
    row = ",".join(["16 Jan 2026", "1.0", *["2.0"] * len(labels), "129.0"])
    content = golden.history(header, row)
    seen = world.call("layout", "farside_btc", world.file("btc.csv", content))
    assert "labels that mean no member, 64;" in seen.text
    assert [line for line in seen.out.splitlines() if line.startswith("<fund id>,ticker,Z")] == [
        f"<fund id>,ticker,{label},2026-01-16," for label in labels
    ]
    world.drop("farside_btc", "btc.csv", content)
    ran = world.run()
    assert ran.code == 0
    assert "unmapped labels: farside_btc: 64, such as 'ZAS', 'ZAT', 'ZAU'; " in ran.text
    assert "unmapped label: " not in ran.text
    file = world.root / "unmapped" / "farside_btc.fund_identifier.csv"
    assert f"the rows to add to sql/reference/fund_identifier.csv are in {file}" in ran.text
    assert file.read_text(encoding="utf-8").splitlines() == [
        f"<fund id>,ticker,{label},2026-01-16," for label in labels
    ]


def test_layout_of_an_unknown_column_prints_the_lines_to_add(world):
    said = world.call("layout", "coinshares", world.file("week.xlsx", golden.UNKNOWN_COLUMN))
    assert said.code == 1
    assert '"QTD flow": {measure: net_flow, unit: US$m, period: qtd' in said.text
    assert "sheet By asset, first rows" in said.text


def test_layout_of_a_wrong_file_shows_its_first_rows_and_names_the_right_source(world):
    said = world.call("layout", "farside_eth", world.file("btc.html", golden.FARSIDE_PAGE))
    assert said.code == 1
    for words in (
        "sheet table 1, first rows",
        "IBIT",
        "13 Jan 2026",
        "header was not found",
        "It reads as a report of farside_btc: was it meant for that source?",
    ):
        assert words in said.text


def test_layout_of_bytes_that_are_no_report_says_so(world):
    said = world.call("layout", "coinshares", world.file("week.xlsx", golden.CLEAN[:500]))
    assert said.code == 1
    assert "truncated" in said.text


def test_layout_needs_a_file_that_is_there(world):
    said = world.call("layout", "coinshares", "missing.xlsx")
    assert said.code == 2
    assert "missing.xlsx" in said.text


# -- template --------------------------------------------------------------------------------------


def test_template_writes_a_workbook_that_layout_reads_once_it_is_filled_in(world, tmp_path):
    file = tmp_path / "week.xlsx"
    said = world.call("template", "coinshares", file)
    assert said.code == 0
    assert "wrote" in said.text
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["By asset", "By provider", "By exchange country"]
    for sheet in book:
        for row in sheet.iter_rows(max_row=4, max_col=1):
            if row[0].value == "Data as of":
                row[0].offset(0, 1).value = dt.date(2026, 1, 23)
    total = next(cell for cell in book["By asset"]["A"] if cell.value == "Total")
    total.offset(0, 1).value = 5.0
    first = next(cell for cell in book["By asset"]["A"] if cell.value == "Bitcoin")
    first.offset(0, 1).value = 5.0
    file.write_bytes(golden.saved(book))
    said = world.call("layout", "coinshares", file)
    assert said.code == 0, said.text
    assert "0 refused" in said.text
    assert [file.name for file in world.root.iterdir()] == [marker.NAME]


def test_template_of_a_source_that_is_no_workbook_is_an_error(world, tmp_path):
    said = world.call("template", "farside_btc", tmp_path / "x.xlsx")
    assert said.code == 1
    assert "farside_btc is not kept as a workbook." in said.text
    assert not Path(tmp_path / "x.xlsx").exists()


def test_template_into_a_folder_that_is_not_there_is_an_error(world, tmp_path):
    said = world.call("template", "coinshares", tmp_path / "no" / "week.xlsx")
    assert said.code in (1, 2)
    assert "week.xlsx" in said.text
