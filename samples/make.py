"""Sample reports, built from the cited figures in `figures/`: run `python samples/make.py`.

The figures are facts that publishers and the press printed; the form of the reports is made here
(README.md says which is which). No figure is computed, rounded or typed in this file, and two
runs write the same bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from itertools import groupby
from pathlib import Path

from pipelines.ingest.form import write_workbook
from pipelines.ingest.sources import sources

HERE = Path(__file__).parent
FIGURES = HERE / "figures"
REPORTS = HERE / "reports"

# When each report could first be read. A weekly report comes out on its printed date.
WEEKLY_HOUR = "14:00:00Z"
PAGE_SEEN = "2026-01-31T06:00:00Z"
NAV_SEEN = "2026-01-31T12:00:00Z"

NOT_REPORTED = "-"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>US spot bitcoin ETF flows</title>
<style>
body {{ font: 14px/1.4 sans-serif; margin: 2em; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: 2px 8px; text-align: right; white-space: nowrap; }}
th:first-child, td:first-child {{ text-align: left; }}
thead {{ background: #eaeffa; }}
.out {{ color: #b00020; }}
</style>
</head>
<body>
<h1>US spot bitcoin ETF flows (US$m)</h1>
<p>Figures as printed by Farside Investors, <a href="{url}">{url}</a>; this page is a sample.</p>
<table>
<thead>
{head}
</thead>
<tbody>
{body}
</tbody>
</table>
</body>
</html>
"""

Figure = dict[str, str]


def build(reports: Path = REPORTS) -> list[Path]:
    """Write all sample reports and the list of when each was received; return the reports."""
    made = [*weekly_workbooks(reports), farside_page(reports), *nav_files(reports)]
    received = [(file.parent.name, file.name, *[_published(file)] * 2) for file in made]
    _write_csv(reports / "received.csv", ("source", "file", "published", "received"), received)
    return made


def figures(name: str) -> list[Figure]:
    """Return the figures of a file, in its order."""
    with (FIGURES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# -- the weekly workbook -------------------------------------------------------------------------


def weekly_workbooks(reports: Path) -> list[Path]:
    """Write a workbook per week from the layout that reads it."""
    source = sources()["coinshares"]
    folder = _folder(reports, source.name)
    files = []
    for week, cited in groupby(figures(source.name), lambda figure: figure["week_ending"]):
        of_week = list(cited)
        files.append(folder / f"{source.name}_{week}.xlsx")
        facts = {
            "as_of": dt.date.fromisoformat(week),
            "published": dt.date.fromisoformat(of_week[0]["published"]),
            "completeness": of_week[0]["completeness"],
        }
        layout = source.layouts[0]
        keys = {table.name: table.key_column for table in layout.tables}
        rows = {name: _rows_of(of_week, name, key) for name, key in keys.items()}
        write_workbook(source, layout, files[-1], facts=facts, rows=rows)
    return files


def _rows_of(cited: Iterable[Figure], table: str, key: str) -> list[dict[str, object]]:
    """Return the rows of a table: a label's figures, and where each was read."""
    members: dict[str, list[Figure]] = {}
    for figure in cited:
        if figure["table"] == table:
            members.setdefault(figure["label"], []).append(figure)
    return [
        {key: label, "Read from": _read_from(of_label)}
        | {figure["column"]: _typed(figure["printed"]) for figure in of_label}
        for label, of_label in members.items()
    ]


def _read_from(cited: list[Figure]) -> str:
    places = {figure["column"]: figure["read_from"] for figure in cited}
    if len(set(places.values())) == 1:
        return cited[0]["read_from"]
    return "; ".join(f"{column}: {place}" for column, place in places.items())


def _typed(printed: str) -> Decimal | str:
    """Return a plain number as a number; "-1.09bn" and "not declared" stay as printed."""
    try:
        return Decimal(printed)
    except InvalidOperation:
        return printed


# -- the daily page ------------------------------------------------------------------------------


def farside_page(reports: Path) -> Path:
    """Write the page: logos, tickers and fees above one row per day."""
    cited = figures("farside_btc")
    funds = list(dict.fromkeys(figure["fund"] for figure in cited))
    of_fund = {figure["fund"]: figure for figure in cited}
    members = [fund for fund in funds if of_fund[fund]["issuer"]]
    head = [
        ["", *(_logo(of_fund[fund]["issuer"]) for fund in members), "Total"],
        ["", *members, ""],
        ["Fee", *(of_fund[fund]["fee"] for fund in members), ""],
    ]
    page = PAGE.format(
        url=cited[0]["read_from"],
        head="\n".join(_tr("th", cells) for cells in head),
        body="\n".join(_tr("td", cells) for cells in _days(cited, [*members, "Total"])),
    )
    file = _folder(reports, "farside_btc") / "btc.html"
    file.write_text(page, encoding="utf-8", newline="\n")
    return file


def _days(cited: list[Figure], columns: list[str]) -> Iterable[list[str]]:
    for day, of_day in groupby(cited, lambda figure: figure["date"]):
        printed = {figure["fund"]: figure["printed"] for figure in of_day}
        yield [
            f"{dt.date.fromisoformat(day):%d %b %Y}",
            *(_flow(printed.get(column, "")) for column in columns),
        ]


def _flow(printed: str) -> str:
    """Return a flow as the page prints it: outflows in parentheses, a dash for not reported."""
    if not printed:
        return NOT_REPORTED
    number = Decimal(printed)
    return f'<span class="out">({-number:,})</span>' if number < 0 else f"{number:,}"


def _logo(issuer: str) -> str:
    return f'<img alt="{html.escape(issuer)}">'


def _tr(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"


# -- the NAV files -------------------------------------------------------------------------------


def nav_files(reports: Path) -> list[Path]:
    """Write a NAV history per fund."""
    columns = ("date", "shares_outstanding", "nav", "net_assets")
    by_fund: dict[str, list[Figure]] = {}
    for figure in figures("nav_history"):
        by_fund.setdefault(figure["fund"], []).append(figure)
    files = []
    for fund, cited in by_fund.items():
        files.append(_folder(reports, "canary") / f"{fund}.csv")
        rows = ([figure[column] for column in columns] for figure in cited)
        _write_csv(files[-1], columns, rows)
    return files


# -- files ---------------------------------------------------------------------------------------


def _published(file: Path) -> str:
    if file.suffix == ".html":
        return PAGE_SEEN
    if file.suffix == ".csv":
        return NAV_SEEN
    week = file.stem.rpartition("_")[2]
    published = {figure["week_ending"]: figure["published"] for figure in figures("coinshares")}
    return f"{published[week]}T{WEEKLY_HOUR}"


def _folder(reports: Path, source: str) -> Path:
    folder = reports / source
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_csv(file: Path, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    file.write_text(text.getvalue(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    for report in build():
        print(report)
