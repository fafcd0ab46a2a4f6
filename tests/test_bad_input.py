"""Bad input, end to end: one clear error, nothing written, nothing lost, and nobody else held up.

Reports are dropped into an inbox and the command runs; what is checked is what a person sees and
what an analyst finds in the published database.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import golden
import pytest
import steps
from world import Said, World, files_under

from pipelines.database import models, reference_files
from pipelines.database.audit import audit
from pipelines.database.errors import BuildError
from pipelines.store import archive

pytestmark = pytest.mark.slow

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
WEEK = golden.WEEK
FLOW = "select net_flow_usd from mart.flows where week_ending = ? and dimension = ? and member = ?"


def document() -> bytes:
    """Return a zip file that is no workbook."""
    return golden.zipped({"word/document.xml": b"<w:document/>"})


def week(number: int) -> dt.date:
    """Return the week-ending date so many weeks after the golden one."""
    return WEEK + dt.timedelta(weeks=number)


def weekly_of(number: int, changes: Mapping[str, Any] = {}, **options: Any) -> bytes:
    """Return the golden workbook of another week, without its date of publication."""
    dates = {
        f"{sheet}!{cell}": day
        for sheet in golden.KEYS
        for cell, day in (("B1", week(number)), ("B2", None))
    }
    return golden.weekly({**dates, **changes}, **options)


def millions(amount: str) -> Decimal:
    return Decimal(amount) * 1_000_000


# -- reports that cannot be used -------------------------------------------------------------------

UNUSABLE: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty.xlsx": (b"", ("The file is empty.", "fetch the report again")),
    "picture.xlsx": (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        ("neither a workbook nor text", "save it as .xlsx"),
    ),
    "letter.xlsx": (document(), ("not an Excel workbook", "save it as .xlsx")),
    "truncated.xlsx": (golden.CLEAN[:-300], ("The workbook is truncated.", "copy the file again")),
    "password.xlsx": (
        OLE + "EncryptedPackage".encode("utf-16-le"),
        ("password-protected", "remove the password"),
    ),
    "sheet_missing.xlsx": (
        golden.SHEET_MISSING,
        ("sheet of table by_country is missing", "expected: a visible sheet named By exchange co"),
    ),
    "column_unknown.xlsx": (
        golden.UNKNOWN_COLUMN,
        (
            "1 unknown column: 'QTD flow'",
            "sheet By asset, cell F5",
            "table by_asset, under `columns:`",
            '"QTD flow": {ignore: "why it is not read"}',
            '"QTD flow": {measure: net_flow, unit: US$m, period: qtd',
        ),
    ),
    "column_missing.xlsx": (
        golden.MISSING_COLUMN,
        ("1 missing column: 'AUM'", "sheet By provider", "AUM: {..., optional: true}"),
    ),
    "other_source.csv": (
        golden.FARSIDE_HISTORY,
        ("No layout of coinshares reads csv files.", "check that the report belongs"),
    ),
}


@pytest.fixture(scope="module")
def heap(tmp_path_factory) -> tuple[World, Said]:
    """One good report among many that cannot be used, swept and run together."""
    world = World(tmp_path_factory.mktemp("heap") / "warehouse")
    for name, (content, _) in UNUSABLE.items():
        world.drop("coinshares", name, content)
    world.drop("coinshares", "good.xlsx", golden.CLEAN)
    world.drop("farside_btc", "btc.html", golden.FARSIDE_PAGE)
    return world, world.run()


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_report_says_what_it_is_and_what_to_do(heap, name):
    world, said = heap
    assert said.code == 1
    for words in (f"file {name}", "source coinshares", *UNUSABLE[name][1]):
        assert words in said.text
    (error,) = world.query("select error from core.report where name = ?", name)[0]
    assert UNUSABLE[name][1][0] in " ".join(error.split())


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_report_is_kept_and_says_nothing_about_any_week(heap, name):
    world, _ = heap
    content = UNUSABLE[name][0]
    kept = files_under(world.warehouse.archive("coinshares"))
    assert content in [kept[file] for file in kept if not file.endswith(".json")]
    assert not (world.warehouse.inbox("coinshares") / name).exists()
    ((report_id, weeks, layout),) = world.query(
        "select report_id, weeks, layout from core.report where name = ? and source = 'coinshares'",
        name,
    )
    assert (weeks, layout) == (0, None)
    for table in ("core.observation", "ops.quarantine", "ops.check_result", "ops.certificate"):
        assert (
            world.one(
                f"select count(*) from {table} where report_id = ? and source = 'coinshares'",
                report_id,
            )
            == 0
        ), table


def test_unusable_reports_do_not_hold_up_the_others(heap):
    world, _ = heap
    assert world.one(FLOW, WEEK, "asset", "BTC") == millions("-37.5")
    assert world.one("select count(*) from mart.flows where source = 'farside_btc'") > 0
    assert world.one("select count(*) from core.report where error is null") == 2


def test_a_second_run_repeats_in_a_line_what_still_cannot_be_used(heap):
    world, _ = heap
    said = world.run()
    assert said.code == 0
    assert "Nothing is new" in said.text
    for name in UNUSABLE:
        assert f"unusable: coinshares/{name}: " in said.text
    assert "what to do" not in said.text


@pytest.mark.parametrize("name", UNUSABLE)
def test_adding_an_unusable_report_fails_at_once_with_the_same_words(tmp_path, name):
    world = World(tmp_path / "warehouse")
    content, words = UNUSABLE[name]
    said = world.call("add", "coinshares", world.file(name, content))
    assert said.code == 1
    for each in ("archived, but it cannot be used", *words):
        assert each in said.text
    assert not world.database.exists()
    assert not (world.root / "weeks").exists()


@pytest.mark.parametrize(
    ("source", "name", "content", "right"),
    [
        ("farside_eth", "btc.html", golden.FARSIDE_PAGE, "farside_btc"),
        ("farside_eth", "btc.csv", golden.FARSIDE_HISTORY, "farside_btc"),
        ("canary", "SSO.csv", golden.NAV_HISTORY_IN_THOUSANDS, "proshares"),
        ("proshares", "HBR.csv", golden.NAV_HISTORY, "canary"),
        ("ark_bloomberg", "week.xlsx", golden.CLEAN, "coinshares"),
    ],
)
def test_a_report_of_another_source_names_the_right_one(tmp_path, source, name, content, right):
    world = World(tmp_path / "warehouse")
    for command in ("add", "layout"):
        said = world.call(command, source, world.file(name, content))
        assert said.code == 1
        assert f"It reads as a report of {right}" in said.text


@pytest.fixture(scope="module")
def astray(tmp_path_factory) -> tuple[World, Said]:
    """The same report dropped for a wrong source and for its own, and a report beside it."""
    world = World(tmp_path_factory.mktemp("astray") / "warehouse")
    world.drop("farside_eth", "btc.html", golden.FARSIDE_PAGE)
    world.drop("farside_btc", "btc.html", golden.FARSIDE_PAGE)
    world.drop("coinshares", "good.xlsx", golden.CLEAN)
    return world, world.run()


def test_the_same_bytes_under_two_sources_do_not_stop_the_build(astray):
    world, said = astray
    assert "nothing was published" not in said.text
    assert world.query("select source, error is null from core.report order by 1") == [
        ("coinshares", True),
        ("farside_btc", True),
        ("farside_eth", False),
    ]
    assert world.one("select count(*) from mart.flows where source = 'coinshares'") > 0


def test_a_run_says_whose_a_report_in_the_wrong_inbox_is(astray):
    assert "It reads as a report of farside_btc" in astray[1].text


STRANGE = [
    # An XHTML page, or a workbook saved as SpreadsheetML: text with an encoding declaration.
    (
        "farside_btc",
        "btc.html",
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + golden.FARSIDE_PAGE,
    ),
    ("coinshares", "digits.xlsx", golden.weekly({"By asset!B6": "9" * 40})),
    ("coinshares", "float.xlsx", golden.weekly({"By asset!B6": 1e200})),
    # A product of more digits than decimals have by default.
    (
        "canary",
        "HBR.csv",
        golden.csv_bytes(
            [
                ["date", "shares_outstanding", "nav", "net_assets"],
                ["2026-01-15", "400000000000000", "25000000", "1000000.0"],
                ["2026-01-16", "50000.0", "25.5", "1275000.0"],
            ]
        ),
    ),
]


def test_no_report_whatever_is_in_it_stops_the_others(tmp_path):
    world = World(tmp_path / "warehouse")
    for source, name, content in STRANGE:
        world.drop(source, name, content)
    world.drop("farside_sol", "sol.csv", golden.history("Date,BSOL,Total", "13 Jan 2026,1.0,1.0"))
    said = world.run()
    assert "Traceback" not in said.text
    assert world.one("select count(*) from mart.flows where source = 'farside_sol'") > 0


@pytest.mark.parametrize("name", ["report.json", "report", "report.XLSX.bak"])
def test_whatever_a_report_is_called_its_bytes_are_kept(tmp_path, name):
    """Beside each report the archive keeps a description of its own, as JSON."""
    world = World(tmp_path / "warehouse")
    for content in (b'{"flows": [1.0, 2.0]}', golden.CLEAN):
        archived = world.add("coinshares", name, content)
        assert archived.path.read_bytes() == content
        assert archived.content() == content
    described = archive.listing(world.warehouse, "coinshares").reports
    assert [each.report.name for each in described] == [name, name]


def test_a_weekly_report_as_of_another_day_than_its_week_ends_is_not_used(tmp_path):
    """The day of publication typed as the data's date would be filed under the next week (E31)."""
    world = World(tmp_path / "warehouse")
    monday = {f"{sheet}!B1": WEEK + dt.timedelta(days=3) for sheet in golden.KEYS}
    said = world.call("layout", "coinshares", world.file("week.xlsx", golden.weekly(monday)))
    assert said.code == 1
    assert "2023-05-15" in said.text


