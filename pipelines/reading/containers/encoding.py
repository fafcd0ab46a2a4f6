"""The encoding of a text: by its mark, else UTF-8, else as declared, else Windows-1252."""

from __future__ import annotations

import re

from pipelines.errors import UnreadableReport

ASSUMED = "cp1252"
"""For bytes that are not UTF-8 and say nothing of themselves."""
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HEAD = 4096


def encoding_of(content: bytes, declared: str | None = None) -> str:
    """Return the encoding of a text.

    Args:
        content: the bytes.
        declared: the encoding that the text says it has; its bytes show whether it is UTF-8.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    if wide := _unmarked_utf16(content[:_HEAD]):
        return wide
    if _is_in(content, "utf-8"):
        return "utf-8"
    return declared if declared and _is_in(content, declared) else ASSUMED


def decode(content: bytes, declared: str | None = None) -> str:
    """Decode a text by the encoding of its bytes.

    Raises:
        UnreadableReport: it has bytes that its encoding does not have, or is in two encodings.
    """
    encoding = encoding_of(content, declared)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _broken(error.object, error.start, f"which {error.encoding} does not have") from error
    if encoding == ASSUMED and (at := _odd_one(content)) is not None:
        raise _broken(content, at, "in a text that is UTF-8 otherwise")
    return text


def _is_in(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _unmarked_utf16(head: bytes) -> str | None:
    """Return which UTF-16 a text without a mark is in: every other byte of plain letters is 0."""
    if len(head) > 1 and not head[::2].count(0) and head[1::2].count(0) * 2 > len(head[1::2]):
        return "utf-16-le"
    if len(head) > 1 and not head[1::2].count(0) and head[::2].count(0) * 2 > len(head[::2]):
        return "utf-16-be"
    return None


def _odd_one(content: bytes) -> int | None:
    """Return where the first byte that is not UTF-8 is, if most letters beyond ASCII are."""
    rest = _UTF8.sub(b"", content)
    others = len(rest.translate(None, delete=bytes(range(128))))
    if not others or len(_UTF8.findall(content)) <= others:
        return None
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None


def _broken(content: bytes, at: int, why: str) -> UnreadableReport:
    line = content.count(b"\n", 0, at) + 1
    return UnreadableReport(
        "The text is in an encoding that is not known.",
        expected="UTF-8, UTF-16 or Windows-1252; of a page, also what it declares as its charset",
        found=f"byte 0x{content[at]:02X} in line {line}, {why}",
        fix="open it in the program that wrote it, save it as UTF-8 and add it again",
    )
