"""Bytes that are no report: one error that says what they are, where, and what to do."""

from __future__ import annotations

import io
import re
import zipfile

import golden
import pytest

from pipelines.errors import FundflowsError, ShapeError, UnreadableReport
from pipelines.reading import containers

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
    "zip without anything": (golden.zipped({}), "not an Excel workbook", "unpack it"),
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


def far(name: str) -> bytes:
    """Return the golden workbook with one more cell in its first sheet."""
    row = re.sub("[A-Z]", "", name)
    cell = f'<row r="{row}"><c r="{name}"><v>1</v></c></row></sheetData>'.encode()
    return golden.edited(golden.CLEAN, SHEET, lambda sheet: sheet.replace(b"</sheetData>", cell))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (far("A1048576"), "as far as E1048576"),
        (far("XFD20"), "as far as XFD20"),
        (far("XFD1048576"), "as far as XFD1048576"),
        (
            golden.edited(
                golden.CLEAN,
                SHEET,
                lambda sheet: sheet.replace(
                    b"</sheetData>",
                    b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
                ),
            ),
            "cells merged over A1:XFD1048576",
        ),
    ],
)
def test_a_sheet_that_a_stray_cell_makes_endless_is_refused(content, found):
    with pytest.raises(UnreadableReport) as refused:
        golden.read_bytes("coinshares", "far.xlsx", content)
    assert found in refused.value.found


def test_an_empty_cell_far_away_changes_nothing():
    cell = b'<c r="XFD1048576"><v>1</v></c>'
    formatted = golden.edited(
        far("XFD1048576"), SHEET, lambda sheet: sheet.replace(cell, b'<c r="XFD1048576"/>')
    )
    near, whole = (
        golden.read_bytes("coinshares", "2023-05-12.xlsx", each).observations.drop("report_id")
        for each in (golden.CLEAN, formatted)
    )
    assert near.equals(whole)


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


@pytest.mark.parametrize("source", ["farside_btc", "canary", "coinshares"])
def test_a_zip_of_something_else_is_named_with_what_is_in_it(source):
    """Also for a source that is no workbook: no layout for xlsx is not what is wrong with it."""
    content = golden.zipped({"HBR.csv": golden.NAV_HISTORY, "notes.txt": b"fees"}, deflated=True)
    with pytest.raises(UnreadableReport) as refused:
        golden.read_bytes(source, "reports.zip", content)
    assert "not an Excel workbook" in refused.value.what
    assert refused.value.found == "HBR.csv, notes.txt in it"
    assert "unpack it" in refused.value.fix


# -- encodings -------------------------------------------------------------------------------------

LINES = "date,shares_outstanding,nav,net_assets\n2026-01-15,40000.0,25.0,1000000.0\n"
SECOND = "2026-01-16,50000.0,25.5,1275000.0 {}\n"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_read(encoding):
    reading = golden.read_bytes("canary", "HBR.csv", LINES.encode(encoding))
    assert reading.observations.height == 3


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ((LINES + SECOND.format("純流入")).encode("shift_jis"), "byte 0x8F in line 3"),
        ((LINES + SECOND.format("Ł")).encode("cp1252", "replace") + b"\x81", "0x81 in line 4"),
        ((LINES + SECOND.format("Zürich, Genève")).encode() + b"\xe9", "byte 0xE9 in line 4"),
        (b"\xef\xbb\xbf" + LINES.encode() + b"\xe9", "byte 0xE9 in line 3"),
        (LINES.encode("cp037"), "byte 0x81 in line 1"),
    ],
)
def test_bytes_that_their_encoding_does_not_have_are_named_with_their_line(content, found):
    with pytest.raises(UnreadableReport, match="in an encoding that is not known") as refused:
        golden.read_bytes("canary", "HBR.csv", content)
    assert found in refused.value.found
    assert "UTF-8" in refused.value.fix


def test_a_header_in_another_encoding_than_was_assumed_says_which_was():
    content = LINES.replace("date", "日期").encode("gb18030")
    with pytest.raises(ShapeError) as refused:
        golden.read_bytes("canary", "HBR.csv", content)
    assert "(not UTF-8, read as Windows-1252)" in refused.value.found


@pytest.mark.parametrize("charset", ["shift_jis", "gb18030", "windows-1251", "UTF-8", "latin1"])
def test_a_page_is_read_in_the_encoding_that_it_declares(charset):
    head = f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">'
    rows = [["Date", "IBIT"], ["05 Jan 2026", "1.5"]]
    content = golden.page([rows], head=head).decode()
    text = {"shift_jis": "日付", "gb18030": "日期", "windows-1251": "дата"}.get(charset, "é–")
    (grid,) = containers.read(
        content.replace("Date", text).encode("cp1252" if charset == "latin1" else charset), "html"
    )
    assert grid.rows[0][0].text == text


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('a,b\n1,2\n3,"4\n5,6\n', "in the record that begins in line 3"),
        ('a,b\n1,"2"3\n', "in the record that begins in line 2"),
        ('a,b\r1,2\r3,"4', "in the record that begins in line 3"),
    ],
)
def test_a_broken_record_of_a_csv_file_is_named_with_its_line(content, found):
    with pytest.raises(UnreadableReport, match="CSV file is broken") as refused:
        golden.read_bytes("canary", "HBR.csv", content.encode())
    assert found in refused.value.found


def test_the_container_is_told_by_the_bytes_and_not_by_the_name():
    reading = golden.read_bytes("coinshares", "report.csv", golden.CLEAN)
    assert reading.layout.container == "xlsx"
