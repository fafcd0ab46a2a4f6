"""Golden reports: what every source's folder has beside its layouts, and what is read from them.

`golden/` holds small reports with figures that are made up, and in `golden.csv` every number that
they print. It is written anew with FUNDFLOWS_REWRITE_SNAPSHOTS=1, for a person to compare with
the reports.
"""

from __future__ import annotations

import difflib
import os
from decimal import Decimal

import golden
import polars as pl
import pytest

from pipelines.checking.check import check
from pipelines.ingest.sources import sources
from pipelines.reading.reader import Reading

REWRITE = "FUNDFLOWS_REWRITE_SNAPSHOTS"
COLUMNS = (
    "report",
    "sheet",
    "cell",
    "dimension",
    "label",
    "measure",
    "period",
    "period_end",
    "value",
    "currency",
    "unit",
    "half_unit",
    "null_reason",
)


def printed(readings: dict[str, Reading]) -> str:
    """Return the observations of reports as golden.csv has them: a line each, all texts."""
    rows = [
        [name, *(_text(row[column]) for column in COLUMNS[1:])]
        for name, reading in readings.items()
        for row in reading.observations.iter_rows(named=True)
    ]
    return golden.csv_bytes([COLUMNS, *rows]).decode()


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)


def differences(expected: str, found: str) -> str:
    """Return the lines that only one of two texts has: - is expected, + is found."""
    lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


@pytest.mark.parametrize("name", sorted(sources()))
def test_a_source_reads_exactly_the_numbers_of_its_golden_reports(name):
    found = printed(golden.readings_of(name))
    file = golden.SOURCES / name / "golden" / "golden.csv"
    if os.environ.get(REWRITE):
        file.write_text(found, encoding="utf-8", newline="")
    differ = differences(file.read_text(encoding="utf-8"), found)
    if differ:
        pytest.fail(
            f"{name}: golden.csv and what is read differ; if that is meant, run with {REWRITE}=1.\n"
            f"- is expected, + is read: {','.join(COLUMNS)}\n{differ}",
            pytrace=False,
        )


@pytest.mark.parametrize("name", sorted(sources()))
def test_every_layout_of_a_source_has_a_golden_report_that_passes_its_checks(name):
    readings = golden.readings_of(name)
    layouts = {layout.name for layout in golden.source(name).layouts}
    assert {reading.layout.name for reading in readings.values()} == layouts
    for reading in readings.values():
        checked = check([reading])
        assert checked.refused.to_dicts() == []
        failed = checked.outcomes.filter(pl.col("verdict").is_in(["refused", "unexplained"]))
        assert failed.to_dicts() == []


@pytest.mark.parametrize(
    ("row", "expected", "found"),
    [
        (b"15 Jan 2026,3.5,5.0,,", 0, 8_500_000),
        (b"15 Jan 2026,,,,8.5", 8_500_000, 0),
    ],
    ids=["total blank", "parts blank"],
)
def test_e49_a_total_without_parts_or_parts_without_a_total_warn(row, expected, found):
    header = b"Date,IBIT,FBTC,BTC,Total\n14 Jan 2026,1.0,2.0,,3.0\n"
    content = header + row + b"\n16 Jan 2026,,,,0.0\n"
    outcomes = check([golden.read_bytes("farside_btc", "btc.csv", content)]).outcomes
    failed = outcomes.filter(pl.col("verdict").is_in(["refused", "unexplained"]))
    figures = failed.select("rule", "expected", "found", "blocking").rows()
    assert figures == [("total", Decimal(expected), Decimal(found), False)]


def test_a_number_that_is_missing_or_differs_is_shown_with_its_cell():
    content = golden.in_folder("canary", "HBR.csv")
    other = content.replace(b"40000.0", b"40001.0").replace(b",25.5,", b",,")
    before, after = (
        printed({"HBR.csv": golden.read_bytes("canary", "HBR.csv", each)})
        for each in (content, other)
    )
    assert differences(before, before) == ""
    assert differences(before, after).splitlines() == [
        "-HBR.csv,csv,B2,fund,HBR,shares_outstanding,close,2026-01-15,40000,,shares,0.05,",
        "+HBR.csv,csv,B2,fund,HBR,shares_outstanding,close,2026-01-15,40001,,shares,0.05,",
        "-HBR.csv,csv,C3,fund,HBR,nav,close,2026-01-16,25.5,USD,USD/share,0.005,",
        "+HBR.csv,csv,C3,fund,HBR,nav,close,2026-01-16,,USD,USD/share,,blank",
    ]
