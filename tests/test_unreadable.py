"""Bytes that are no report: one error that says what they are, where, and what to do."""

from __future__ import annotations

import io
import zipfile

import golden
import pytest

from pipelines.errors import FundflowsError, UnreadableReport

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def flipped(content: bytes) -> bytes:
    """Return the workbook with a damaged stretch inside the data of its largest part."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        largest = max(package.infolist(), key=lambda part: part.compress_size)
    at = largest.header_offset + 30 + len(largest.filename) + largest.compress_size // 3
    return content[:at] + bytes(byte ^ 0xFF for byte in content[at : at + 16]) + content[at + 16 :]


DEFLATED = golden.zipped(golden.unzipped(golden.CLEAN), deflated=True)
SHEET = "xl/worksheets/sheet1.xml"
CASES = {
    "empty": (b"", "is empty", "fetch the report again"),
    "white space": (b" \r\n\t\n", "is empty", "fetch the report again"),
    "zeros": (bytes(4096), "is empty", "fetch the report again"),
    "only a BOM": (b"\xef\xbb\xbf\r\n", "is empty", "fetch the report again"),
    "zip without workbook": (
        golden.zipped({"a": b"1,2"}),
        "not an Excel workbook",
        "save it as .xlsx",
    ),
    "zip that is a document": (
        golden.zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}),
        "not an Excel workbook",
        "save it as .xlsx",
    ),
    "truncated": (golden.CLEAN[:-200], "truncated", "copy the file again"),
    "half": (golden.CLEAN[: len(golden.CLEAN) // 2], "truncated", "copy the file again"),
    "first bytes": (golden.CLEAN[:4], "truncated", "copy the file again"),
    "damaged": (flipped(golden.CLEAN), "workbook", ""),
    "damaged inside a deflated part": (flipped(DEFLATED), "workbook", ""),
    "sheet cut": (
        golden.edited(golden.CLEAN, SHEET, lambda sheet: sheet[: len(sheet) // 2]),
        "workbook",
        "",
    ),
    "sheet empty": (golden.edited(golden.CLEAN, SHEET, lambda sheet: b""), "workbook", ""),
    "password": (
        OLE + "EncryptedPackage".encode("utf-16-le") + bytes(64),
        "password-protected",
        "remove the password",
    ),
    "old xls": (
        OLE + "Workbook".encode("utf-16-le") + bytes(64),
        "old binary .xls",
        "save it as .xlsx",
    ),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "neither a workbook nor text", "by hand"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "neither a workbook nor text", "by hand"),
    "gzip": (b"\x1f\x8b\x08\x08abcdefgh\x03", "neither a workbook nor text", "by hand"),
}


@pytest.mark.parametrize("case", CASES)
def test_bytes_that_are_no_report_are_named(case):
    content, what, fix = CASES[case]
    with pytest.raises(UnreadableReport) as refused:
        golden.read_bytes("coinshares", "2023-05-12.xlsx", content)
    error = refused.value
    assert what in error.what
    assert fix in error.fix
    assert "source coinshares, file 2023-05-12.xlsx" in str(error)
    for heading in ("where:", "expected:", "found:", "what to do:"):
        assert heading in str(error)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b'Date,IBIT,Total\n16 Jan 2026,"1.0\n', "CSV file is broken"),
        (b"<html><body><p>Please enable JavaScript</p></body></html>", "no table"),
        (b"<!DOCTYPE html>\n", "no table"),
        (b"<!-- saved page -->", "no table"),
        (b"<", "no table"),
    ],
)
def test_a_broken_text_or_a_page_without_table_is_named(content, what):
    with pytest.raises(UnreadableReport) as refused:
        golden.read_bytes("farside_btc", "btc.csv", content)
    assert what in refused.value.what
    assert "file btc.csv" in str(refused.value)


@pytest.mark.parametrize("workbook", ["stored", "deflated"])
@pytest.mark.parametrize("percent", range(0, 100, 5))
def test_a_workbook_cut_anywhere_is_refused_as_a_report(workbook, percent):
    whole = {"stored": golden.CLEAN, "deflated": DEFLATED}[workbook]
    with pytest.raises(FundflowsError):
        golden.read_bytes("coinshares", "cut.xlsx", whole[: len(whole) * percent // 100])


def test_a_workbook_is_read_alike_however_it_is_packed():
    stored, deflated = (
        golden.read_bytes("coinshares", "2023-05-12.xlsx", each).observations.drop("report_id")
        for each in (golden.CLEAN, DEFLATED)
    )
    assert stored.equals(deflated)
    assert not stored.is_empty()


def test_the_container_is_told_by_the_bytes_and_not_by_the_name():
    reading = golden.read_bytes("coinshares", "report.csv", golden.CLEAN)
    assert reading.layout.container == "xlsx"
