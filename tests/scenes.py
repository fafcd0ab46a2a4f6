"""What the pages presume: the files and rows that are there before an example is run.

`before(place)` names the example in front of which a scene is set. Reports are the samples with a
cell or two changed; whatever a scene runs counts as printed on the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import golden
import openpyxl
from checkout import Checkout

Scene = Callable[[Checkout], None]
SCENES: dict[str, Scene] = {}
STAND_INS = {
    "FILE": "samples/reports/coinshares/coinshares_2026-01-23.xlsx",
    "NEW_FILE": "samples/reports/coinshares/coinshares_2026-03-13.xlsx",
    "OLD_FILE": "samples/reports/coinshares/coinshares_2023-05-12.xlsx",
}
"""What is typed for a word in capitals."""


def before(place: str) -> Callable[[Scene], Scene]:
    """Set a scene in front of an example."""

    def named(scene: Scene) -> Scene:
        SCENES[place] = scene
        return scene

    return named


def workbook(checkout: Checkout, name: str, changes: Mapping[str, object]) -> Path:
    """Write the workbook of the one whole sample week with changed cells such as "By asset!B7"."""
    book = openpyxl.load_workbook(checkout.root / STAND_INS["OLD_FILE"])
    for place, value in changes.items():
        sheet, _, cell = place.partition("!")
        book[sheet][cell] = value
    file = checkout.root / name
    book.save(file)
    return file


@before("docs/a-header-changed.md | A header changed | 2")
def a_new_column(checkout: Checkout) -> None:
    changes = {"By asset!G6": "Week volume (US$m)", "By asset!G7": 1200}
    workbook(checkout, "newcol.xlsx", changes)
    checkout.run("fundflows layout coinshares newcol.xlsx")


@before("docs/a-report-was-refused.md | A report was refused | 1")
def three_bad_workbooks(checkout: Checkout) -> None:
    sheets = ("By asset", "By provider", "By exchange country")
    quoted = {f"{sheet}!B4": "as quoted" for sheet in sheets}
    workbook(checkout, "lots.xlsx", {"By asset!B7": "lots"} | quoted)
    workbook(checkout, "label.xlsx", {"By asset!A14": "Newcoin"})
    workbook(checkout, "total.xlsx", {"By asset!B16": -73.7, "By exchange country!B16": None})
    checkout.run("fundflows add coinshares lots.xlsx label.xlsx")
    checkout.run("fundflows add coinshares total.xlsx --published 2023-05-17")  # the newest
    checkout.run("fundflows run")


@before("docs/a-report-was-refused.md | A report is on hold | 1")
def a_history_without_its_first_week(checkout: Checkout) -> None:
    history = (checkout.root / "samples/reports/canary/HBR.csv").read_text(encoding="utf-8")
    lines = history.splitlines(keepends=True)
    later = [line for line in lines if not "2025-10-27" <= line[:10] < "2025-11-03"]
    (checkout.root / "HBR.csv").write_text("".join(later), encoding="utf-8")
    checkout.run("fundflows add canary HBR.csv")


@before("docs/a-report-was-refused.md | A report is on hold | 2")
def the_history_of_another_fund(checkout: Checkout) -> None:
    history = (checkout.root / "samples/reports/canary/XRPC.csv").read_text(encoding="utf-8")
    (checkout.root / "HBR.csv").write_text(f"{history}\n", encoding="utf-8")
    checkout.run("fundflows add canary HBR.csv")


@before("docs/a-report-was-refused.md | Numbers would vanish | 1")
def a_renamed_folder(checkout: Checkout) -> None:
    folder = checkout.root / "pipelines/defs/sources/farside_btc"
    renamed = folder.rename(folder.with_name("farside"))
    checkout.run("fundflows run")
    renamed.rename(folder)


@before("docs/a-report-was-refused.md | Nothing was published (`BuildError`) | 1")
def one_label_twice(checkout: Checkout) -> None:
    checkout.append("sql/reference/alias.csv  asset,bitcoin,BTC,1900-01-01,,")
    checkout.run("fundflows run")


@before("docs/a-week-was-restated.md | A week was restated | 1")
def a_restated_workbook(checkout: Checkout) -> None:
    changes = {"By asset!B7": -38.5, "By asset!B15": 1.5}
    workbook(checkout, "coinshares_2023-05-12.xlsx", changes)


@before("docs/a-week-was-restated.md | Which vintage is the last | 1")
def an_old_file(checkout: Checkout) -> None:
    file = checkout.root / "btc_2026-02-03.csv"
    file.write_bytes(golden.history("Date,IBIT,FBTC,Total", "02 Feb 2026,7.0,1.0,8.0"))


LEDGER = (
    "correction,printed_table,dimension,label,measure,period,period_end,expected_value,"
    "corrected_value,half_unit,reason,read_from,corrected_by,corrected_on,withdrawn_on"
)


@before("docs/a-week-was-restated.md | The publisher is wrong, and stays wrong | 2")
def a_correction_that_is_overtaken(checkout: Checkout) -> None:
    line = (
        "press-2023-05-12-us,by_country,country,United States,net_flow,week,2023-05-12,"
        "12400000000,-12400000,50000,billion for million,the press,desk,2023-05-16,"
    )
    ledger = checkout.root / "pipelines/defs/sources/coinshares/corrections.csv"
    ledger.write_text(f"{LEDGER}\n{line}\n", encoding="utf-8")
    checkout.run("fundflows run")


@before("docs/add-a-source.md | 1. Begin with the least | 1")
def the_workbook_of_the_example(checkout: Checkout) -> None:
    days = ("22 Jan 2026", "23 Jan 2026", "26 Jan 2026", "27 Jan 2026", "28 Jan 2026")
    flows = [(12.4, 1.0, 13.4), (-3.1, 0.0, -3.1), (2.0, 0.5, 2.5), (4.0, 0.0, 4.0)]
    assets = [(4.312, 1.204), (4.287, 1.198), (4.290, 1.200), (4.300, 1.195), (4.298, 1.192)]
    book = {
        "Flows": [
            ["Example Funds: net creations by day, US$m"],
            ["Published", "29 January 2026"],
            [],
            ["Day", "EXBT", "EXET", "All funds", "Note"],
            *([day, *row] for day, row in zip(days, flows, strict=False)),
            [days[-1], -1.9, "-", -1.9, "EXET late"],
            [],
            ["Source: Example Funds"],
        ],
        "Assets": [
            ["Example Funds: net assets by day, US$bn"],
            [],
            ["Day", "EXBT", "EXET"],
            *([day, *row] for day, row in zip(days, assets, strict=True)),
            [],
            ["Source: Example Funds"],
        ],
    }
    formats = {"Flows!B5:D9": "0.0;(0.0)", "Assets!B4:C8": "0.000"}
    content = golden.workbook(book, formats=formats)
    (checkout.root / "example_2026-01-28.xlsx").write_bytes(content)