# -- reports that can be used, with something to say about them ------------------------------------


@pytest.fixture(scope="module")
def usable(tmp_path_factory) -> tuple[World, Said]:
    """Four weeks, each with one thing that is wrong and does not matter, run together."""
    world = World(tmp_path_factory.mktemp("usable") / "warehouse")
    reports = {
        "moved": weekly_of(0, down=7, right=2),
        "label": weekly_of(1, {"By asset!A12": "Moonshot"}),
        "text": weekly_of(2, {"By asset!B11": "twelve"}),
        "typed": weekly_of(3, {"By asset!B6": "(37.5)", "By asset!B7": "-10.4 "}),
    }
    for number, (name, content) in enumerate(reports.items()):
        world.add("coinshares", f"{name}.xlsx", content, received=f"{week(number + 1)}T00:00Z")
    return world, world.run()


def checks_of(world: World, name: str, outcome: str) -> list[tuple[Any, ...]]:
    return world.query(
        "select rule, failed, sample from ops.check_result join core.report using (report_id) "
        # Weeks made from one workbook are copies of it, and the certificate says so.
        "where name = ? and outcome = ? and rule not like '%chain' and rule <> 'fingerprint' "
        "order by rule",
        name,
        outcome,
    )


def test_reports_with_blemishes_are_green(usable):
    assert usable[1].code == 0


