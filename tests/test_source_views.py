"""A schema for every source: the natural query over one of its views counts nothing twice (E88)."""

from __future__ import annotations

import copy
import datetime as dt

import duckdb
import golden
import pytest
from world import World, reading

from pipelines.database import source_views
from pipelines.database.publish import fingerprint
from pipelines.errors import LayoutError
from pipelines.ingest import plan as planning
from pipelines.ingest.sources import sources
from pipelines.layouts.filled import filled
from pipelines.layouts.names import WORDS_OF_SQL
from pipelines.layouts.source import parse_source
from schemas.dimensions import DIMENSIONS

VIEWS = [
    (name, table, dimension)
    for name, source in sources().items()
    for table, dimensions in filled(source).items()
    for dimension in dimensions
]


def test_e88_the_sum_over_a_view_is_the_total_of_its_source(sampled):
    """Of printed totals within their rounding, which the certificates know."""
    once = [each.name for each in DIMENSIONS if each.has_views and not each.counts_twice]
    compared = 0
    for name, table, dimension in VIEWS:
        if table != "flows" or dimension not in once:
            continue
        rows = sampled.query(
            f"""
            select abs(sum(part.net_flow_usd) - any_value(total.net_flow_usd)),
                coalesce(any_value(axis.hard_bound_usd), 0)
            from {name}.flows_by_{dimension} as part
            join {name}.flows_total as total using (week_ending)
            left join core.reported_axis as axis
                on axis.source = '{name}' and axis.dimension = '{dimension}'
                and axis.week_ending = part.week_ending
            where total.status = 'final'
            group by part.week_ending
            """
        )
        assert [row for row in rows if row[0] > max(row[1], 200_000)] == []
        compared += len(rows)
    assert compared > 100


def test_e88_a_view_has_the_rows_of_its_mart_and_no_other(sampled):
    described = dict(
        sampled.query("select schema_name || '.' || view_name, comment from duckdb_views()")
    )
    with reading(sampled.database) as connection:
        for source, table, dimension in VIEWS:
            view = f"{source}.{source_views.name_of(table, dimension)}"
            one = f"where source = '{source}' and dimension = '{dimension}'"
            shown = connection.execute(f"from {view} order by all").fetchall()
            of_mart = f"select * exclude (source, dimension) from mart.{table} {one} order by all"
            assert shown == connection.execute(of_mart).fetchall(), view
            assert described[view].startswith(f"{source}, by {dimension} alone: ")


def unseen(world) -> set[tuple[str, str, str]]:
    """Return source, table and dimension of rows that no view of a source shows."""
    return {
        (source, table, dimension)
        for table in ("flows", "aum_change", "period_flows")
        for source, dimension in world.query(f"select distinct source, dimension from mart.{table}")
    } - set(VIEWS)


def test_e88_every_row_of_a_mart_stands_in_a_view(sampled):
    assert unseen(sampled) == set()


@pytest.mark.real
def test_e88_every_row_of_real_reports_stands_in_a_view(published_real):
    assert unseen(published_real) == set()


def test_a_source_without_flows_has_no_schema(sampled):
    assert not any(filled(sources()["ecb"]).values())
    assert sampled.query("from duckdb_schemas() where schema_name = 'ecb'") == []


def test_a_layout_that_fills_more_is_a_reason_for_a_build(tmp_path):
    world = World(tmp_path / "warehouse")
    world.init()
    attributes = golden.attributes_of("farside_btc")
    by_issuer = copy.deepcopy(attributes)
    for layout in by_issuer["layouts"]:
        for table in layout["tables"]:
            table["across"]["dimension"] = "issuer"
    now = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    said = {
        fingerprint(world.warehouse, [planning.plan(world.warehouse, source)], now)
        for declared in (attributes, by_issuer)
        for source in (parse_source("farside_btc", declared, "defs.yaml"),)
    }
    assert len(said) == 2


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("mart", "a schema of the database has it"),
        ("main", "a schema of the database has it"),
        ("order", "it is a word of SQL"),
        ("left", "it is a word of SQL"),
        ("Farside", "small letters, digits and _ only"),
        ("13f", "small letters, digits and _ only"),
        ("far-side", "small letters, digits and _ only"),
    ],
)
def test_e88_a_source_cannot_have_a_name_that_is_no_schema(name, why):
    attributes = golden.attributes_of("farside_btc")
    with pytest.raises(LayoutError, match="A source cannot have this name") as refused:
        parse_source(name, attributes, f"{name}/defs.yaml")
    assert why in str(refused.value)
    assert "rename the source's folder" in str(refused.value)


def test_every_word_that_duckdb_does_not_take_for_a_schema_is_known():
    refused = set()
    with duckdb.connect() as connection:
        words = connection.execute("select distinct keyword_name from duckdb_keywords()")
        for (word,) in words.fetchall():
            try:
                connection.execute(f"create schema {word}; drop schema {word}")
            except duckdb.ParserException:
                refused.add(word)
    assert refused <= set(WORDS_OF_SQL.split())
    assert len(refused) > 50
