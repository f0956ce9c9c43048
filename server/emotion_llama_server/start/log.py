"""Configures the log of all server processes: its level, its place and its format.

By default the terminal shows this project's lines and all errors; `--log-level` shows all lines of
a level, including vLLM's. A log file receives all lines. Each process configures its logging from
`log.json`, vLLM's children when they begin, and reads the operator's settings from the environment.
vLLM's loggers and ours have handlers of their own there, because a package that vLLM imports for
SageMaker silences the root logger.
"""

import io
import json
import logging
import logging.config
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from emotion_llama_server.environment import StartError
from emotion_llama_server.shortening import ShortRecords, is_log_shortened

if TYPE_CHECKING:
    from emotion_llama_server.start.arguments import Arguments

OURS = "vllm.emotion_llama"
"""The prefix of the names of this project's loggers."""

_CONFIGURATION = Path(__file__).with_name("log.json")
_FORMAT, _FILE = "EMOTION_LLAMA_LOG_FORMAT", "EMOTION_LLAMA_LOG_FILE"
_LEVEL = "VLLM_LOGGING_LEVEL"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_WRITTEN = "written"
"""The logger of everything else that a process writes to standard output and error."""

_TIME = "%Y-%m-%d %H:%M:%S"
_SHORT = "%(asctime)s %(levelname)s %(message)s"
_LONG = (
    "%(asctime)s %(levelname)s (%(processName)s pid=%(process)d) "
    "[%(filename)s:%(lineno)d] %(message)s"
)
_JSON = "%(asctime)s %(levelname)s %(name)s %(processName)s %(process)d %(message)s"


def configure(wanted: "Arguments") -> None:
    """Configure the log of this process and of its child processes.

    An operator's own configuration of Python's logging, set by vLLM's means, takes precedence.

    Raises:
        StartError: the level or format is unknown, or the file cannot be written.
    """
    _check(wanted)
    os.environ[_FORMAT] = wanted.log_format
    if wanted.log_level is not None:
        os.environ[_LEVEL] = wanted.log_level.upper()
    if wanted.log_file is not None:
        os.environ[_FILE] = str(wanted.log_file.absolute())
    _quieten_what_logs_by_itself()
    if "VLLM_LOGGING_CONFIG_PATH" not in os.environ:
        os.environ["VLLM_LOGGING_CONFIG_PATH"] = str(_CONFIGURATION)
        logging.config.dictConfig(json.loads(_CONFIGURATION.read_text(encoding="utf-8")))


def _quieten_what_logs_by_itself() -> None:
    """Silence warnings that do not use Python's logging."""
    if is_json() or _is_quiet():
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    # The removal of semaphores from an interrupted start warns of "leaked semaphores".
    ours = "ignore::UserWarning:multiprocessing.resource_tracker"
    given = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = f"{given},{ours}" if given else ours


def is_json() -> bool:
    """Return whether every line is JSON."""
    return os.environ.get(_FORMAT) == "json"


def sentence(words: str, level: int = logging.ERROR) -> str:
    """Return a formatted line for code that cannot log, such as signal handlers."""
    if not is_json():
        return f"emotion-llama serve: {words}"
    fields = {"asctime": time.strftime(_TIME), "levelname": logging.getLevelName(level)}
    return json.dumps({**fields, "name": OURS, "process": os.getpid(), "message": words})


def refuse(words: str) -> None:
    """Print why the server does not start or has ended, with or without a configured log."""
    stream = sys.__stderr__ if isinstance(sys.stderr, _Lines) else sys.stderr
    print(sentence(words), file=stream)


def terminal() -> logging.Handler:
    """Create the terminal's handler, which `log.json` names."""
    logging.captureWarnings(True)
    level = logging.getLevelNamesMapping()[os.environ.get(_LEVEL, "INFO")]
    for name in ("", "vllm"):
        logger = logging.getLogger(name)
        logger.setLevel(min(level, logging.INFO) if os.environ.get(_FILE) else level)
    if is_json():
        _log_what_is_written()
    handler = _dressed(logging.StreamHandler(sys.__stdout__), _SHORT if _is_quiet() else _LONG)
    handler.setLevel(level)
    if _is_quiet():
        handler.addFilter(_is_ours_or_an_error)
    return handler


def file() -> logging.Handler:
    """Create the log file's handler, which `log.json` names, if a file is set."""
    path = os.environ.get(_FILE)
    if not path:
        return logging.NullHandler()
    return _dressed(logging.FileHandler(path, encoding="utf-8"), _LONG)


class _Lines(io.TextIOBase):
    """Logs the lines that a program writes to one of its standard streams."""

    def __init__(self, level: int) -> None:
        self._level, self._begun = level, ""

    def write(self, text: str) -> int:
        """Log each complete line."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in filter(str.strip, lines):
            logging.getLogger(_WRITTEN).log(self._level, "%s", line)
        return len(text)

    def fileno(self) -> int:
        """Return the file descriptor of the real stream, for code that bypasses Python."""
        return sys.__stderr__.fileno() if sys.__stderr__ else 2


def _check(wanted: "Arguments") -> None:
    if wanted.log_format not in ("text", "json"):
        raise StartError("--log-format must be text or json.")
    if wanted.log_level is not None and wanted.log_level.upper() not in _LEVELS:
        raise StartError(f"--log-level must be one of {', '.join(_LEVELS).lower()}.")
    if wanted.log_file is not None:
        try:
            wanted.log_file.open("a").close()
        except OSError as error:
            words = f"{wanted.log_file} cannot be written ({error.strerror})"
            raise StartError(f"--log-file: {words}.") from error


def _is_quiet() -> bool:
    """Return whether the operator set no level."""
    return _LEVEL not in os.environ


def _is_ours_or_an_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or record.name.startswith((OURS, _WRITTEN))


def _log_what_is_written() -> None:
    """Redirect this process's standard streams to the log."""
    logging.raiseExceptions = False  # otherwise a failing handler would log its own failure
    sys.stdout, sys.stderr = _Lines(logging.INFO), _Lines(logging.WARNING)


def _add_trace_id(record: logging.LogRecord) -> bool:
    """Add the id of the current request's trace to a line; the format shows every addition."""
    from opentelemetry import trace  # installed together with vLLM

    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        record.trace_id = trace.format_trace_id(context.trace_id)
    return True


def _dressed(handler: logging.Handler, form: str) -> logging.Handler:
    """Give a handler its line format and the filter that shortens a client's text."""
    if is_json():
        from pythonjsonlogger.json import JsonFormatter  # installed together with vLLM

        handler.setFormatter(JsonFormatter(_JSON))
        handler.addFilter(_add_trace_id)
    else:
        handler.setFormatter(logging.Formatter(form, _TIME))
    if is_log_shortened():
        handler.addFilter(ShortRecords())
    return handler