def test_a_moved_header_still_works(usable):
    world, _ = usable
    assert world.one(FLOW, week(0), "asset", "BTC") == millions("-37.5")
    assert world.one("select count(*) from core.observation where week_ending = ?", week(0)) == 96
    assert checks_of(world, "moved.xlsx", "warn") == []
    cell = world.one(
        "select cell from core.observation where week_ending = ? and label = 'Bitcoin' "
        "and period = 'week'",
        week(0),
    )
    assert cell == "D13"


def test_an_unknown_label_is_kept_as_unmapped_and_the_line_to_add_is_printed(usable):
    world, said = usable
    rows = world.query(
        "select member, value from core.observation where label = 'Moonshot' and period = 'week'"
    )
    assert rows == [("unmapped", millions("-0.5") * -1)]
    assert world.one(FLOW, week(1), "asset", "unmapped") == millions("0.5")
    assert checks_of(world, "label.xlsx", "warn") == [("label_mapped", 1, "asset Moonshot")]
    assert "unmapped label: coinshares: 'Moonshot'" in said.text
    assert "sources/coinshares/labels.csv: asset,Moonshot,<asset>,1900-01-01,," in said.text


def test_the_other_labels_of_that_report_are_mapped(usable):
    world, _ = usable
    unmapped = world.query("select source, dimension, label from ops.unmapped_label")
    assert unmapped == [("coinshares", "asset", "Moonshot")]


