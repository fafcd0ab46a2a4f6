"""What a published file asks of the client that opens it; `tests/clients.py` tries old ones."""

from __future__ import annotations

import re

from pipelines.database.connection import STORAGE

NEWER = ("if",)
"""Functions that this DuckDB has in what it stores, and older ones have not."""


def test_the_file_has_the_storage_of_the_oldest_client(sampled):
    tags = sampled.one("select tags from duckdb_databases() where not internal limit 1")
    assert tags["storage_version"].startswith(STORAGE)


def test_no_view_and_no_macro_calls_a_function_that_older_clients_lack(sampled):
    stored = sampled.query(
        """
        select view_name, sql from duckdb_views() where not internal
        union all
        select function_name, macro_definition from duckdb_functions()
        where not internal and function_type in ('macro', 'table_macro')
        """
    )
    assert len(stored) > 100
    called = re.compile(rf'"?\b(?:{"|".join(NEWER)})\b"?\(', re.IGNORECASE)
    assert [name for name, sql in stored if called.search(sql)] == []
