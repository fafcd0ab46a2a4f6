"""Golden reports, built in code: small, whole, and wrong in exactly one named way.

Those that no test varies stand in the folders of their sources. Nothing here asserts. The flows by
asset and by country of the weekly workbook are those printed for the week to 12 May 2023
(METHODOLOGY E50); every other figure is made up so that it adds up.
"""

from __future__ import annotations

import copy
import csv
import datetime as dt
import functools
import hashlib
import io
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import yaml
from openpyxl.xml.functions import tostring

import pipelines
from pipelines.ingest.sources import sources
from pipelines.layouts.source import Source, parse_source
from pipelines.reading.reader import Reading, read_report
from pipelines.report import Report
from schemas.observation import is_refused

MADE = dt.datetime(2026, 1, 1)  # noqa: DTZ001 (a workbook's times have no zone)
RECEIVED = dt.datetime(2026, 9, 1, 12, tzinfo=dt.UTC)
SOURCES = Path(pipelines.__file__).parent / "defs" / "sources"

# -- builders --------------------------------------------------------------------------------------


def workbook(
    sheets: Mapping[str, Sequence[Sequence[Any]]],
    *,
    formats: Mapping[str, str] = {},
    merges: Sequence[str] = (),
    hidden: Collection[str] = (),
) -> bytes:
    """Return a workbook; `formats` and `merges` name areas as "Sheet!B2" or "Sheet!B2:C4"."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row, values in enumerate(rows, 1):
            for column, value in enumerate(values, 1):
                if value is not None:
                    sheet.cell(row, column, value)
    for area, number_format in formats.items():
        sheet, _, cells = area.partition("!")
        found = book[sheet][cells]
        for row in found if isinstance(found, tuple) else ((found,),):
            for cell in row:
                cell.number_format = number_format
    for area in merges:
        sheet, _, cells = area.partition("!")
        book[sheet].merge_cells(cells)
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    """Return a workbook's bytes, the same in every process: openpyxl writes the clock's time."""
    book.properties.created = MADE
    content = io.BytesIO()
    book.save(content)
    book.properties.modified = MADE  # saving sets the clock's time
    core = {"docProps/core.xml": tostring(book.properties.to_tree())}
    return zipped(unzipped(content.getvalue()) | core)


def zipped(parts: Mapping[str, bytes], *, deflated: bool = False) -> bytes:
    """Return a zip file of these parts, without the time of its making.

    Stored unless it must be deflated: builds of zlib compress to different bytes.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name, part in parts.items():
            entry = zipfile.ZipInfo(name, MADE.timetuple()[:6])
            entry.create_system = 0
            entry.compress_type = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
            package.writestr(entry, part)
    return content.getvalue()


def unzipped(content: bytes) -> dict[str, bytes]:
    """Return the parts of a zip file, in its order."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


def edited(content: bytes, part: str, edit: Callable[[bytes], bytes]) -> bytes:
    """Return a workbook with one part of its zip file edited, for what openpyxl cannot write."""
    parts = unzipped(content)
    return zipped(parts | {part: edit(parts[part])})


def csv_bytes(
    rows: Sequence[Sequence[object]],
    *,
    encoding: str = "utf-8",
    bom: bool = False,
    delimiter: str = ",",
) -> bytes:
    """Return a delimited text; `bom` puts a byte-order mark before it."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return (("\ufeff" if bom else "") + text.getvalue()).encode(encoding)


def page(tables: Sequence[Sequence[Sequence[str]]], *, head: str = "") -> bytes:
    """Return an HTML page; a cell that begins with <td or <th is taken as it is."""
    drawn = "".join(
        "<table>"
        + "".join(
            "<tr>"
            + "".join(
                cell if cell.startswith(("<td", "<th")) else f"<td>{cell}</td>" for cell in row
            )
            + "</tr>\n"
            for row in rows
        )
        + "</table>\n"
        for rows in tables
    )
    return f"<html><head>{head}</head><body>{drawn}</body></html>".encode()


# -- reading ---------------------------------------------------------------------------------------


@functools.cache
def source(name: str) -> Source:
    """Return a source as the project declares it."""
    return sources(SOURCES)[name]


def attributes_of(name: str) -> dict[str, Any]:
    """Return a source's declared attributes, to be changed by a test."""
    declared = yaml.safe_load((SOURCES / name / "defs.yaml").read_text(encoding="utf-8"))
    return copy.deepcopy(declared["attributes"])


def declared(
    table: Mapping[str, Any], *, container: str = "csv", more: Sequence[Any] = (), **layout: Any
) -> Source:
    """Return a source with one small table (and further layouts), without a file."""
    named = {"name": "tiny", "container": container, "valid_from": "2000-01-01", **layout}
    return parse_source(
        "tiny",
        {
            "title": "Tiny",
            "publisher": "Nobody",
            "url": "https://example.com",
            "universe": "none",
            "week": {"ends": "friday", "first": "2000-01-07"},
            "layouts": [{**named, "tables": [{"name": "only", **table}]}, *more],
        },
        "tiny/defs.yaml",
    )