def test_a_number_that_is_a_word_is_quarantined_with_its_cell(usable):
    world, _ = usable
    quarantined = world.query(
        "select week_ending, rule, label, measure, printed, sheet, cell, reason from ops.quarantine"
    )
    assert [row[:-1] for row in quarantined] == [
        (week(2), "number", "Tron", "net_flow", "twelve", "By asset", "B11")
    ]
    assert "expected a number in US$m" in quarantined[0][-1]
    ((rule, failed, sample),) = checks_of(world, "text.xlsx", "warn")
    assert (rule, failed) == ("number", 1)
    assert "By asset!B11 twelve" in sample


def test_the_rows_beside_it_survive_because_the_total_still_reconciles(usable):
    world, _ = usable
    assert world.one(FLOW, week(2), "asset", "BTC") == millions("-37.5")
    assert world.query(FLOW, week(2), "asset", "TRX") == [(None,)]
    ((residual, verdict),) = world.query(
        "select residual, verdict from ops.certificate where week_ending = ? "
        "and line like 'by_asset: total net_flow of the week%'",
        week(2),
    )
    assert (residual, verdict) == (millions("0.2"), "rounding")


def test_a_number_typed_as_text_is_a_number(usable):
    world, _ = usable
    assert world.one(FLOW, week(3), "asset", "BTC") == millions("-37.5")
    assert world.one(FLOW, week(3), "asset", "SHORT-BTC") == millions("-10.4")
    assert checks_of(world, "typed.xlsx", "warn") == []


# -- totals that do not add up, and vintages -------------------------------------------------------


OTHER = weekly_of(2)
ALL_BAD = golden.csv_bytes(
    [
        ["date", "shares_outstanding", "nav", "net_assets"],
        ["2026-01-15", "a", "b", "c"],
        ["2026-01-22", "40000", "25.0", "1000000.0"],
    ]
)
"""All bad in its first week."""


@pytest.fixture(scope="module")
def totals(tmp_path_factory) -> tuple[World, Said]:
    """A week refused, a week with a good vintage before a refused one, and a good week."""
    world = World(tmp_path_factory.mktemp("totals") / "warehouse")
    world.add("coinshares", "only.xlsx", weekly_of(0, {"By asset!B14": -54.7}))
    world.add("coinshares", "good.xlsx", weekly_of(1), received="2023-06-01T00:00Z")
    world.add(
        "coinshares",
        "later.xlsx",
        weekly_of(1, {"By asset!B6": -137.5}),
        received="2023-06-02T00:00Z",
    )
    world.add("coinshares", "other.xlsx", OTHER)
    world.add("canary", "HBR.csv", ALL_BAD)
    return world, world.run()


def test_a_total_beyond_rounding_fails_the_run_and_says_why(totals):
    _, said = totals
    assert said.code == 1
    assert "week refused: coinshares only.xlsx: by_asset: total net_flow" in said.text
    assert "expected -54,700,000.00, found -53,700,000.00" in said.text
    assert "residual -1,000,000.00 beyond 450,000.00 (By asset!B14)" in said.text
    assert "week refused: coinshares later.xlsx: by_asset: total net_flow" in said.text


def test_nothing_of_a_refused_week_is_in_a_mart(totals):
    world, _ = totals
    for table in ("mart.flows", "mart.aum_change", "core.reported_week", "core.observation"):
        assert world.one(f"select count(*) from {table} where week_ending = ?", week(0)) == 0, table
    assert not world.week_file("weeks", "coinshares", str(week(0))).exists()


