"""Detects the encoding of a text file that another program has saved."""

import codecs
import csv

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, because its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = ((b"PK\x03\x04", "an Excel workbook"), (b"\xd0\xcf\x11\xe0", "an old Excel workbook"))
_COMMON_SHARE = 0.9


class UnknownEncoding(ValueError):
    """Reports bytes that are no text, or text in an unknown encoding."""


def take_long_cells(text: str) -> None:
    """Make the csv module accept cells as long as the text; its own limit is 128 KiB.

    The limit applies to the whole process, so it is never lowered.
    """
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))


def decode(data: bytes) -> tuple[str, str]:
    """Return the text of a file and the name of its encoding.

    Raises:
        UnknownEncoding: the encoding is unknown.
    """
    for magic, kind in _BINARY:
        if data.startswith(magic):
            raise UnknownEncoding(f"it is {kind}: save it as CSV in UTF-8")
    encoding = _encoding(data)
    try:
        # File names may contain bytes that are no text; if UTF-8 is certain, they are kept.
        errors = "surrogateescape" if encoding == "utf-8-sig" else "strict"
        return data.decode(encoding, errors), encoding
    except UnicodeDecodeError as error:
        raise UnknownEncoding(
            "it is neither in UTF-8 nor in UTF-16 nor in GBK: save it in UTF-8"
        ) from error


def _encoding(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    if b"\0" in data[:1000]:  # UTF-16 without a mark: every second byte of Latin letters is 0
        return "utf-16-be" if data[0] == 0 else "utf-16-le"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030" if _is_chinese(data) else "utf-8"
    return "utf-8"


def _is_chinese(data: bytes) -> bool:
    """Return whether bytes read as GBK are common Chinese, which is rare for other encodings."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    wide = [character for character in text if character > "\x7f"]
    common = sum(_is_common(character) for character in wide)
    return common >= _COMMON_SHARE * len(wide)


def _is_common(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
