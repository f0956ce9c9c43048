"""Reads clips inside a request's text: data URLs of browsers and tools, and bare base64."""

import contextlib
import re
from urllib.parse import unquote_to_bytes

import pybase64

from emotion_llama.media import is_data_url
from emotion_llama_vllm.media import magic
from emotion_llama_vllm.media.errors import MediaError, clip_too_large

_MAX_HEAD = 2048
_BASE64_HEAD = re.compile(
    r'data:\s*([^,;"]*)(?:;[^;"]*(?:"[^"]*"[^;"]*)*)*;\s*base64\s*,', re.IGNORECASE
)
"""Matches a data URL up to its payload; a parameter may be quoted, or hold commas, as in
`;codecs=vp8,opus`."""
_PLAIN_HEAD = re.compile(r'data:[^,;"]*(?:;(?:"[^"]*"|[^,"])*)?,', re.IGNORECASE)

_BLANKS = b" \t\r\n"
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")

_BARE_START = re.compile(r"[A-Za-z0-9+/_-]{64}")
_START_LENGTH = 512
"""The number of characters at the start of a text that distinguish base64 from a path."""
_TRANSPORT_PACKET = 188
_MAGIC = (
    *(magic.PNG, magic.JPEG, magic.RIFF, magic.ZIP, magic.MATROSKA, b"GIF8", b"BM"),
    *(magic.OGG, magic.FLAC, *magic.MP3),
    *(b"FLV\x01", b"0&\xb2u", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3"),
)


def is_inline_clip(text: str) -> bool:
    """Return whether a text holds a clip itself, as a data URL or as bare base64."""
    return is_data_url(text) or is_bare_base64(text)


def read_inline_clip(text: str, max_bytes: int) -> bytes:
    """Return the bytes of a clip that a text holds.

    Raises:
        MediaError: the text is malformed.
        MediaTooLarge: there are more bytes than `max_bytes`.
    """
    read = read_data_url if is_data_url(text) else read_base64
    return read(text, max_bytes)


def is_bare_base64(text: str) -> bool:
    """Return whether a text is the base64 of a media file, and not its path."""
    start = "".join(text[:_START_LENGTH].split())
    if not _BARE_START.match(start):
        return False
    try:
        data = _decode(start[: len(start) // 4 * 4].encode().translate(_FROM_URL_SAFE))
    except ValueError:
        return False
    is_transport_stream = data[:1] == b"G" == data[_TRANSPORT_PACKET : _TRANSPORT_PACKET + 1]
    return data.startswith(_MAGIC) or data[4:8] in magic.MP4_BOXES or is_transport_stream


def read_data_url(url: str, max_bytes: int) -> bytes:
    """Return the bytes that a data URL holds, as base64 or percent-encoded.

    Raises:
        MediaError: it is malformed, or a sequence of JPEGs.
        MediaTooLarge: there are more bytes than `max_bytes`.
    """
    head = _BASE64_HEAD.match(url, 0, _MAX_HEAD)
    if head is not None:
        if head[1].strip().lower() == "video/jpeg":
            raise _jpegs()
        return read_base64(url[head.end() :], max_bytes)
    head = _PLAIN_HEAD.match(url, 0, _MAX_HEAD)
    if head is None:
        raise MediaError("A data URL must read data:video/mp4;base64,... with a comma.")
    _check_size(-(-(len(url) - head.end()) // 3), max_bytes)  # each byte may take three characters
    data = unquote_to_bytes(url[head.end() :])
    _check_size(len(data), max_bytes)
    return data


def read_base64(text: str, max_bytes: int) -> bytes:
    """Return the bytes of a base64 text; line ends, `-_` and missing padding are allowed.

    Raises:
        MediaError: the text is no base64.
        MediaTooLarge: there are more bytes than `max_bytes`.
    """
    _check_size(len(text) // 4, max_bytes)  # fully percent-encoded, a byte takes four
    if len(text) * 3 // 4 <= max_bytes:
        with contextlib.suppress(ValueError):  # the text has another form, or is no base64
            return pybase64.b64decode(text, validate=True)
    try:
        encoded = unquote_to_bytes(text) if "%" in text else text.encode("ascii")
    except UnicodeEncodeError as error:
        raise _invalid() from error
    encoded = encoded.translate(_FROM_URL_SAFE, _BLANKS)
    padding = len(encoded[-2:]) - len(encoded[-2:].rstrip(b"="))
    _check_size((len(encoded) - padding) * 3 // 4, max_bytes)
    try:
        return _decode(encoded)
    except ValueError as error:
        raise (_jpegs() if "," in text else _invalid()) from error


def _decode(encoded: bytes) -> bytes:
    """Decode base64 whose padding may be missing."""
    if missing := -len(encoded) % 4:
        encoded += b"=" * missing
    return pybase64.b64decode(encoded, validate=True)


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise clip_too_large(max_bytes)


def _invalid() -> MediaError:
    return MediaError("The clip's base64 is not valid.")


def _jpegs() -> MediaError:
    return MediaError("A sequence of JPEGs is no clip: send a video file or one picture.")