def read_as(source: Source, name: str, content: bytes, received: dt.datetime = RECEIVED) -> Reading:
    """Read bytes as a report of a given source."""
    report_id = hashlib.sha256(content).hexdigest()
    return read_report(source, Report(source.name, report_id, name, received), content)


def read_bytes(
    source_name: str, name: str, content: bytes, received: dt.datetime = RECEIVED
) -> Reading:
    """Read bytes as a report of a source of the project."""
    return read_as(source(source_name), name, content, received)


def in_folder(source_name: str, name: str) -> bytes:
    """Return a golden report that stands in its source's folder."""
    return (SOURCES / source_name / "golden" / name).read_bytes()


def readings_of(source_name: str) -> dict[str, Reading]:
    """Return what the golden reports in a source's folder say, by the name of the file."""
    files = sorted((SOURCES / source_name / "golden").iterdir(), key=lambda file: file.name)
    return {
        file.name: read_bytes(source_name, file.name, file.read_bytes())
        for file in files
        if file.name != "golden.csv"
    }


def numbers(observations: pl.DataFrame) -> pl.DataFrame:
    """Return the observations that are not those of refused numbers."""
    return observations.filter(~is_refused())


def rows_of(reading: Reading, **where: object) -> list[dict[str, Any]]:
    """Return what was read, of columns with the given values, as dictionaries: nothing refused."""
    wanted = [pl.col(name).eq_missing(pl.lit(value)) for name, value in where.items()]
    return numbers(reading.observations).filter(pl.lit(value=True), *wanted).rows(named=True)


def only(reading: Reading, **where: object) -> dict[str, Any]:
    """Return the one observation whose columns have the given values."""
    (row,) = rows_of(reading, **where)
    return row


# -- the weekly workbook of coinshares -------------------------------------------------------------

SOLANA = {
    "2025-11-16T02:09Z": "sol_asof_20251116T0209Z.csv",
    "2025-12-03T20:00Z": "sol_asof_20251203T2000Z.csv",
}
"""Two vintages of a page whose window moves on, by when they were seen."""
WEEK = dt.date(2023, 5, 12)
KEYS = {
    "By asset": "Asset",
    "By provider": "Provider",
    "By exchange country": "Exchange country",
}
FIGURES = ("Week flow (US$m)", "MTD flow (US$m)", "YTD flow (US$m)", "AUM (US$m)")
TOTAL = ["Total", -53.7, -80.0, -150.0, 30000.0]
FIGURES_OF_THE_WEEK: dict[str, list[list[Any]]] = {
    "By asset": [
        ["Bitcoin", -37.5, -62.0, -180.0, 20400.0],
        ["Short Bitcoin", -10.4, -12.5, 40.0, 100.0],
        ["Multi-asset", -6.7, -8.0, -25.0, 2500.0],
        ["Binance", -0.5, -0.5, 1.0, 150.0],
        ["Ethereum", 0.2, 1.0, -2.0, 6000.0],
        ["Tron", 0.2, 0.3, 4.0, 50.0],
        ["Cardano", 0.5, 0.7, 5.0, 100.0],
        ["Other", 0.5, 1.0, 7.0, 700.0],
        TOTAL,
    ],
    "By provider": [
        ["21Shares", -20.0, -30.0, -50.0, 2000.0],
        ["ProShares", -12.0, -15.0, -45.0, 1500.0],
        ["ETC Group", -9.5, -12.0, -20.0, 1000.0],
        ["Purpose", -7.2, -11.0, -20.0, 1500.0],
        ["Grayscale", 0.0, 0.0, 0.0, 20000.0],
        ["Other", -5.0, -12.0, -15.0, 4000.0],
        TOTAL,
    ],
    "By exchange country": [
        ["Germany", -30.5, -40.0, -60.0, 3000.0],
        ["United States", -12.4, -20.0, -40.0, 20000.0],
        ["Brazil", -7.0, -9.0, -20.0, 500.0],
        ["Switzerland", -4.2, -8.0, -25.0, 2500.0],
        ["Sweden", -0.4, -4.0, -6.0, 1500.0],
        ["Australia", 0.7, 0.5, 0.5, 100.0],
        ["Canada", 0.2, 0.5, 0.5, 2400.0],
        TOTAL,
    ],
}
HEADER_ROW = 5
"""The row of the header in a clean workbook; Bitcoin is in the row below it, its flow in B6."""


def weekly_sheets(changes: Mapping[str, Any] = {}) -> dict[str, list[list[Any]]]:
    """Return the sheets of the weekly workbook; `changes` sets cells, named as "By asset!B6"."""
    sheets: dict[str, list[list[Any]]] = {}
    for name, figures in FIGURES_OF_THE_WEEK.items():
        sheets[name] = [
            ["Data as of", WEEK],
            ["Published", WEEK + dt.timedelta(days=3)],
            ["Rows", "complete"],
            [],
            [KEYS[name], *FIGURES],
            *copy.deepcopy(figures),
        ]
    for place, value in changes.items():
        sheet, _, cell = place.partition("!")
        row, column = openpyxl.utils.cell.coordinate_to_tuple(cell)
        cells = sheets[sheet][row - 1]
        cells += [None] * (column - len(cells))
        cells[column - 1] = value
    return sheets


