"""Whose file it is: a file of one fund under another's name, and names that are no fund's."""

from __future__ import annotations

from pathlib import Path

import golden
import pytest
import steps
from world import World

from samples.add import received

SHARES = "date,shares_outstanding,nav,net_assets"


def sample(name: str) -> bytes:
    """Return the NAV history of a fund."""
    return next(
        each.file.read_bytes()
        for each in received()
        if each.source == "canary" and each.file.name == name
    )


HBR, XRPC = sample("HBR.csv"), sample("XRPC.csv")


def until(content: bytes, day: str) -> bytes:
    """Return a history up to a day."""
    header, *rows = content.splitlines(keepends=True)
    return b"".join([header, *(row for row in rows if row[:10].decode() <= day)])


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a warehouse with histories of two funds, published."""
    world = World(tmp_path / "warehouse")
    world.init()
    world.add("canary", "HBR.csv", until(HBR, "2026-01-16"), received="2026-02-01T12:00Z")
    world.add("canary", "XRPC.csv", until(XRPC, "2026-01-16"), received="2026-02-01T12:00Z")
    assert steps.publish_all(world.warehouse) == []
    return world


FLOWS = "select * from mart.flows order by all"


@pytest.mark.parametrize("content", [XRPC, until(XRPC, "2026-01-23")], ids=["new", "longer"])
def test_e122_a_file_of_another_fund_is_held(world, content):
    before = world.query(FLOWS)
    world.drop("canary", "HBR.csv", content)
    ran = world.run()
    assert ran.code == 1
    assert "The report is on hold: its numbers are another series'." in ran.text
    assert "found: in" in ran.text
    assert "they are those of XRPC in XRPC.csv" in ran.text
    assert world.query(FLOWS) == before
    assert world.one("select count(*) from core.report where error is not null") == 1


def test_e122_the_right_files_after_it_are_not_held(world):
    world.drop("canary", "HBR.csv", XRPC)
    assert world.run().code == 1
    world.drop("canary", "HBR.csv", HBR)
    world.drop("canary", "XRPC.csv", XRPC + b"\n")
    ran = world.run()
    assert ran.code == 0, ran.text
    assert world.one("select count(*) from core.report where error is not null") == 1


def test_e122_numbers_that_nobody_printed_before_are_held_too(world):
    rows = [line.split(b",") for line in HBR.splitlines()]
    other = b"\n".join(
        [b",".join(rows[0])]
        + [b"%s,%d,10.00,%d.00" % (row[0], 90_000 + number, 10 * (90_000 + number))
           for number, row in enumerate(rows[1:])]
    )  # fmt: skip
    before = world.query(FLOWS)
    world.drop("canary", "HBR.csv", other + b"\n")
    ran = world.run()
    assert ran.code == 1
    assert "its numbers are another series'" in ran.text
    assert "none is as it was before, and they are others" in ran.text
    assert world.query(FLOWS) == before
    held = world.one("select report_id from core.report where error is not null")
    assert world.call("accept", held[:12], "--because", "restated as a whole").code == 0
    assert world.run().code == 0
    assert world.query(FLOWS) != before


def test_e122_a_restated_week_or_a_new_fund_is_not_held(world):
    line = next(line for line in HBR.splitlines() if line.startswith(b"2026-01-14"))
    day, shares, nav, _ = line.split(b",")
    count = float(shares) + 10_000
    restated = b"%s,%.1f,%s,%.2f" % (day, count, nav, count * float(nav))
    world.drop("canary", "HBR.csv", HBR.replace(line, restated))
    new = [b"2026-01-%02d,%d,20.00,%d.00" % (day, 1000 * day, 20_000 * day) for day in (14, 15, 16)]
    world.drop("canary", "LTCC.csv", b"\n".join([SHARES.encode(), *new, b""]))
    ran = world.run()
    assert ran.code == 0, ran.text


def test_e122_columns_of_a_page_that_have_changed_places_are_held(tmp_path):
    days = [f"{day:02} Jan 2026" for day in (12, 13, 14, 15, 16, 20, 21, 22, 23)]
    flows = [(1.5 * place + 0.1, -2.3 * place - 0.2) for place in range(len(days))]

    def page(header: str, newest: str = "", *, swapped: bool = False) -> bytes:
        lines = [
            f"{day},{two:.1f},{one:.1f},{one + two:.1f}"
            if swapped
            else f"{day},{one:.1f},{two:.1f},{one + two:.1f}"
            for day, (one, two) in zip(days, flows, strict=True)
        ]
        return golden.history(header, *lines, *([newest] if newest else []))

    world = World(tmp_path / "warehouse")
    world.init()
    header = "Date,IBIT,FBTC,Total"
    world.add("farside_btc", "btc.csv", page(header), received="2026-01-24T12:00Z")
    assert world.run().code == 0
    swapped = page(header, "26 Jan 2026,1.0,2.0,3.0", swapped=True)
    world.drop("farside_btc", "btc.csv", swapped)
    assert world.run().code == 1
    held = world.one("select error from core.report where error is not null")
    assert "numbers of FBTC" in held
    assert "those of IBIT" in held


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        ("HBR.csv", True),
        ("HBR (2).csv", True),
        ("HBR 1.csv", True),
        ("HBR_2026-02-13.csv", True),
        ("HBR-20260213.csv", True),
        ("NAV history HBR.csv", False),
        ("HBR history.csv", False),
        ("NAV.hbr.csv", False),
        ("hbr.csv", False),
    ],
)
def test_e103_the_fund_is_the_whole_name_of_its_file_or_nothing_is_read(tmp_path, name, is_read):
    world = World(tmp_path / "warehouse")
    added = world.call("add", "canary", world.file(name, HBR))
    assert added.code == (0 if is_read else 1), added.text
    if not is_read:
        assert "rename the file" in added.text
        assert name in added.text


def test_e103_an_unmapped_fund_is_no_part_of_a_total_that_is_final(tmp_path):
    """It may be a fund that is there already, under another name."""
    world = World(tmp_path / "warehouse")
    world.drop("canary", "HBR.csv", HBR)
    rows = [b"2026-01-%02d,%d,20.00,%d.00" % (day, 1000 * day, 20_000 * day) for day in (29, 30)]
    world.drop("canary", "ZZX.csv", b"\n".join([SHARES.encode(), *rows, b""]))
    world.run()
    for table in ("flows", "aum_change"):
        statuses = dict(
            world.query(
                f"select member, status from mart.{table} where week_ending = '2026-01-30' "
                "and (dimension = 'fund' or dimension = 'total')"
            )
        )
        assert statuses == {"hbr-us": "final", "unmapped": "partial", "total": "partial"}


def test_e122_two_reports_of_the_same_funds_need_not_print_the_same(tmp_path):
    """Flows in one workbook and AUM in another are two series of one label each."""
    world = World(tmp_path / "warehouse")
    days = [f"2026-01-{day:02}" for day in range(5, 31) if day % 7 not in (3, 4)]
    flows = [
        ["Date", "Fund Flow", "Close"],
        *([day, 1.5, 70 + place] for place, day in enumerate(days)),
    ]
    aum = [["Date", "ARKK US Equity"], *([day, 5000 + place] for place, day in enumerate(days))]
    world.drop("ark_bloomberg", "flows.xlsx", golden.workbook({"ARKK": flows}))
    world.drop("ark_bloomberg", "aum.xlsx", golden.workbook({"Sheet1": aum}))
    ran = world.run()
    assert ran.code == 0, ran.text
    assert world.one("select count(*) from mart.fund_bridge") == 4
