"""A transcription service that is none of ours: vLLM's own server with a random Whisper.

What it hears is noise; `tests/unit/server/transcripts` says the same of what it gets and answers.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emotion_llama_server.transcripts.errors import TranscriptionError
from emotion_llama_server.transcripts.service import Service
from emotion_llama_server.transcripts.sound import as_wav
from tests.support.services.whisper import make_whisper, serving

pytestmark = pytest.mark.slow

SECONDS = 3


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base address of the service."""
    folder: Path = tmp_path_factory.mktemp("whisper")
    with serving(make_whisper(folder / "checkpoint"), folder / "log") as base:
        yield base


@pytest.fixture
def wav() -> bytes:
    sound = np.random.default_rng(0).normal(0, 0.1, SECONDS * 16_000)
    return as_wav(sound.astype(np.float32))


@pytest.mark.parametrize("route", ["translations", "transcriptions"])
async def test_it_answers_on_both_routes_with_times_and_without(
    url: str, wav: bytes, route: str
) -> None:
    service = Service(f"{url}/audio/{route}", "whisper-1")
    heard = await service.hear(wav, seconds=SECONDS, with_times=False)
    assert heard.segments is None
    assert heard.text.isprintable()
    timed = await service.hear(wav, seconds=SECONDS, with_times=True)
    assert timed.segments is not None
    assert all(0 <= s.start <= s.end <= SECONDS for s in timed.segments)


async def test_a_model_of_another_name_is_told(url: str, wav: bytes) -> None:
    service = Service(f"{url}/audio/translations", "other")
    with pytest.raises(TranscriptionError, match="status 404") as caught:
        await service.hear(wav, seconds=SECONDS, with_times=False)
    assert "other" in caught.value.reason