def weekly(
    changes: Mapping[str, Any] = {},
    *,
    formats: Mapping[str, str] = {},
    down: int = 0,
    right: int = 0,
    without: Collection[str] = (),
    hidden: Collection[str] = (),
) -> bytes:
    """Return a weekly workbook with some cells changed, moved, or without some sheets."""
    sheets = {
        name: [[]] * down + [[None] * right + row for row in rows]
        for name, rows in weekly_sheets(changes).items()
        if name not in without
    }
    figures = openpyxl.utils.get_column_letter
    first, last = f"{figures(2 + right)}{1 + HEADER_ROW + down}", f"{figures(5 + right)}{30 + down}"
    shown = {f"{name}!{first}:{last}": "#,##0.0" for name in sheets}
    return workbook(sheets, formats={**shown, **formats}, hidden=hidden)


CLEAN = weekly()
HEADER_MOVED = weekly(down=7, right=2)
UNKNOWN_COLUMN = weekly({"By asset!F5": "QTD flow (US$m)", "By asset!F6": -70.0})
MISSING_COLUMN = weekly({f"By provider!E{row}": None for row in range(5, 13)})
SHEET_MISSING = weekly(without={"By exchange country"})
TEXT_NUMBER = weekly({"By asset!B11": "twelve"})
UNKNOWN_LABEL = weekly({"By asset!A12": "Moonshot"})
NEVER_CALCULATED = weekly({"By asset!B14": "=SUM(B6:B13)"})
TOTAL_OFF = weekly({"By asset!B14": -54.7})

# -- a page and a history in the manner of Farside -------------------------------------------------

LOGOS = [f'<img src="logo.jpg" alt="{name}">' for name in ("Blackrock", "Fidelity", "Grayscale")]
FARSIDE_HEADER = [
    ["&nbsp;", *LOGOS, "Total"],
    ["", "IBIT", "FBTC", "GBTC", ""],
    ["Fee", "0.25%", "0.25%", "1.50%", ""],
]
FARSIDE_DAYS = [
    ["13 Jan 2026", "10.0", "(2.5)", "-", "7.5"],
    ["14 Jan 2026", "1,119.9", "0.0", "(20.0)", "1,099.9"],
    ["15 Jan 2026", "5.0", "5.0", "(1.5)", "8.5"],
]
FARSIDE_IN_PROGRESS = ["16 Jan 2026", "-", "-", "-", "0.0"]
FARSIDE_FOOTER = [
    ["Total", "1,135", "3", "(22)", "1,116"],
    ["Average", "378.3", "0.8", "(10.8)", "372.0"],
    ["Maximum", "1,119.9", "5.0", "(1.5)", "1,099.9"],
    ["Minimum", "5.0", "(2.5)", "(20.0)", "7.5"],
]
FARSIDE_ROWS = [*FARSIDE_HEADER, *FARSIDE_DAYS, FARSIDE_IN_PROGRESS, *FARSIDE_FOOTER]
FARSIDE_PAGE = page([FARSIDE_ROWS])


def history(header: str, *days: str) -> bytes:
    """Return a history of daily flows as CSV, from its lines."""
    return "\n".join([header, *days, ""]).encode()


FARSIDE_HISTORY = in_folder("farside_btc", "btc.csv")

# -- NAV histories ---------------------------------------------------------------------------------

NAV_HISTORY = in_folder("canary", "HBR.csv")
NAV_HISTORY_IN_THOUSANDS = in_folder("proshares", "EXA.csv")
"""Newest first."""

# -- weekly estimates in the manner of ICI ---------------------------------------------------------

ICI_CLASSES = (
    "Equity",
    "Equity/Domestic",
    "Equity/World",
    "Hybrid",
    "Bond",
    "Bond/Taxable",
    "Bond/Municipal",
    "Commodity",
    "Total",
)
ICI_WEEKS: dict[str, tuple[int, ...]] = {
    # Sums of rounded millions: Equity is one off in the first week, the total in the second.
    "2023-11-15": (-101, -70, -30, -40, 250, 200, 50, 5, 115),
    "2023-11-21": (-90, -60, -30, -20, 80, 60, 20, -10, -41),
    "2023-11-29": (300, 100, 200, -5, -45, -50, 5, 0, 250),
    "2023-12-06": (10, 20, -10, 0, 30, 30, 0, 1, 41),
}


def ici_release(
    changes: Mapping[tuple[str, str], object] = {}, *, weeks: Collection[str] = tuple(ICI_WEEKS)
) -> bytes:
    """Return a release as the CSV file of the source `ici`; `changes` sets a week's class."""
    rows = [
        ["2023-12-13", "combined_mf_etf", week, name, changes.get((week, name), flow), "example"]
        for place, name in enumerate(ICI_CLASSES)
        for week in weeks
        for flow in [ICI_WEEKS[week][place]]
    ]
    header = ["release_date", "report", "week_ended", "category", "flow_usd_m", "source_url"]
    return csv_bytes([header, *rows])
