"""Trouble stays where it is: a bad report, or a source that breaks a build, stops no other."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from typing import Any

import golden
import pytest
from world import World

from pipelines.checking.check import Checked
from pipelines.checking.check import check as real_check
from pipelines.database import models
from pipelines.ingest import ingest as ingesting
from pipelines.ingest import read as reading
from pipelines.ingest.sources import sources
from pipelines.layouts.source import Source
from pipelines.reading.reader import Reading
from pipelines.reading.reader import read_report as real_read
from pipelines.report import Report
from samples.add import received

BAD = "bad"
"""In the name of every file that is bad."""


@pytest.fixture
def world(own_samples: World) -> World:
    """Return a published warehouse that may be damaged."""
    return own_samples


def read_badly(source: Source, report: Report, content: bytes) -> Reading:
    """Read a report, but for bad ones, in which nobody expected what is there."""
    if BAD in report.name:
        raise ZeroDivisionError("a cell of 0 columns")
    return real_read(source, report, content)


def check_badly(readings: list[Reading], accepted: frozenset[str]) -> Checked:
    """Check readings, unless a bad one is among them."""
    if any(BAD in each.report.name for each in readings):
        raise ZeroDivisionError("a number of no digits")
    return real_check(readings, accepted)


@pytest.mark.parametrize(
    ("module", "name", "broken"),
    [(reading, "read_report", read_badly), (ingesting, "check", check_badly)],
)
def test_whatever_goes_wrong_in_a_report_is_its_own_error(
    world, monkeypatch, module: Any, name: str, broken: Any
):
    world.drop("coinshares", "bad.xlsx", weekly_of(dt.date(2026, 3, 20)))
    world.drop("farside_btc", "good.html", newer_page())
    monkeypatch.setattr(module, name, broken)
    ran = world.run()
    assert "Traceback" not in ran.text
    assert world.query("select name from core.report where error is not null") == [("bad.xlsx",)]
    assert world.one("select count(*) from core.report where name = 'good.html'") == 1
    error = world.one("select error from core.report where name = 'bad.xlsx'")
    assert "source coinshares, file bad.xlsx" in error
    assert "ZeroDivisionError" in error


def weekly_of(week: dt.date, formats: Mapping[str, str] = {}) -> bytes:
    """Return the golden workbook of another week, without its date of publication."""
    dates = {f"{sheet}!B1": week for sheet in golden.KEYS}
    undated = {f"{sheet}!B2": None for sheet in golden.KEYS}
    return golden.weekly({**dates, **undated}, formats=formats)


def newer_page() -> bytes:
    """Return the sample page of farside_btc with one flow changed."""
    (page,) = (each.file for each in received() if each.source == "farside_btc")
    return page.read_bytes().replace(b"<td>0.0</td>", b"<td>0.00</td>", 1) + b"\n"


def test_with_a_bad_report_in_every_source_everything_else_is_published(world):
    before = world.query("from mart.flows order by all")
    for name in sources():
        world.drop(name, f"{BAD}-{name}.csv", f"no table of {name}\n".encode())
    ran = world.run()
    assert ran.code == 1
    assert world.query("from mart.flows order by all") == before
    for name in sources():
        assert f"source {name}, file {BAD}-{name}.csv" in ran.text
        assert world.one(
            "select count(*) from core.report where source = ? and error is not null", name
        )


def test_strange_cells_formats_and_names_stay_in_their_report(world):
    week = dt.date(2026, 3, 20)
    formats = {"By asset!B6": "[>1.2.3]0", "By asset!B7": "0." + "0" * 120}
    sol = golden.history("Date,BSOL,GSOL,Total", "13 Jan 2026,1e400,1,1", "14 Jan 2026,0e40,2,2")
    # The newer page prints one number with a digit more.
    flows = "select * exclude (net_flow_half_unit_usd) from mart.flows"
    before = {*world.query(f"{flows} where source in ('canary', 'farside_btc')")}
    world.drop("farside_sol", "sol.csv", sol)
    world.drop("coinshares", "week.xlsx", weekly_of(week, formats))
    world.drop(
        "farside_btc", "btc.html", newer_page().replace(b"<td>", "<td colspan='²'>".encode())
    )
    world.drop("farside_eth", os.fsdecode(b"b\xe4d.csv"), b"no table\n")
    ran = world.run()
    assert ran.code == 1
    assert "Traceback" not in ran.text
    assert "source farside_eth, file b\\xe4d.csv" in ran.text
    assert world.query("select source, name from core.report where error is not null") == [
        ("farside_eth", "b\\xe4d.csv")
    ]
    refused = "select rule, cell, printed from ops.quarantine where source = 'farside_sol'"
    assert world.query(refused) == [("number", "B2", "1e400")]
    zero = "select value from core.observation where source = 'farside_sol' and cell = 'B3'"
    assert world.one(zero) == 0
    shown = "select abs(value + 37500000) <= half_unit from core.observation where cell = 'B6' "
    assert world.one(f"{shown} and sheet = 'By asset' and week_ending = ?", week)
    assert before <= {*world.query(flows)}


def test_a_source_whose_new_rows_break_a_build_is_served_as_before_alone(
    world, tmp_path, monkeypatch
):
    week = dt.date(2026, 3, 20)
    audit = tmp_path / "nothing_new.sql"
    audit.write_text(
        "-- Nothing is new.\n"
        f"select * from core.observation where source = 'coinshares' and week_ending = '{week}'\n",
        encoding="utf-8",
    )
    audits = models.audits()
    before = world.query("from mart.flows where source = 'coinshares' order by all")
    world.add("coinshares", "new.xlsx", weekly_of(week), received="2026-03-23T12:00Z")
    world.add("farside_btc", "btc.html", newer_page(), received="2026-03-23T12:00Z")
    with monkeypatch.context() as patch:
        patch.setattr(models, "audits", lambda: {**audits, "nothing_new": audit})
        ran = world.run()
    assert ran.code == 1
    assert "check failed: is_current: coinshares" in ran.text
    ((source, report_id, reason),) = world.query("select source, report_id, reason from ops.stale")
    assert (source, report_id) == ("coinshares", None)
    assert "Audit nothing_new failed" in reason
    assert world.query("from mart.flows where source = 'coinshares' order by all") == before
    assert world.one("select max(received_at) from core.report where source = 'farside_btc'")
    again = world.run()
    assert (again.code, "served as before: coinshares" in again.text) == (1, True)
    world.add("farside_btc", "btc.html", newer_page() + b"\n", received="2026-03-23T13:00Z")
    healed = world.run()
    assert healed.code == 0, healed.text
    assert world.query("from ops.stale") == []
    assert world.one(
        "select count(*) from mart.flows where source = 'coinshares' and week_ending = ?", week
    )
