"""The list of dimensions, and the SQL that is written once for all of a kind."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pipelines.database import dimensions, models
from pipelines.database.errors import BuildError
from pipelines.database.inputs import dimension_rows
from schemas import catalog
from schemas.dimensions import DIMENSIONS, LABELLED, NAMES, REPEATED, listed
from schemas.mart import AumChange, Flows
from tests.bridge_world import BridgeWorld

ASSETS = """select
    source,
    -- each attribute of a fund
    coalesce(fund.asset, 'unmapped') as asset, -- not asset_class
    -- end
    total
from fund
"""


@pytest.fixture
def two(monkeypatch):
    """Two attributes of a fund, whatever the list has."""
    monkeypatch.setitem(dimensions.REPEATED, "attribute of a fund", ("asset", "product_type"))


# -- the list --------------------------------------------------------------------------------------


def test_what_reports_print_is_what_a_layout_can_name():
    assert set(LABELLED) == {"fund", "asset", "issuer", "country", "currency", "total", "check"}


def test_every_dimension_has_one_row_and_a_meaning():
    assert len(set(NAMES)) == len(NAMES)
    assert [each.name for each in DIMENSIONS if not each.meaning or not each.membership] == []


def test_the_list_is_a_table_as_its_contract_says():
    rows = dimension_rows()
    catalog.contract_of("core.dimension").validate(rows)
    counted = rows.filter("counts_twice").get_column("dimension").to_list()
    assert sorted(counted) == ["country", "fund"]  # E20


def test_descriptions_name_the_dimensions_as_people_do():
    assert listed(("asset", "issuer", "country")) == "asset, issuer or country"


def test_the_columns_that_are_melted_are_the_dimensions_of_the_list():
    sql = models.models()["core.fund_week_member"].sql
    (columns,) = re.findall(r"member for dimension in \(([^)]+)\)", sql)
    assert sorted(re.findall(r"\w+", columns)) == sorted(NAMES)


# -- views and contracts ---------------------------------------------------------------------------


@pytest.mark.parametrize(("table", "long"), [("flows", Flows), ("aum_change", AumChange)])
def test_a_view_of_a_dimension_has_the_contract_of_its_table(table, long):
    for name in REPEATED["dimension with views"]:
        view = f"mart.{table}_by_{name}"
        contract = catalog.contract_of(view)
        assert catalog.columns(contract) == catalog.columns(long)
        assert "grain: one row per source, week and member" in catalog.description(contract)
        assert f"where dimension = '{name}'" in models.models()[view].sql


def test_a_view_is_stale_when_its_file_is_and_no_other_view_is_it():
    views = [model for model in models.models().values() if model.dimension]
    assert len({model.code for model in views}) == len(views)
    assert {model.file for model in views} == {
        "sql/mart/flows_by.sql",
        "sql/mart/aum_change_by.sql",
    }


# -- SQL -------------------------------------------------------------------------------------------


def test_lines_are_repeated_for_each_dimension_of_their_kind(two):
    assert (
        dimensions.repeated(ASSETS)
        == """select
    source,
    coalesce(fund.asset, 'unmapped') as asset, -- not asset_class
    coalesce(fund.product_type, 'unmapped') as product_type, -- not asset_class
    total
from fund
"""
    )


def test_a_name_column_goes_with_its_dimension(two):
    sql = "-- each attribute of a fund\nselect asset, asset_name, my_asset from t\n-- end\n"
    assert "select product_type, product_type_name, my_asset from t" in dimensions.repeated(sql)


def test_sql_without_a_comment_of_the_kind_stays_as_it_is():
    sql = "-- Of each asset.\nselect asset from core.fund\n"
    assert dimensions.repeated(sql) == sql
    assert dimensions.dimensions_of(sql) == ()


def test_a_file_makes_a_model_for_each_dimension_of_its_kind(two):
    sql = "-- By asset.\n-- each: attribute of a fund\nselect * from t where d = 'asset'\n"
    assert dimensions.dimensions_of(sql) == ("asset", "product_type")
    assert dimensions.about(sql, "product_type") == (
        "-- By product_type.\nselect * from t where d = 'product_type'\n"
    )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("-- each atribute of a fund\nasset,\n-- end\n", "'atribute of a fund'"),
        ("-- each attribute of a fund\nasset,\n", "-- end"),
        ("asset,\n-- end\n", "-- each"),
    ],
    ids=["a kind that is not known", "without an end", "without a beginning"],
)
def test_a_comment_that_cannot_be_meant_is_refused(sql, message):
    with pytest.raises(ValueError, match=message):
        dimensions.repeated(sql)


def test_a_new_attribute_of_a_fund_needs_a_row_of_the_list_only():
    kind = replace(DIMENSIONS[0], name="wrapper", membership="reference.fund.wrapper")
    assert kind.is_attribute
    assert not replace(kind, membership="reference.fund_issuer.wrapper").is_attribute
    assert not kind.has_names
    assert replace(kind, names="reference.wrapper").has_names


# -- members ---------------------------------------------------------------------------------------


def test_a_fund_of_a_type_of_product_that_is_not_there_stops_the_build(tmp_path):
    world = BridgeWorld(tmp_path)
    world.fund("odd-us", product_type="spot_fund")
    world.report("odd", "date,fund,aum,flow\n2026-01-16,ODD,10,1\n")
    with pytest.raises(BuildError, match="alias_leads_somewhere") as refused:
        world.publish()
    assert "'odd-us', 'points_at': 'spot_fund'" in refused.value.found


def test_a_fund_that_nobody_knows_is_unmapped_in_every_dimension_but_the_total(tmp_path):
    world = BridgeWorld(tmp_path)
    world.report("odd", "date,fund,aum,flow\n2026-01-16,ODD,10,1\n")
    world.publish()
    rows = world.rows("select dimension, member, member_name from mart.flows")
    assert {row["dimension"] for row in rows} == set(NAMES)
    assert {row["member_name"] for row in rows if row["dimension"] != "total"} == {"Unmapped"}
