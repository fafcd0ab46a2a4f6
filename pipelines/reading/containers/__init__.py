"""Containers become grids: one module per container, each with a function `read` of its bytes.

The bytes decide which container it is, never the file's name. What a cell means is not decided
here.
"""

from __future__ import annotations

import io
import re
import zipfile
from importlib import import_module

from pipelines.errors import UnreadableReport
from pipelines.layouts.language import Container
from pipelines.reading.containers.encoding import encoding_of
from pipelines.reading.grid import Grid

_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")
_WORKBOOK = re.compile(r"(?:^|/)workbook\.(?:xml|bin)$", re.IGNORECASE)
_NAMED = 5
"""So many files of a zip archive are named in an error."""


def container_of(content: bytes) -> Container:
    """Return the container, by the bytes and never by the file's name.

    Raises:
        UnreadableReport: empty, password-protected, an old binary workbook, a zip archive of other
            files, or not text.
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
        _refuse_other_zip(content)
        return "xlsx"
    encoding = encoding_of(content)
    is_wide = encoding.startswith("utf-16")
    head = body[:4096].decode(encoding if is_wide else "latin-1", errors="replace")
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


def _refuse_other_zip(content: bytes) -> None:
    """Refuse a zip archive without a workbook; one that does not open may be a workbook cut off."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = package.namelist()
    except Exception:  # noqa: BLE001 (a damaged archive fails anywhere; its reader says how)
        return
    if not any(_WORKBOOK.search(name) for name in names):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise UnreadableReport(
            "The file is a zip archive, but not an Excel workbook.",
            expected="an .xlsx file with a workbook and its sheets, or the report itself",
            found=f"{', '.join(names[:_NAMED]) or 'nothing'}{more} in it",
            fix="unpack it and add the report; a document: open it by hand and save it as .xlsx",
        )


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
