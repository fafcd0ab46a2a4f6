"""E99, E118: a number is in the currency of its row, and what no rate makes dollars is NULL."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import golden
import pytest
from golden import declared, read_as

from pipelines.checking.check import check
from pipelines.errors import FundflowsError, LayoutError
from tests.bridge_world import BridgeWorld, m
from tests.oracle.compare import compare, expected

MONEY = {"measure": "net_flow", "unit": "currency m", "period": "day"}
CLASSES: dict[str, Any] = {
    "header": ["Date", "Fund"],
    "totals": "none",
    "columns": {
        "Date": {"key": "date"},
        "Fund": {"key": "label"},
        "Currency": {"key": "currency"},
        "Flow": MONEY,
    },
}


def read(rows: str, table: Any = CLASSES, **columns: Any) -> Any:
    """Read rows of a table with a column of currencies, and these columns beside."""
    every = {**table["columns"], **columns}
    lines = [",".join(every), *(line.strip() for line in rows.strip().splitlines())]
    source = declared({**table, "columns": every})
    return read_as(source, "classes.csv", "\n".join(lines).encode())


def figures(reading: Any) -> list[tuple[Any, ...]]:
    rows = golden.numbers(reading.observations).sort("label", "measure").rows(named=True)
    return [(row["label"], row["value"], row["currency"], row["unit"]) for row in rows]


def refusals(reading: Any) -> list[tuple[str, str, str]]:
    return reading.refused.select("rule", "printed", "reason").rows()


def test_e99_a_number_is_in_the_currency_that_its_row_names() -> None:
    reading = read(
        """
        2026-01-05,ZZA,USD,1.5,10
        2026-01-05,ZZB,jpy,150,1000
        2026-01-05,ZZC,C$,$2,$25
        2026-01-05,ZZD,GBp,-,1250
        """,
        NAV={"measure": "nav", "unit": "currency/share"},
    )
    assert figures(reading) == [
        ("ZZA", Decimal(10), "USD", "USD/share"),
        ("ZZA", Decimal(1_500_000), "USD", "USD"),
        ("ZZB", Decimal(1000), "JPY", "JPY/share"),
        ("ZZB", Decimal(150_000_000), "JPY", "JPY"),
        ("ZZC", Decimal(25), "CAD", "CAD/share"),
        ("ZZC", Decimal(2_000_000), "CAD", "CAD"),
        ("ZZD", Decimal("12.5"), "GBP", "GBP/share"),  # pence
    ]
    # Whether an amount beside a price in pence is in pence, nobody can tell; a dash is none.
    assert [(rule, printed) for rule, printed, _ in refusals(reading)] == [
        ("currency", "- (an amount in GBp)")
    ]


@pytest.mark.parametrize("named", ["", "Euro", "$", "N/A"])
def test_e99_a_row_that_names_no_currency_is_refused(named: str) -> None:
    reading = read(f"2026-01-05,ZZA,USD,1\n2026-01-05,ZZB,{named},150")
    assert [label for label, *_ in figures(reading)] == ["ZZA"]
    ((rule, printed, reason),) = refusals(reading)
    assert rule == "currency"
    assert f"currency {named!r}" in printed
    assert "the code of the row's currency" in reason


def test_e118_a_number_declared_in_one_currency_in_a_row_of_another_is_refused_with_both() -> None:
    aum = {"measure": "aum", "unit": "US$m"}
    reading = read("2026-01-05,ZZA,USD,1,100\n2026-01-05,ZZB,CAD,2,200", AUM=aum)
    assert [(label, unit) for label, _, unit, _ in figures(reading)] == [
        ("ZZA", "USD"),
        ("ZZA", "USD"),
        ("ZZB", "CAD"),
    ]
    ((rule, printed, reason),) = refusals(reading)
    assert (rule, printed) == ("currency", "200 (USD, but the row's currency is CAD)")
    assert "currency m" in reason


def test_e99_a_new_column_of_currencies_is_proposed_as_that_and_not_to_be_ignored() -> None:
    columns = {key: column for key, column in CLASSES["columns"].items() if key != "Currency"}
    columns["Flow"] = {**MONEY, "unit": "US$m"}
    rows = b"2026-01-05,ZZA,USD,5\n2026-01-05,ZZB,JPY,700\n2026-01-05,ZZC,,1\n"
    with pytest.raises(FundflowsError) as refused:
        read_as(declared({**CLASSES, "columns": columns}), "c.csv", b"Date,Fund,Ccy,Flow\n" + rows)
    assert '"Ccy": {key: currency}' in refused.value.fix
    assert "ignore" not in refused.value.fix


def test_e99_a_unit_of_the_row_needs_a_column_that_names_it() -> None:
    columns = {key: column for key, column in CLASSES["columns"].items() if key != "Currency"}
    with pytest.raises(LayoutError, match="no column is the currency of a row"):
        declared({**CLASSES, "columns": columns})
    with pytest.raises(LayoutError, match="two columns are the currency of a row"):
        declared({**CLASSES, "columns": {**CLASSES["columns"], "Ccy": {"key": "currency"}}})


@pytest.mark.parametrize(
    ("unit", "header", "cell", "currency"),
    [
        ("C$m", "Flow ($m)", "$12.5", "CAD"),
        ("C$m", "Flow (C$m)", "C$12.5", "CAD"),
        ("A$m", "Flow (A$m)", "12.5", "AUD"),
        ("HK$m", "Flow HK$m", "HK$12.5", "HKD"),
        ("US$m", "Flow ($m)", "US$12.5", "USD"),
        ("JPY m", "Flow (¥m)", "¥12.5", "JPY"),
    ],
)
def test_e99_a_local_sign_is_the_currency_that_the_layout_declares(
    unit: str, header: str, cell: str, currency: str
) -> None:
    columns = {
        "Date": {"key": "date"},
        "Fund": {"key": "label"},
        "Flow": {"measure": "net_flow", "unit": unit, "period": "day"},
    }
    source = declared({**CLASSES, "columns": columns})
    content = f"Date,Fund,{header}\n2026-01-05,ZZA,{cell}\n".encode()
    assert figures(read_as(source, "c.csv", content)) == [
        ("ZZA", Decimal(12_500_000), currency, currency)
    ]


def test_e99_a_sign_of_another_currency_is_refused_with_both() -> None:
    columns = {
        "Date": {"key": "date"},
        "Fund": {"key": "label"},
        "Flow": {"measure": "net_flow", "unit": "C$m", "period": "day"},
    }
    source = declared({**CLASSES, "columns": columns})
    rows = b"2026-01-05,ZZA,US$12.5\n2026-01-05,ZZB,1\n"
    reading = read_as(source, "c.csv", b"Date,Fund,Flow\n" + rows)
    assert [printed for _, printed, _ in refusals(reading)] == ["US$12.5 (USD in a column of CAD)"]
    with pytest.raises(FundflowsError) as error:
        read_as(source, "c.csv", b"Date,Fund,Flow (A$m)\n" + rows)
    assert (error.value.expected, error.value.found) == ("C$m", "Flow (A$m)")


@pytest.mark.parametrize("cell", ["C$12.5m", "C$ 12.5", "CAD 12.5m", "(C$12.5m)"])
def test_e99_canadian_dollars_in_a_cell_of_us_dollars_are_refused_as_such(cell: str) -> None:
    columns = {
        "Date": {"key": "date"},
        "Fund": {"key": "label"},
        "Flow": {"measure": "net_flow", "unit": "US$m", "period": "day"},
    }
    source = declared({**CLASSES, "columns": columns})
    rows = f"2026-01-05,ZZA,{cell}\n2026-01-05,ZZB,1\n"
    reading = read_as(source, "c.csv", f"Date,Fund,Flow\n{rows}".encode())
    assert [printed for _, printed, _ in refusals(reading)] == [f"{cell} (CAD in a column of USD)"]
    assert [label for label, *_ in figures(reading)] == ["ZZB"]


def test_e99_one_label_in_two_currencies_is_two_statements_and_both_are_refused() -> None:
    rows = "2026-01-05,ZZA,USD,5\n2026-01-05,ZZA,CAD,5\n2026-01-05,ZZB,CAD,5"
    checked = check([read(rows)])
    assert golden.numbers(checked.observations).get_column("label").to_list() == ["ZZB"]
    assert "one_number_per_key" in set(checked.refused.get_column("rule"))


def test_e99_a_total_is_not_held_against_parts_of_several_currencies() -> None:
    table = {**CLASSES, "totals": "reconcile", "rows": [{"text": "All", "role": "total"}]}
    mixed = "2026-01-05,ZZA,USD,5\n2026-01-05,ZZB,JPY,150\n2026-01-05,All,USD,9"
    alike = "2026-01-05,ZZA,USD,5\n2026-01-05,ZZB,USD,2\n2026-01-05,All,USD,9"
    verdicts = [
        check([read(rows, table)]).outcomes.filter(rule="total").get_column("verdict").to_list()
        for rows in (mixed, alike)
    ]
    assert verdicts == [[], ["unexplained"]]


# -- marts -----------------------------------------------------------------------------------------


def layout(dimension: str, period: str) -> dict[str, Any]:
    """Return a layout with a row for each member, and its currency."""
    return {
        "name": "history",
        "container": "csv",
        "valid_from": "2025-12-01",
        "tables": [
            {
                "name": "rows",
                "header": ["Date", "Name"],
                "dimension": dimension,
                "totals": "none",
                "columns": {
                    "Date": {"key": "date"},
                    "Name": {"key": "label"},
                    "Currency": {"key": "currency"},
                    "Flow": {"measure": "net_flow", "unit": "currency m", "period": period},
                    "AUM": {"measure": "aum", "unit": "currency m", "optional": True},
                },
            }
        ],
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    filled = BridgeWorld(tmp_path_factory.mktemp("currencies"))
    # a euro is worth a dollar, so that these are units for a dollar
    yen = {"2026-01-02": 140, "2026-01-05": 125, "2026-01-06": 160, "2026-01-09": 200}
    filled.rates({date: {"USD": "1.0", "JPY": rate} for date, rate in yen.items()})
    for fund in ("zza-us", "zzb-jp", "zzc-tw"):
        filled.fund(fund)
    filled.report(
        "funds",
        """
        Date,Name,Currency,Flow,AUM
        2026-01-05,ZZA,USD,1,100
        2026-01-05,ZZB,JPY,125,3000
        2026-01-06,ZZA,USD,2,102
        2026-01-06,ZZB,JPY,-320,3000
        2026-01-09,ZZA,USD,0,102
        2026-01-09,ZZB,JPY,0,3000
        2026-01-09,ZZC,TWD,7,70
        """,
        layouts=[layout("fund", "day")],
    )
    filled.report(
        "weeks",
        """
        Date,Name,Currency,Flow,AUM
        2026-01-09,Bitcoin,USD,1,100
        2026-01-09,Ethereum,JPY,170,3000
        2026-01-09,Solana,TWD,7,70
        """,
        layouts=[layout("asset", "week")],
    )
    return filled.publish()


def test_e99_flows_of_days_are_dollars_at_the_rate_of_their_day(world: BridgeWorld) -> None:
    flows = world.flows("funds", "2026-01-09", "fund")
    assert flows["zza-us"] == m(3)
    assert flows["zzb-jp"] == m(1) - m(2)
    assert world.change("funds", "2026-01-09", "fund", "zzb-jp")["aum_close_usd"] == m(15)
    assert world.flow("funds", "2026-01-09")["net_flow_usd"] == m(2)  # never 3 + 125 - 320 + 7


def test_e99_without_a_rate_the_fund_is_null_and_the_total_is_not_final(world: BridgeWorld) -> None:
    assert world.flows("funds", "2026-01-09", "fund")["zzc-tw"] is None
    total = world.flow("funds", "2026-01-09")
    assert (total["status"], total["funds"]) == ("partial", 3)
    assert not world.rows("from mart.fund_bridge where fund = 'zzc-tw'")


def test_e26_e99_weeks_are_dollars_at_the_average_of_their_fixings(world: BridgeWorld) -> None:
    flows = world.flows("weeks", "2026-01-09", "asset")
    # the mean of 1/125, 1/160 and 1/200 to ten decimals
    assert flows == {
        "BTC": m(1),
        "ETH": (170_000_000 * Decimal("0.0064166667")).quantize(Decimal("0.01")),
        "SOL": None,
    }
    assert world.change("weeks", "2026-01-09", "asset", "ETH")["aum_close_usd"] == m(15)
    assert world.flow("weeks", "2026-01-09", "asset", "SOL")["status"] == "partial"


def test_e99_a_missing_rate_is_named_with_its_currency(world: BridgeWorld) -> None:
    refused = world.rows("from ops.quarantine where rule = 'fx_rate_missing'")
    named = {(row["source"], row["label"], row["measure"]) for row in refused}
    assert named == {
        (source, label, measure)
        for source, label in (("funds", "ZZC"), ("weeks", "Solana"))
        for measure in ("net_flow", "aum")
    }
    assert all("TWD" in row["reason"] and "2026-01-09" in row["reason"] for row in refused)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> BridgeWorld:
    filled = BridgeWorld(tmp_path_factory.mktemp("foreign"))
    filled.fund("zza-us")
    filled.fund("zzb-ca", currency="CAD")
    rows = "date,fund,nav,shares\n" + "\n".join(
        f"2026-01-{day},{fund},{nav},{shares}"
        for day, shares in (("02", 1), ("08", 1), ("09", 2))
        for fund, nav in (("ZZA", 10), ("ZZB", 20))
    )
    filled.report("dollars", rows)
    flows = "date,fund,aum,flow\n2026-01-08,ZZB,20,0\n2026-01-09,ZZB,25,5"
    filled.report("converted", flows)  # by a vendor, who says so in the unit
    return filled.publish()


def test_e118_a_nav_in_another_currency_than_its_fund_is_refused_with_both(
    foreign: BridgeWorld,
) -> None:
    assert foreign.flows("dollars", "2026-01-09", "fund") == {"zza-us": m(10), "zzb-ca": None}
    assert foreign.flow("dollars", "2026-01-09")["status"] == "partial"
    refused = foreign.rows("from ops.quarantine where rule = 'currency_not_of_fund'")
    assert {(row["source"], row["label"], row["measure"]) for row in refused} == {
        ("dollars", "ZZB", "nav")
    }
    assert all("NAV in USD, but the fund is in CAD" in row["reason"] for row in refused)


def test_e118_amounts_that_a_vendor_has_converted_are_dollars(foreign: BridgeWorld) -> None:
    assert foreign.flows("converted", "2026-01-09", "fund") == {"zzb-ca": m(5)}


def test_e99_a_fund_whose_rates_stop_does_not_leave(tmp_path: Path) -> None:
    world = BridgeWorld(tmp_path)
    world.rates({"2026-01-02": {"USD": "1.0", "JPY": 160}, "2026-01-09": {"USD": "1.0"}})
    world.fund("zza-us")
    world.fund("zzb-jp")
    rows = [
        {"Date": date, "Name": name, "Currency": currency, "Flow": 0, "AUM": 300}
        for date in ("2026-01-02", "2026-01-09")
        for name, currency in (("ZZA", "USD"), ("ZZB", "JPY"))
    ]
    world.report("funds", rows, layouts=[layout("fund", "day")])
    world.publish()
    assert world.change("funds", "2026-01-09")["universe_effect_usd"] == 0
    assert world.flow("funds", "2026-01-09")["status"] == "partial"
    assert world.flows("funds", "2026-01-09", "fund") == {"zza-us": 0, "zzb-jp": None}


def test_every_row_of_these_worlds_is_that_of_the_oracle(world: BridgeWorld) -> None:
    database = world.warehouse.database
    found = compare(database, expected(database, world.reference))
    assert not [each for each in found.differences if each.fault is None], found.shown()
