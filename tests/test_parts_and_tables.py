"""E101, E116, E117: parts of a measure, two tables on one number, breakdowns in one table."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import golden
import polars as pl
import pytest
from golden import declared, read_as

from pipelines.checking.check import Checked, check
from pipelines.errors import LayoutError
from pipelines.layouts.source import Source, parse_source
from pipelines.reading.reader import Reading
from tests.bridge_world import BridgeWorld, m

KEYS: dict[str, Any] = {"Date": {"key": "date"}, "Fund": {"key": "label"}}


def flow(measure: str = "net_flow", **more: Any) -> dict[str, Any]:
    return {"measure": measure, "unit": "US$m", "period": "day", **more}


def table(name: str = "only", **columns: Any) -> dict[str, Any]:
    header = [*KEYS, next(iter(columns))]
    return {"name": name, "header": header, "totals": "none", "columns": {**KEYS, **columns}}


def of(*tables: dict[str, Any]) -> Source:
    """Return a source with these tables."""
    layout = {"name": "tiny", "container": "csv", "valid_from": "2000-01-01", "tables": tables}
    declared = {
        "title": "Tiny",
        "publisher": "Nobody",
        "url": "https://example.com",
        "universe": "none",
        "week": {"ends": "friday", "first": "2000-01-07"},
        "layouts": [layout],
    }
    return parse_source("tiny", declared, "tiny/defs.yaml")


def read(source: Source, text: str) -> Reading:
    lines = "\n".join(line.strip() for line in text.strip().splitlines())
    return read_as(source, "report.csv", lines.encode())


def values(rows: Reading | Checked) -> dict[tuple[str, str], Any]:
    """Return the values by label and measure."""
    found = rows.observations.select("label", "measure", "value").rows()
    return {(label, measure): value for label, measure, value in found}


def millions(amount: str) -> Decimal:
    return Decimal(amount) * 1_000_000


# -- E101: parts -----------------------------------------------------------------------------------


def test_e101_creations_and_redemptions_are_kept_and_make_the_net_flow() -> None:
    source = declared(table(In=flow("creations"), Out=flow("redemptions")))
    reading = read(source, "Date,Fund,In,Out\n2026-01-05,ZZA,10.0,4.50")
    assert values(reading) == {
        ("ZZA", "creations"): millions("10"),
        ("ZZA", "redemptions"): millions("4.5"),
        ("ZZA", "net_flow"): millions("5.5"),
    }
    (net,) = reading.observations.filter(pl.col("measure") == "net_flow").rows(named=True)
    assert (net["printed"], net["cell"]) == ("10.0 - 4.50", "C2, D2")
    assert net["half_unit"] == millions("0.055")


def test_e101_equal_columns_in_kind_and_in_cash_are_two_numbers() -> None:
    source = declared(table(Kind=flow("net_flow_in_kind"), Cash=flow("net_flow_in_cash")))
    reading = read(source, "Date,Fund,Kind,Cash\n2026-01-05,ZZA,5,5\n2026-01-08,ZZA,-2,-2")
    net = reading.observations.filter(pl.col("measure") == "net_flow").get_column("value")
    assert net.to_list() == [millions("10"), millions("-4")]


def test_e101_four_columns_and_an_outflow_that_is_printed_negative() -> None:
    out = flow("redemptions_in_cash", sign=-1)
    parts = {"A": flow("creations_in_kind"), "B": flow("creations_in_cash")}
    source = declared(table(**parts, C=flow("redemptions_in_kind"), D=out))
    reading = read(source, "Date,Fund,A,B,C,D\n2026-01-05,ZZA,1,2,4,-8")
    assert values(reading)["ZZA", "net_flow"] == millions("-9")
    assert check([reading]).refused.is_empty()


def test_e07_e101_a_part_that_is_not_known_leaves_no_net_flow() -> None:
    source = declared(table(In=flow("creations"), Out=flow("redemptions")))
    checked = check([read(source, "Date,Fund,In,Out\n2026-01-05,ZZA,10,-\n2026-01-05,ZZB,1,0")])
    assert values(checked)["ZZA", "net_flow"] is None
    assert values(checked)["ZZB", "net_flow"] == millions("1")
    assert checked.refused.is_empty()


def test_e101_gross_flows_are_not_negative() -> None:
    source = declared(table(In=flow("creations"), Out=flow("redemptions")))
    checked = check([read(source, "Date,Fund,In,Out\n2026-01-05,ZZA,10,-4\n2026-01-06,ZZA,1,0")])
    refused = checked.refused.select("rule", "measure").rows()
    assert refused == [("stock_not_negative", "redemptions")]


def test_e101_parts_in_two_tables_make_one_net_flow() -> None:
    source = of(
        {**table("in", Creations=flow("creations")), "end": "Date"},
        table("out", Redemptions=flow("redemptions")),
    )
    text = "Date,Fund,Creations\n2026-01-05,ZZA,10\n\nDate,Fund,Redemptions\n2026-01-05,ZZA,4"
    reading = read(source, text)
    assert values(reading)["ZZA", "net_flow"] == millions("6")


def test_e101_two_columns_on_one_key_are_a_layout_error() -> None:
    with pytest.raises(LayoutError, match="'Kind' and 'Cash' are both net_flow, day: if they are"):
        declared(table(Kind=flow(), Cash=flow()))
    assert declared(table(Day=flow(), Week=flow(period="week")))


def test_e101_creations_alone_make_no_net_flow() -> None:
    with pytest.raises(LayoutError, match="creations without redemptions makes no net flow"):
        declared(table(In=flow("creations")))
    assert declared(table(In=flow("creations"), Net=flow()))


def test_e101_gross_flows_of_a_week_reach_the_marts(tmp_path: Any) -> None:
    world = BridgeWorld(tmp_path)
    world.fund("zza-us")
    gross = table("gross", In=flow("creations"), Out=flow("redemptions"))
    layout = {"name": "days", "container": "csv", "valid_from": "2019-01-01", "tables": [gross]}
    world.report(
        "gross",
        """
        Date,Fund,In,Out
        2019-01-07,ZZA,10.00,4.00
        2019-01-08,ZZA,0.00,7.00
        2019-01-09,ZZA,2.00,2.00
        2019-01-11,ZZA,1.00,0.50
        """,
        layouts=[layout],
    )
    world.publish()
    assert world.flows("gross", "2019-01-11", "fund") == {"zza-us": m("-0.5")}
    kept = world.rows(
        "select measure, sum(value) as value from core.observation group by all order by all"
    )
    assert [(row["measure"], row["value"]) for row in kept] == [
        ("creations", m(13)),
        ("net_flow", m("-0.5")),
        ("redemptions", m("13.5")),
    ]


# -- E116: two tables ------------------------------------------------------------------------------

TWO = """
Date,Fund,Flow
2026-01-05,ZZA,10
2026-01-05,ZZB,1
Date,Fund,Net
2026-01-05,ZZA,13
2026-01-05,ZZB,1.2
"""


def two(**second: Any) -> Source:
    """Return a source that prints flows in two tables."""
    one, other = table("one", Flow=flow()), table("two", Net=flow())
    return of({**one, "end": "Date"}, {**other, **second})


def test_e116_tables_that_disagree_are_refused_and_rounding_is_no_disagreement() -> None:
    checked = check([read(two(), TWO)])
    refused = checked.refused.select("rule", "printed_table", "label", "printed").rows()
    assert sorted(refused) == [
        ("tables_agree", "one", "ZZA", "10"),
        ("tables_agree", "two", "ZZA", "13"),
    ]
    assert set(golden.numbers(checked.observations).get_column("label")) == {"ZZB"}


def test_e116_a_declared_precedence_leaves_the_number_of_one_table() -> None:
    checked = check([read(two(yields_to="one"), TWO)])
    assert checked.refused.is_empty()
    assert set(checked.observations.get_column("printed_table")) == {"one"}
    with pytest.raises(LayoutError, match="yields to 'three', which is no other table"):
        declared({**table(Flow=flow()), "yields_to": "three"})


def test_e118_nav_and_aum_of_a_fund_in_two_currencies_are_refused() -> None:
    nav, aum = {"measure": "nav", "unit": "EUR/share"}, {"measure": "aum", "unit": "US$m"}
    source = declared(table(NAV=nav, AUM=aum))
    checked = check([read(source, "Date,Fund,NAV,AUM\n2026-01-05,ZZA,10,100")])
    assert golden.numbers(checked.observations).is_empty()
    assert set(checked.refused.get_column("rule")) == {"one_currency"}
    assert all("EUR and USD" in reason for reason in checked.refused.get_column("reason"))


# -- E117: several breakdowns ----------------------------------------------------------------------

LONG = """
Date,Dim,Fund,Flow
2026-01-05,class,Bonds,4
2026-01-05,class,Shares,-1
2026-01-05,manager,House A,2
2026-01-05,manager,House B,1
2026-01-05,kind,ETF,3
"""


def breakdown(name: str, dimension: str, value: str | list[str]) -> dict[str, Any]:
    columns = {"Dim": {"ignore": "which breakdown"}, "Flow": flow()}
    return {**table(name, **columns), "dimension": dimension, "where": {"Dim": value}}


def test_e117_each_table_reads_the_rows_of_its_breakdown() -> None:
    reading = read(of(breakdown("a", "asset", "Class"), breakdown("b", "issuer", "manager")), LONG)
    read_rows = reading.observations.select("dimension", "label", "value").rows()
    assert read_rows == [
        ("asset", "Bonds", millions("4")),
        ("asset", "Shares", millions("-1")),
        ("issuer", "House A", millions("2")),
        ("issuer", "House B", millions("1")),
    ]
    assert reading.refused.is_empty()


def test_e117_where_names_a_column_of_the_table() -> None:
    with pytest.raises(LayoutError, match="`where` names 'Kind', which is not in `columns`"):
        declared({**breakdown("a", "asset", "class"), "where": {"Kind": "class"}})
