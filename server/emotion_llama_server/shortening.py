"""Text that may repeat what a client sent, cut before it is answered or logged."""

import logging
import traceback
from urllib.parse import quote

_HEAD, _TAIL = 200, 100
_MOST_LINES = 100
"""A traceback may have so many."""


def shortened(text: str) -> str:
    """Return the beginning and the end of a long text, and all of a short one."""
    if len(text) <= 2 * _HEAD:
        return text
    return f"{text[:_HEAD]} ... {text[-_TAIL:]}"


def printable(text: str) -> str:
    """Escape what a client wrote as a method or path, and cut it."""
    escaped = quote(text[:_HEAD], safe="/{}", errors="replace")
    return escaped[:_HEAD]


class ShortRecords(logging.Filter):
    """Cuts the messages and tracebacks of log records; it lets all of them pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut a record in place."""
        message = record.getMessage()
        short = shortened(message)
        if short is not message:
            record.msg, record.args = short, None
        if record.exc_info and not record.exc_text:
            record.exc_text = _short_traceback(record.exc_info[1])
        return True


_begun = False


def is_log_shortened() -> bool:
    """Tell whether this process's log is to be cut, also by handlers that are made later."""
    return _begun


def shorten_log() -> None:
    """Cut from now on what any logger of this process writes."""
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
