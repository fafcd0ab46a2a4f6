"""Containers become grids: one module per container, each with a function `read` of its bytes.

The bytes decide which container it is, never the file's name. What a cell means is not decided
here.
"""

from __future__ import annotations

import re
from importlib import import_module

from pipelines.errors import UnreadableReport
from pipelines.layouts.language import Container
from pipelines.reading.grid import Grid

_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")


def container_of(content: bytes) -> Container:
    """Return the container, by the bytes and never by the file's name.

    Raises:
        UnreadableReport: empty, password-protected, an old binary workbook, or not text.
    """
    body = content.removeprefix(b"\xef\xbb\xbf")
    if not body.strip(b"\x00 \t\r\n\xff\xfe"):
        raise UnreadableReport(
            "The file is empty.",
            expected="a report of some bytes",
            found=f"{len(content)} bytes, all blank",
            fix="fetch the report again and drop it into the inbox",
        )
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise _ole_error(content)
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "xlsx"
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    head = (
        content[:4096].decode("utf-16", errors="replace") if wide else body[:4096].decode("latin-1")
    )
    if head.lstrip("\ufeff \t\r\n").startswith("<"):
        return "html"
    if _BINARY.search(head) or head.startswith("%PDF"):
        raise UnreadableReport(
            "The file is neither a workbook nor text.",
            expected="an Excel workbook (.xlsx), a CSV file or an HTML page",
            found=f"binary data beginning with {content[:8]!r}",
            fix="open it by hand; save it as .xlsx, .csv or .html and add it again",
        )
    return "csv"


def _ole_error(content: bytes) -> UnreadableReport:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return UnreadableReport(
            "The workbook is password-protected.",
            expected="a workbook that opens without a password",
            found="an encrypted package",
            fix="open it in Excel, remove the password (File > Info > Protect), add it again",
        )
    return UnreadableReport(
        "The workbook is in the old binary .xls format.",
        expected="an Excel workbook in the .xlsx format",
        found="an OLE compound file",
        fix="open it in Excel or LibreOffice, save it as .xlsx and add it again",
    )


def read(content: bytes, container: Container) -> list[Grid]:
    """Read the grids of a report, in the order in which they are printed.

    Raises:
        UnreadableReport: when the bytes are not a whole file of that container.
    """
    grids: list[Grid] = import_module(f"{__name__}.{container}").read(content)
    return grids
