"""What repeats a client's text is cut, in answers and in the log."""

import io
import logging

import pytest
from starlette.exceptions import HTTPException
from vllm.exceptions import VLLMNotFoundError

from emotion_llama_server.errors import describe
from emotion_llama_server.shortening import ShortRecords, shortened

LONG = "x" * 5_000_000


def test_a_long_text_keeps_its_beginning_and_end() -> None:
    text = shortened(f"The file {LONG} is not there.")
    assert text.startswith("The file xxx")
    assert text.endswith("xxx is not there.")
    assert len(text) < 400
    assert shortened("The file is not there.") == "The file is not there."


@pytest.mark.parametrize(
    "error",
    [
        HTTPException(400, LONG),
        VLLMNotFoundError(LONG),
        ValueError(LONG),
        NotImplementedError(LONG),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_failure_is_told_shortly(error: Exception) -> None:
    assert 0 < len(describe(error).details) < 400


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger(written: io.StringIO) -> logging.Logger:
    logger = logging.Logger("test")
    handler = logging.StreamHandler(written)
    handler.addFilter(ShortRecords())
    logger.addHandler(handler)
    return logger


def test_a_log_line_is_cut(logger: logging.Logger, written: io.StringIO) -> None:
    logger.warning("Ignoring %r of %s.", LONG, "somebody")
    logger.warning(f"Ignoring {LONG}.")
    logger.warning("Ignoring %s.", "little")
    lines = written.getvalue().splitlines()
    assert [line[:10] for line in lines] == ["Ignoring '", "Ignoring x", "Ignoring l"]
    assert lines[0].endswith("of somebody.")
    assert lines[2] == "Ignoring little."
    assert max(map(len, lines)) < 400


def test_a_traceback_is_cut_and_says_where(logger: logging.Logger, written: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError(LONG + "\n" + "y\n" * 100_000)

    try:
        fail()
    except ValueError:
        logger.exception("A request failed.")
    text = written.getvalue()
    assert "in fail" in text
    assert "ValueError: xxx" in text
    assert len(text) < 10_000
