"""What the terminal and the file show of the log, in both forms."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emotion_llama_server.environment import StartError
from emotion_llama_server.start import log
from emotion_llama_server.start.arguments import Arguments

PROGRAM = """
import json, logging.config, os, sys, warnings
from emotion_llama_server.start import arguments, log
from emotion_llama_vllm import stages

log.configure(arguments.read(sys.argv[1:]))
stages.begin()
stages.tell("Importing vLLM")
logging.getLogger("vllm.emotion_llama_server").warning("ours: a warning")
logging.getLogger("vllm.engine").info("theirs: a line")
logging.getLogger("vllm.engine").warning("theirs: a warning")
logging.getLogger("torch._library").warning("torch: a warning")
warnings.warn("python: a warning")
# As a library for SageMaker does that vLLM imports.
logging.getLogger().setLevel("ERROR")
for handler in logging.getLogger().handlers:
    handler.setLevel("ERROR")
logging.getLogger("vllm.emotion_llama").info("ours: a line")
# As vLLM's children do, and uvicorn, some time later.
logging.config.dictConfig(json.load(open(os.environ["VLLM_LOGGING_CONFIG_PATH"])))
try:
    raise ValueError("the cause")
except ValueError:
    logging.getLogger("vllm.engine").exception("theirs: an error")
print("printed")
print("printed as an error", file=sys.stderr)
"""

CHILD = """
import json, logging.config, multiprocessing, os, sys
from emotion_llama_server.start import arguments, log

def work():
    logging.config.dictConfig(json.load(open(os.environ["VLLM_LOGGING_CONFIG_PATH"])))
    raise RuntimeError("the end of a child")

if __name__ == "__main__":
    log.configure(arguments.read(sys.argv[1:]))
    child = multiprocessing.get_context("spawn").Process(target=work)
    child.start()
    child.join()
    raise RuntimeError("the end of the parent")
"""

OURS = ["Importing vLLM", "ours: a warning", "ours: a line"]
ERRORS = ["theirs: an error", "the cause"]
THEIRS = ["theirs: a line", "theirs: a warning", "torch: a warning", "python: a warning"]


def written(*flags: str) -> str:
    """What a program of several libraries writes, both streams together."""
    command = [sys.executable, "-c", PROGRAM, *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def of(lines: list[str], text: str) -> list[str]:
    return [line for line in lines if line in text]


def test_by_default_it_is_ours_and_errors_with_their_cause() -> None:
    text = written()
    assert of([*OURS, *ERRORS, "printed"], text) == [*OURS, *ERRORS, "printed"]
    assert of(THEIRS, text) == []
    first = text.splitlines()[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO +0\.\d s  Importing vLLM", first)


@pytest.mark.parametrize(
    ("level", "shown"), [("info", THEIRS), ("warning", THEIRS[1:]), ("error", [])]
)
@pytest.mark.costly
def test_a_level_shows_theirs_too(level: str, shown: list[str]) -> None:
    text = written("--log-level", level)
    assert of(THEIRS, text) == shown
    assert of(ERRORS, text) == ERRORS


def test_a_file_has_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "log"
    text = written("--log-file", str(file))
    assert of(THEIRS, text) == []
    in_file = file.read_text()
    assert of([*OURS, *THEIRS, *ERRORS], in_file) == [*OURS, *THEIRS, *ERRORS]


def test_every_line_is_json_if_it_is_to_be(tmp_path: Path) -> None:
    file = tmp_path / "log"
    text = written("--log-format", "json", "--log-level", "info", "--log-file", str(file))
    records = [json.loads(line) for line in text.splitlines()]
    messages = [record["message"] for record in records]
    assert messages[0].endswith("s  Importing vLLM")
    assert records[0]["stage"] == "Importing vLLM"
    assert {"theirs: an error", "printed", "printed as an error"} <= set(messages)
    (failed,) = (record for record in records if record["message"] == "theirs: an error")
    assert "the cause" in failed["exc_info"]
    assert all(json.loads(line) for line in file.read_text().splitlines())


@pytest.mark.costly
def test_what_ends_a_process_is_json_too(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(CHILD)
    command = [sys.executable, str(program), "--log-format", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    messages = [json.loads(line)["message"] for line in done.stdout.splitlines()]
    assert "RuntimeError: the end of a child" in messages
    assert "RuntimeError: the end of the parent" in messages


def test_an_operators_own_configuration_counts_instead(
    clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clean_environment.setenv("VLLM_LOGGING_CONFIG_PATH", str(tmp_path / "mine.json"))
    clean_environment.setenv("EMOTION_LLAMA_LOG_FORMAT", "text")
    log.configure(Arguments())
    assert log.os.environ["VLLM_LOGGING_CONFIG_PATH"] == str(tmp_path / "mine.json")


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (Arguments(log_format="xml"), "--log-format must be text or json"),
        (Arguments(log_level="loud"), "--log-level must be one of debug, info"),
        (Arguments(log_file=Path("/no/folder/log")), "/no/folder/log cannot be written"),
    ],
)
def test_what_the_log_cannot_be_is_refused(wanted: Arguments, reason: str) -> None:
    with pytest.raises(StartError, match=reason):
        log.configure(wanted)


def test_a_sentence_before_the_log_has_its_form(clean_environment: pytest.MonkeyPatch) -> None:
    assert log.sentence("it ends.") == "emotion-llama serve: it ends."
    clean_environment.setenv("EMOTION_LLAMA_LOG_FORMAT", "json")
    assert json.loads(log.sentence("it ends."))["message"] == "it ends."


def test_a_json_line_of_a_traced_request_has_the_id_of_its_trace() -> None:
    program = """
import logging, sys
from opentelemetry import trace
from emotion_llama_server.start import arguments, log

log.configure(arguments.read(sys.argv[1:]))
ours = logging.getLogger("vllm.emotion_llama_server")
ours.info("before")
context = trace.SpanContext(0xABC, 1, is_remote=False)
with trace.use_span(trace.NonRecordingSpan(context)):
    ours.info("inside")
"""
    command = [sys.executable, "-c", program, "--log-format", "json"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    before, inside = (json.loads(line) for line in told.splitlines())
    assert "trace_id" not in before
    assert inside["trace_id"] == f"{0xABC:032x}"
