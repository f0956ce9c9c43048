"""What a start says about its transcription service."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from emotion_llama_server.environment import StartError
from emotion_llama_server.settings import ServerSettings, first_error
from emotion_llama_server.start import flags
from emotion_llama_server.start.options import StartOptions

URL = "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"transcriber_url": "host:8000"}, "--transcriber-url: write http://HOST:PORT/v1"),
        ({"transcriber_url": "ftp://host/v1"}, "--transcriber-url: write http://HOST:PORT/v1"),
        ({"transcriber_url": "http://"}, "--transcriber-url: write http://HOST:PORT/v1"),
        ({"transcriber_url": "http://a:b@host"}, "--transcriber-url: the address has no query"),
        ({"transcriber_url": "http://host/v1?x=1"}, "--transcriber-url: the address has no query"),
        ({"transcribe": "auto"}, "--transcribe: it needs --transcriber-url"),
        ({"transcriber_key_file": "key"}, "--transcriber-key-file: it needs --transcriber-url"),
        ({"transcriber_url": URL, "transcribe": "always"}, "--transcribe: Input should be"),
        ({"transcriber_url": URL, "transcriber_seconds": 0}, "--transcriber-seconds: Input"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ServerSettings.model_validate(given)
    assert first_error(caught.value).startswith(words)


def test_a_start_reads_the_flags_and_the_key(
    clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    words = ["--transcriber-url", URL, "--transcriber-key-file", str(key), "--transcribe", "auto"]
    with pytest.raises(StartError, match=r"--transcriber-key-file: .* cannot be read"):
        flags.parse(words)
    key.write_text("sk-secret")
    settings = StartOptions.of(flags.parse(words)).settings
    assert (settings.transcriber_url, settings.transcribe) == (URL, "auto")
