"""The sound is heard and the picture is seen: float32 log-probabilities against the reference.

Equal words would not show it: another sound often leaves the most probable words as they are.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import torch

from devtools.media import Recipe, write_clip
from devtools.server import Server
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.settings import MediaSettings
from tests.e2e.conftest import MODEL
from tests.support.golden.reference import Reference

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Answer:
    prompt_ids: list[int]
    ids: list[int]
    log_probabilities: torch.Tensor


def ask(server: Server, name: str, **fields: Any) -> Answer:
    content = [{"type": "video_url", "video_url": {"url": name}}, {"type": "text", "text": "why?"}]
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        "temperature": 0,
        "max_tokens": 8,
        "logprobs": True,
        "return_token_ids": True,
        **fields,
    }
    made = requests.post(f"{server.url}/v1/chat/completions", json=body, timeout=60).json()
    choice = made["choices"][0]
    log_probabilities = [token["logprob"] for token in choice["logprobs"]["content"]]
    return Answer(made["prompt_token_ids"], choice["token_ids"], torch.tensor(log_probabilities))


def expected(reference: Reference, answer: Answer, path: Path) -> torch.Tensor:
    clip = decode(path.read_bytes(), settings=MediaSettings())
    embeddings = reference.embed(clip.frame, clip.waveform)
    return reference.log_probabilities(answer.prompt_ids, answer.ids, embeddings)


@pytest.mark.parametrize("style", ["eval", "demo"])
@pytest.mark.parametrize("name", ["clip7.mp4", "silent.mp4", "voice.flac", "recorded.webm"])
def test_every_log_probability_is_the_references(
    server: Server, reference: Reference, media_root: Path, name: str, style: str
) -> None:
    answer = ask(server, name, chat_template_kwargs={"prompt_style": style})
    theirs = expected(reference, answer, media_root / name)
    torch.testing.assert_close(answer.log_probabilities, theirs, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("other_sound.mp4", Recipe(seed=30, hertz=900)),
        ("no_sound.mp4", Recipe(seed=30, audio=None)),
        ("other_picture.mp4", Recipe(seed=31, hertz=300)),
    ],
)
def test_another_sound_or_picture_gives_other_log_probabilities(
    server: Server, reference: Reference, media_root: Path, name: str, recipe: Recipe
) -> None:
    base = write_clip(media_root / "base.mp4", Recipe(seed=30, hertz=300))
    other = write_clip(media_root / name, recipe)
    # The reference says what the change does to the very same answer.
    answer = ask(server, "base.mp4")
    theirs = expected(reference, answer, base)
    change = (expected(reference, answer, other) - theirs).abs().max()
    assert change > 20 * TOLERANCE
    torch.testing.assert_close(answer.log_probabilities, theirs, rtol=0, atol=TOLERANCE)
    # And the server, asked about the other clip, agrees with it again.
    changed = ask(server, name)
    theirs = expected(reference, changed, other)
    torch.testing.assert_close(changed.log_probabilities, theirs, rtol=0, atol=TOLERANCE)
