"""Shortens text that may repeat a client's input before it is answered or logged."""

import logging
import traceback
from urllib.parse import quote

_HEAD, _TAIL = 200, 100
_MOST_LINES = 100
"""The maximum number of lines in a traceback."""


def shortened(text: str) -> str:
    """Return the beginning and the end of a long text, and all of a short one."""
    if len(text) <= 2 * _HEAD:
        return text
    return f"{text[:_HEAD]} ... {text[-_TAIL:]}"


def printable(text: str) -> str:
    """Escape and shorten a method or path that a client sent."""
    escaped = quote(text[:_HEAD], safe="/{}", errors="replace")
    return escaped[:_HEAD]


class ShortRecords(logging.Filter):
    """Shortens the messages and tracebacks of log records, and lets all records pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten a record in place."""
        message = record.getMessage()
        short = shortened(message)
        if short is not message:
            record.msg, record.args = short, None
        if record.exc_info and not record.exc_text:
            record.exc_text = _short_traceback(record.exc_info[1])
        return True


_begun = False


def is_log_shortened() -> bool:
    """Return whether this process's log is shortened, including handlers that are added later."""
    return _begun


def shorten_log() -> None:
    """Shorten everything that this process's loggers write from now on."""
    global _begun
    _begun = True
    for name in ("", "vllm", "uvicorn", "uvicorn.access"):
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(ShortRecords())


def _short_traceback(error: BaseException | None) -> str:
    lines = "".join(traceback.format_exception(error)).splitlines()
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES // 2], "...", *lines[-_MOST_LINES // 2 :]]
    return "\n".join(map(shortened, lines))
