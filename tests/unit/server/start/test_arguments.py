"""What `emotion-llama serve` reads before vLLM is there."""

from pathlib import Path

import pytest

from emotion_llama_server.environment import StartError
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start import arguments
from emotion_llama_vllm import demo_files


@pytest.fixture(autouse=True)
def _clean(clean_environment: pytest.MonkeyPatch) -> None:
    """Nothing comes from outside."""


def test_the_command_line_wins_over_the_configuration_and_that_over_the_environment(
    clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("port: 8001\nlegacy-port: 8002\nhost: 10.0.0.1\nseed: 3\n")
    clean_environment.setenv("EMOTION_LLAMA_LEGACY_PORT", "9000")
    clean_environment.setenv("EMOTION_LLAMA_LOG_FORMAT", "json")
    read = arguments.read(["MODEL", "--max-model-len", "9", "--config", str(config), "--port=1"])
    assert (read.model, read.port, read.legacy_port) == ("MODEL", 1, 8002)
    assert (read.host, read.log_format) == ("10.0.0.1", "json")


def test_without_anything_the_defaults_are_those_of_the_server() -> None:
    read = arguments.read([])
    assert read.model is None
    assert read.legacy_port == ServerSettings().legacy_port


@pytest.mark.parametrize("written", ["--ssl-certfile", "--ssl_certfile"])
def test_flags_are_known_with_dashes_and_with_underscores(written: str) -> None:
    assert arguments.read([written, "my_cert.pem"]).ssl_certfile == "my_cert.pem"
    assert arguments.read([f"{written}=my_cert.pem"]).ssl_certfile == "my_cert.pem"


@pytest.mark.parametrize("given", [["--config", "demo"], ["--config=demo"], ["--config=demo.yaml"]])
def test_a_configuration_that_ships_is_found_by_its_name(given: list[str]) -> None:
    assert arguments.normalise(given) == ["--config", str(demo_files.config())]


def test_a_file_of_the_same_name_comes_before_the_one_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("demo").write_text("seed: 3\n")
    assert arguments.normalise(["--config", "demo"]) == ["--config", "demo"]


@pytest.mark.parametrize("given", [["--log-level", "info"], ["--log-level=info"]])
def test_the_logs_level_is_known_in_small_letters(given: list[str]) -> None:
    assert arguments.normalise(given) == ["--log-level", "INFO"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no file .*demo, emotion-llama-7b, emotion-llama-7b-12gb, "),
        ("port: [", "cannot be read as YAML"),
        ("just words", "has no settings"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_refused(
    tmp_path: Path, content: str | None, reason: str
) -> None:
    config = tmp_path / "config.yaml"
    if content is not None:
        config.write_text(content)
    with pytest.raises(StartError, match=reason) as refused:
        arguments.check_configuration(str(config))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("given", [["--port"], ["--port", "many"], ["--port", "70000"]])
def test_a_port_that_is_no_number_is_refused(given: list[str]) -> None:
    with pytest.raises(StartError, match="port"):
        arguments.read(given)
