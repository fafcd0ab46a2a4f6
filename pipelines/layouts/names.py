"""Which names a source may have: its name is a schema of the published database, too."""

from __future__ import annotations

import re

_RESERVED = """
    main temp system information_schema pg_catalog core mart ops reference input questions total
    fundflows
"""
"""Schemas of DuckDB and of ours, and what a person may type for a file or a dimension."""
WORDS_OF_SQL = """
    all analyse analyze and anti any array as asc asof asymmetric at authorization between
    bigint binary bit boolean both by case cast char character check coalesce collate collation
    column columns concurrently constraint create cross dec decimal default deferrable desc
    describe distinct do else end except exists extract false fetch float for foreign freeze
    from full generated glob group grouping grouping_id having ilike in initially inner inout
    int integer intersect interval into is isnull join lambda lateral leading left like limit
    map national natural nchar none not notnull null nullif numeric offset on only or order out
    outer overlaps overlay pivot pivot_longer pivot_wider placing position positional precision
    primary qualify real references returning right row select semi setof show similar smallint
    some struct substring summarize symmetric table tablesample then time timestamp to trailing
    treat trim true try_cast tuple union unique unpack unpivot using values varchar variadic
    verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest
    xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
"""
"""Words that SQL does not take for a schema without quotes (`duckdb_keywords()`)."""


def wrong_name(name: str) -> str | None:
    """Return why a source cannot have a name, or None if it can."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return "small letters, digits and _ only, a letter first"
    if name in _RESERVED.split():
        return "a schema of the database has it"
    return "it is a word of SQL" if name in WORDS_OF_SQL.split() else None
