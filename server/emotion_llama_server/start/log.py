"""The log of all of the server's processes: how much of it is shown, where, and in which form.

By default the terminal shows what this project says, and errors; `--log-level` shows all of that
level, vLLM's lines too. A file has all of it. Each process configures its logging by `log.json`,
vLLM's children as they begin, and finds the operator's wishes in the environment. There, vLLM's
loggers and ours have handlers of their own: what vLLM imports for SageMaker silences the root's.
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
"""What the names of this project's loggers begin with."""

_CONFIGURATION = Path(__file__).with_name("log.json")
_FORMAT, _FILE = "EMOTION_LLAMA_LOG_FORMAT", "EMOTION_LLAMA_LOG_FILE"
_LEVEL = "VLLM_LOGGING_LEVEL"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_WRITTEN = "written"
"""The logger of what a process writes to its standard output and error by other means."""

_TIME = "%Y-%m-%d %H:%M:%S"
_SHORT = "%(asctime)s %(levelname)s %(message)s"
_LONG = (
    "%(asctime)s %(levelname)s (%(processName)s pid=%(process)d) "
    "[%(filename)s:%(lineno)d] %(message)s"
)
_JSON = "%(asctime)s %(levelname)s %(name)s %(processName)s %(process)d %(message)s"


def configure(wanted: "Arguments") -> None:
    """Configure the log of this process and of those that it starts.

    An operator's own configuration of Python's logging, given by vLLM's means, counts instead.

    Raises:
        StartError: no such level or form, or a file that cannot be written.
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
    """Silence warnings that are written without Python's logging."""
    if is_json() or _is_quiet():
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    # That there are "leaked semaphores", when what was left of an interrupted start is removed.
    ours = "ignore::UserWarning:multiprocessing.resource_tracker"
    given = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = f"{given},{ours}" if given else ours


def is_json() -> bool:
    """Tell whether every line is to be JSON."""
    return os.environ.get(_FORMAT) == "json"


def sentence(words: str, level: int = logging.ERROR) -> str:
    """Return a line of the log, for where no logger can be used, as in signal handlers."""
    if not is_json():
        return f"emotion-llama serve: {words}"
    fields = {"asctime": time.strftime(_TIME), "levelname": logging.getLevelName(level)}
    return json.dumps({**fields, "name": OURS, "process": os.getpid(), "message": words})


def refuse(words: str) -> None:
    """Say why the server does not start or has ended, whether or not there is a log yet."""
    stream = sys.__stderr__ if isinstance(sys.stderr, _Lines) else sys.stderr
    print(sentence(words), file=stream)


def terminal() -> logging.Handler:
    """Make the handler of the terminal; `log.json` names it."""
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
    """Make the handler of the file, if one is wanted; `log.json` names it."""
    path = os.environ.get(_FILE)
    if not path:
        return logging.NullHandler()
    return _dressed(logging.FileHandler(path, encoding="utf-8"), _LONG)


class _Lines(io.TextIOBase):
    """Logs the lines that a program writes to one of its standard streams."""

    def __init__(self, level: int) -> None:
        self._level, self._begun = level, ""

    def write(self, text: str) -> int:
        """Log each line that is whole now."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in filter(str.strip, lines):
            logging.getLogger(_WRITTEN).log(self._level, "%s", line)
        return len(text)

    def fileno(self) -> int:
        """Return the number of the stream beneath, for who writes past Python."""
        return sys.__stderr__.fileno() if sys.__stderr__ else 2


def _check(wanted: "Arguments") -> None:
    if wanted.log_format not in ("text", "json"):
        raise StartError("--log-format: it is text or json.")
    if wanted.log_level is not None and wanted.log_level.upper() not in _LEVELS:
        raise StartError(f"--log-level: it is one of {', '.join(_LEVELS).lower()}.")
    if wanted.log_file is not None:
        try:
            wanted.log_file.open("a").close()
        except OSError as error:
            words = f"{wanted.log_file} cannot be written ({error.strerror})"
            raise StartError(f"--log-file: {words}.") from error


def _is_quiet() -> bool:
    """Tell whether the operator names no level."""
    return _LEVEL not in os.environ


def _is_ours_or_an_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or record.name.startswith((OURS, _WRITTEN))


def _log_what_is_written() -> None:
    """Have what this process writes to its standard streams become lines of the log."""
    logging.raiseExceptions = False  # a handler that fails would tell itself of it
    sys.stdout, sys.stderr = _Lines(logging.INFO), _Lines(logging.WARNING)


def _dressed(handler: logging.Handler, form: str) -> logging.Handler:
    """Give a handler the form of its lines, and the cut of what repeats a client's text."""
    if is_json():
        from pythonjsonlogger.json import JsonFormatter  # comes with vLLM

        handler.setFormatter(JsonFormatter(_JSON))
    else:
        handler.setFormatter(logging.Formatter(form, _TIME))
    if is_log_shortened():
        handler.addFilter(ShortRecords())
    return handler