def test_the_earlier_vintage_of_a_refused_one_stays(totals):
    world, _ = totals
    assert world.one(FLOW, week(1), "asset", "BTC") == millions("-37.5")
    names = world.query(
        "select distinct name from core.observation join core.report using (report_id) "
        "where week_ending = ?",
        week(1),
    )
    assert names == [("good.xlsx",)]


@pytest.mark.parametrize("name", ["only.xlsx", "later.xlsx"])
def test_checks_say_which_report_was_refused_and_why(totals, name):
    world, _ = totals
    failed = {rule: (count, sample) for rule, count, sample in checks_of(world, name, "fail")}
    assert failed["total"][0] == 1
    assert "by_asset: total net_flow of the week" in failed["total"][1]
    assert world.query(
        "select verdict, blocking from ops.certificate join core.report using (report_id) "
        "where name = ? and verdict = 'unexplained' and rule = 'total'",
        name,
    ) == [("unexplained", True)]


def test_a_refused_week_does_not_hold_up_the_others(totals):
    world, _ = totals
    assert world.one(FLOW, week(2), "asset", "BTC") == millions("-37.5")


def test_a_week_of_which_every_row_is_bad_is_refused(totals):
    world, said = totals
    assert "week refused: canary HBR.csv: number: 3 refused" in said.text
    assert world.query(
        "select distinct week_ending from core.fund_week where source = 'canary'"
    ) == [(dt.date(2026, 1, 23),)]
    assert world.one("select count(*) from ops.quarantine where source = 'canary'") == 3
    assert checks_of(world, "HBR.csv", "fail")[0][:2] == ("number", 3)


@pytest.fixture
def mended(totals, tmp_path) -> Iterator[World]:
    """A copy of that warehouse, for a test that changes it."""
    world = World(tmp_path / "warehouse")
    shutil.copytree(totals[0].root, world.root)
    return world


def test_the_same_bytes_twice_are_a_no_op(mended):
    before = files_under(mended.root / "archive")
    database = mended.database.read_bytes()
    mended.drop("coinshares", "again.xlsx", OTHER)
    said = mended.run()
    assert said.code == 0
    assert "same bytes as before" in said.text
    assert "Nothing is new" in said.text
    assert files_under(mended.root / "archive") == before
    assert mended.database.read_bytes() == database
    assert list(mended.warehouse.inbox("coinshares").iterdir()) == []


def test_the_same_name_with_other_bytes_is_a_second_vintage_and_the_latest_wins(mended):
    mended.drop("coinshares", "other.xlsx", weekly_of(2, {"By asset!B6": -37.6}))
    mended.drop("coinshares", "only.xlsx", weekly_of(0))
    said = mended.run()
    assert said.code == 0
    assert mended.one(FLOW, week(2), "asset", "BTC") == millions("-37.6")
    assert mended.one("select count(*) from core.report where name = 'other.xlsx'") == 2
    stored = mended.observations("coinshares", str(week(2)))
    of_bitcoin = stored.filter(label="Bitcoin", period="week").sort("known_at")
    assert of_bitcoin.get_column("value").to_list() == [millions("-37.5"), millions("-37.6")]
    # And the week that was refused is there, with the vintage that adds up.
    assert mended.one(FLOW, week(0), "asset", "BTC") == millions("-37.5")


PUBLISHED_WITH = {flow: golden.weekly({"By asset!B6": float(flow)}) for flow in ("-37.5", "-37.4")}


@pytest.mark.parametrize("order", [1, -1])
def test_a_correction_under_the_same_printed_publication_date_wins(tmp_path, order):
    """A mended workbook keeps its date of publication: the one that was received later counts."""
    flows = ["-37.5", "-37.4"][::order]
    world = World(tmp_path / "warehouse")
    for day, flow in enumerate(flows, 16):
        content = PUBLISHED_WITH[flow]
        world.add("coinshares", "week.xlsx", content, received=f"2023-05-{day}T00:00Z")
    source = golden.source("coinshares")
    steps.ingest(world.warehouse, source, [WEEK])
    steps.publish(world.warehouse, [source])
    assert world.one(FLOW, WEEK, "asset", "BTC") == millions(flows[-1])


