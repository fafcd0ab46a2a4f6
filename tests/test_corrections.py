"""The ledger of corrections: printed numbers and its lines in, what the ledger goes by out."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.database.errors import BuildError
from tests.bridge_world import BridgeWorld, m

pytestmark = pytest.mark.slow

WEEK = "2023-05-12"
LINE = {
    "correction": "press-2023-05-12-us",
    "source": "press",
    "printed_table": "assets",
    "dimension": "asset",
    "label": "BTC",
    "measure": "net_flow",
    "period": "week",
    "period_end": WEEK,
    "expected_value": "12400000000",
    "corrected_value": "-12400000",
    "half_unit": "50000",
    "reason": "a billion for a million",
    "read_from": "the publisher's own table",
    "corrected_by": "the test",
    "corrected_on": "2023-05-20",
}


def printed(flow: str, *, week: str = WEEK) -> str:
    return f"date,asset,flow\n{week},BTC,{flow}\n{week},ETH,0.2\n"


def world_of(folder: Path, *lines: dict[str, str], reports: dict[str, str]) -> BridgeWorld:
    """Return a world of one source with reports by the time received, and lines of the ledger."""
    world = BridgeWorld(folder)
    for received, flow in reports.items():
        world.report("press", printed(flow), received=f"{received}T12:00:00+00:00")
    for line in lines:
        world.refer("correction", **{**LINE, **line})
    return world


def believed(world: BridgeWorld) -> list[tuple[object, ...]]:
    """Return what was believed about the number over time: from, value in millions, line."""
    return [
        (f"{row['known_from']:%m-%d}", row["value"] / 1_000_000, row["correction"])
        for row in world.rows(
            "from core.observation_history where label = 'BTC' order by known_from"
        )
    ]


# -- applied ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    folder = tmp_path_factory.mktemp("corrected")
    return world_of(folder, {}, reports={"2023-05-15": "12400.0"}).publish()


def test_e51_a_corrected_number_shows_its_line_and_keeps_what_was_printed(corrected):
    row = corrected.one("from core.observation where label = 'BTC'")
    assert (row["value"], row["half_unit"]) == (m("-12.4"), m("0.05"))
    assert (row["printed_value"], row["printed"]) == (m("12400"), "12400.0")
    assert row["correction"] == LINE["correction"]
    line = corrected.one("from reference.correction where correction = ?", row["correction"])
    assert (line["reason"], line["read_from"]) == (LINE["reason"], LINE["read_from"])


def test_e51_the_tables_go_by_the_corrected_number_and_the_others_stay(corrected):
    assert corrected.flow("press", WEEK, "asset", "BTC")["net_flow_usd"] == m("-12.4")
    assert corrected.flow("press", WEEK, "asset", "ETH")["net_flow_usd"] == m("0.2")
    other = corrected.one("from core.observation where label = 'ETH'")
    assert (other["printed_value"], other["correction"]) == (other["value"], None)


def test_e43_a_correction_is_believed_from_the_end_of_its_own_day(corrected):
    assert believed(corrected) == [
        ("05-15", 12400, None),
        ("05-20", m("-12.4") / 1_000_000, LINE["correction"]),
    ]
    early, late = "2023-05-20T23:00:00Z", "2023-05-20"
    for moment, flow in ((early, "12400"), (late, "-12.4")):
        (row,) = corrected.rows(
            f"select net_flow_usd from mart.flows_as_known('{moment}') "
            "where dimension = 'asset' and member = 'BTC'"
        )
        assert row["net_flow_usd"] == m(flow)


def test_a_correction_is_no_revision_of_the_publisher(corrected):
    assert corrected.rows("from ops.revision") == []


def test_a_restatement_after_a_correction_is_a_revision_of_what_was_printed(tmp_path):
    reports = {"2023-05-15": "12400.0", "2023-05-25": "-12.5"}
    world = world_of(tmp_path, {"withdrawn_on": "2023-05-26"}, reports=reports).publish()
    row = world.one("from ops.revision")
    assert (row["from_value"], row["to_value"], row["kind"]) == (m("12400"), m("-12.5"), "restated")


# -- over time -------------------------------------------------------------------------------------

HISTORIES = {
    "in force": ({}, {"2023-05-15": "12400.0"}),
    "dated before the report came in": (
        {"corrected_on": "2023-05-13"},
        {"2023-05-15": "12400.0"},
    ),
    "withdrawn while the number stands": (
        {"withdrawn_on": "2023-05-24"},
        {"2023-05-15": "12400.0"},
    ),
    "overtaken by the publisher, then withdrawn": (
        {"withdrawn_on": "2023-05-26"},
        {"2023-05-15": "12400.0", "2023-05-23": "-12.4"},
    ),
    "between two restatements": (
        {"corrected_on": "2023-05-18", "withdrawn_on": "2023-05-26"},
        {"2023-05-15": "12.0", "2023-05-17": "12400.0", "2023-05-23": "-12.5"},
    ),
}
SPANS = {
    "in force": ["05-15 12400", "05-20 -12.4 *"],
    "dated before the report came in": ["05-15 -12.4 *"],
    "withdrawn while the number stands": ["05-15 12400", "05-20 -12.4 *", "05-24 12400"],
    "overtaken by the publisher, then withdrawn": [
        "05-15 12400",
        "05-20 -12.4 *",
        "05-23 -12.4",
    ],
    "between two restatements": ["05-15 12", "05-17 12400", "05-18 -12.4 *", "05-23 -12.5"],
}


@pytest.fixture(scope="module", params=HISTORIES)
def history(request, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, BridgeWorld]:
    line, reports = HISTORIES[request.param]
    world = world_of(tmp_path_factory.mktemp("history"), line, reports=reports)
    return request.param, world.publish()


def test_e43_a_line_holds_from_its_day_until_it_is_withdrawn_or_overtaken(history):
    name, world = history
    found = [
        f"{since} {value.normalize():f}{' *' * (line is not None)}"
        for since, value, line in believed(world)
    ]
    assert found == SPANS[name]
    assert len(world.rows("from core.observation where label = 'BTC'")) == 1


@pytest.mark.parametrize("day", ["2023-05-16", "2023-05-19", "2023-05-21", "2023-05-25"])
def test_e43_the_macros_say_what_a_build_as_of_the_day_says(history, day, tmp_path):
    """Also with corrections in force, not yet made, overtaken and withdrawn."""
    _, world = history
    world.publish(as_of=f"{day}T23:59:59.999999+00:00", target="past.duckdb")
    for table in ("core.observation", "mart.flows"):
        told = world.rows(f"from {table}_as_known('{day}') order by all")
        assert told == world.rows(f"from {table} order by all", target="past.duckdb"), table
    assert told


def test_a_second_line_may_follow_the_first_on_the_day_on_which_that_is_withdrawn(tmp_path):
    second = {"correction": "better", "corrected_value": "-12350000", "corrected_on": "2023-05-24"}
    reports = {"2023-05-15": "12400.0"}
    world = world_of(tmp_path, {"withdrawn_on": "2023-05-24"}, second, reports=reports).publish()
    assert [(since, line) for since, _, line in believed(world)] == [
        ("05-15", None),
        ("05-20", LINE["correction"]),
        ("05-24", "better"),
    ]


# -- refused ---------------------------------------------------------------------------------------

STALE = {
    "restated": ({}, {"2023-05-15": "12400.0", "2023-05-23": "-12.5"}, "-12500000"),
    "another value": ({"expected_value": "12500000000"}, {"2023-05-15": "12400.0"}, "12400000000"),
    "blanked": ({}, {"2023-05-15": "12400.0", "2023-05-23": "n/a"}, "not_available"),
    "no such label": ({"label": "Bitcoin"}, {"2023-05-15": "12400.0"}, "no such number"),
    "no such week": ({"period_end": "2023-05-19"}, {"2023-05-15": "12400.0"}, "no such number"),
    "never printed": (
        {"expected_value": "1", "withdrawn_on": "2023-05-26"},
        {"2023-05-15": "12400.0"},
        "12400000000",
    ),
}


@pytest.mark.parametrize("name", STALE)
def test_a_correction_that_no_longer_holds_fails_the_build_with_its_line(tmp_path, name):
    """And the published database stays as it was."""
    change, reports, found = STALE[name]
    world = world_of(tmp_path / "world", reports=reports).publish()
    before = world.warehouse.database.read_bytes()
    held = {"correction": "held", "label": "ETH", "expected_value": "200000"}
    world.refer("correction", **{**LINE, **held})
    world.refer("correction", **{**LINE, **change})
    with pytest.raises(BuildError) as refused:
        world.publish()
    said = str(refused.value)
    assert f"{world.reference / 'correction.csv'}:3" in said
    assert LINE["correction"] in said
    assert {**LINE, **change}["expected_value"] in refused.value.expected
    assert refused.value.found == found
    assert "withdraw" in said or "mend the line" in said
    assert world.warehouse.database.read_bytes() == before


def test_a_past_day_is_built_although_a_line_was_overtaken_and_not_yet_withdrawn(tmp_path):
    world = world_of(tmp_path, {}, reports={"2023-05-15": "12400.0", "2023-05-23": "-12.5"})
    world.publish(as_of="2023-05-21T00:00:00+00:00", target="past.duckdb")
    row = world.one("from core.observation where label = 'BTC'", target="past.duckdb")
    assert (row["value"], row["correction"]) == (m("-12.4"), LINE["correction"])
    with pytest.raises(BuildError, match="does not hold"):
        world.publish()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([{"corrected_value": LINE["expected_value"]}], "corrects_something"),
        ([{"withdrawn_on": "2023-05-20"}], "withdrawn_after_corrected"),
        ([{}, {"corrected_value": "-1"}], "correction"),
        ([{}, {"correction": "another", "corrected_value": "-1"}], "one_line_at_a_time"),
        ([{"corrected_value": ""}], "not_nullable"),
    ],
    ids=["nothing", "no day", "one name", "two at a time", "no value"],
)
def test_a_ledger_that_contradicts_itself_is_not_published(tmp_path, lines, said):
    world = world_of(tmp_path, *lines, reports={"2023-05-15": "12400.0"})
    with pytest.raises(BuildError, match=said):
        world.publish()
    assert not world.warehouse.database.exists()