# -- builds that fail ------------------------------------------------------------------------------


def broken_audit(patch: pytest.MonkeyPatch, folder: Path) -> str:
    file = folder / "no_flows.sql"
    file.write_text("-- Nobody has a flow.\nselect * from mart.flows\n", encoding="utf-8")
    patch.setattr(models, "audits", lambda: {"no_flows": file})
    return "Audit no_flows failed; nothing was published."


def broken_reference(patch: pytest.MonkeyPatch, folder: Path) -> str:
    tables = reference_files.shared_files()
    file = folder / "alias.csv"
    lines = tables["reference.alias"].read_text(encoding="utf-8")
    file.write_text(lines + "asset,Bitcoin,NOPE,1900-01-01,,twice and nowhere\n", encoding="utf-8")
    patch.setattr(reference_files, "shared_files", lambda: {**tables, "reference.alias": file})
    return "breaks its contract; nothing was published."


def broken_date(patch: pytest.MonkeyPatch, folder: Path) -> str:
    tables = reference_files.shared_files()
    file = folder / "alias.csv"
    lines = tables["reference.alias"].read_text(encoding="utf-8")
    file.write_text(lines + "asset,Luna,LUNA,sometime,,\n", encoding="utf-8")
    patch.setattr(reference_files, "shared_files", lambda: {**tables, "reference.alias": file})
    return "reference.alias"


def test_a_build_that_fails_leaves_the_published_database_as_it_was(mended, tmp_path, monkeypatch):
    before = mended.database.read_bytes()
    mended.drop("coinshares", "new.xlsx", weekly_of(4))
    with monkeypatch.context() as patch:
        words = broken_audit(patch, tmp_path)
        said = mended.run()
    assert said.code == 1
    assert words in said.text
    assert "Traceback" not in said.text
    assert mended.database.read_bytes() == before
    assert mended.query(FLOW, week(4), "asset", "BTC") == []
    said = mended.run()
    assert said.code == 0
    assert mended.one(FLOW, week(4), "asset", "BTC") == millions("-37.5")


def broken_limit(patch: pytest.MonkeyPatch, folder: Path) -> str:
    patch.setenv("FUNDFLOWS_MEMORY", "plenty")
    return "512MB or 4GB"


def broken_memory(patch: pytest.MonkeyPatch, folder: Path) -> str:
    patch.setenv("FUNDFLOWS_MEMORY", "256KB")
    return "set FUNDFLOWS_MEMORY to more"


@pytest.mark.parametrize(
    "broken", [broken_audit, broken_reference, broken_date, broken_limit, broken_memory]
)
def test_whatever_breaks_a_build_is_an_error_that_leaves_nothing_behind(
    mended, tmp_path, monkeypatch, broken
):
    before = mended.database.read_bytes()
    words = broken(monkeypatch, tmp_path)
    with pytest.raises(BuildError) as failed:
        steps.publish(mended.warehouse, [golden.source("coinshares")])
    assert words in str(failed.value)
    assert mended.database.read_bytes() == before
    assert [file.name for file in mended.root.glob(".*")] == []


@pytest.mark.parametrize("at_once", [7, 1_000_000])
def test_a_large_table_is_held_against_its_contract_some_weeks_at_a_time(
    mended, tmp_path, monkeypatch, at_once
):
    monkeypatch.setattr("pipelines.database.audit._AT_ONCE", at_once)
    copy = tmp_path / "copy.duckdb"
    shutil.copy(mended.database, copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute("set timezone = 'UTC'")
        audit(connection)
        connection.execute(
            "insert into mart.flows from mart.flows order by week_ending desc, member limit 1"
        )
        with pytest.raises(BuildError, match=r"mart\.flows breaks its contract"):
            audit(connection)


def test_a_reader_keeps_the_file_that_it_opened_while_a_build_publishes(mended):
    with duckdb.connect(str(mended.database), read_only=True) as reader:
        steps.publish(mended.warehouse, [])
        assert reader.execute("select count(*) > 10 from mart.flows").fetchone() == (True,)
    assert mended.one("select count(*) from mart.flows") == 0
