"""Compares a checkpoint's greedy answers with answers that a user recorded with the original.

This project has no recorded answers for the published 7B weights. A user who has these weights
records a few answers of the original (greedy, with its prompts) in such a file:

    {"cases": [{"name": "a clip", "clip": "clip.mp4", "prompt_style": "demo",
                "text": "[emotion] Which emotion is this?", "expected": "happy"}]}

`clip` is a path relative to the file. `features` (a `.npy` of float32 [3, width]), `max_tokens` and
`repetition_penalty` (over generated tokens, as in the original) are optional.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emotion_llama_vllm.analysis.prompts import one_turn
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.original import LOGITS_PROCESSOR, MAX_NEW_TOKENS, PENALTY_FIELD
from emotion_llama_vllm.settings import media_settings


class VerifyError(Exception):
    """Reports in one sentence why the recorded answers cannot be used."""


class RecordedCase(BaseModel):
    """Holds one recorded answer of the original."""

    model_config = ConfigDict(extra="forbid")

    name: str
    clip: Path
    text: str
    expected: str
    prompt_style: Literal["eval", "demo"] = "eval"
    features: Path | None = None
    max_tokens: int = Field(default=MAX_NEW_TOKENS, ge=1)
    repetition_penalty: float = Field(default=1.0, gt=0)


class RecordedAnswers(BaseModel):
    """Holds the contents of the file with recorded answers."""

    model_config = ConfigDict(extra="forbid")

    cases: list[RecordedCase] = Field(min_length=1)


@dataclass(frozen=True)
class Comparison:
    """Holds a recorded answer and ours."""

    name: str
    expected: str
    ours: str

    @property
    def same(self) -> bool:
        return self.ours.strip() == self.expected.strip()


def verify(folder: Path, golden: Path, *, dtype: str) -> list[Comparison]:
    """Answer every recorded case greedily with `vllm.LLM`.

    Raises:
        VerifyError: the file, or a clip that it names, cannot be used.
    """
    cases = _read(golden)
    clips = [_clip(golden.parent, case) for case in cases]
    answers = _answer(folder, cases, clips, dtype)
    return [
        Comparison(case.name, case.expected, ours)
        for case, ours in zip(cases, answers, strict=True)
    ]


def _read(golden: Path) -> list[RecordedCase]:
    try:
        return RecordedAnswers.model_validate_json(golden.read_text(encoding="utf-8")).cases
    except OSError as error:
        raise VerifyError(f"{golden} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise VerifyError(f"{golden}: {where}: {first['msg']}.") from error


def _clip(folder: Path, case: RecordedCase) -> tuple[np.ndarray, dict[str, Any]]:
    try:
        clip = decode((folder / case.clip).read_bytes(), settings=media_settings())
        metadata = clip.metadata()
        if case.features is not None:
            metadata["features"] = np.load(folder / case.features, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise VerifyError(f"{case.name}: {error}") from error
    return clip.frame[None], metadata


def _answer(folder: Path, cases: list[RecordedCase], clips: list[Any], dtype: str) -> list[str]:
    from vllm import LLM, SamplingParams

    llm: Any = LLM(
        str(folder),
        dtype=dtype,  # type: ignore[arg-type]
        enforce_eager=True,
        max_model_len=2048,
        kv_cache_memory_bytes=1 << 30,
        logits_processors=[LOGITS_PROCESSOR],
    )
    tokenizer = llm.get_tokenizer()
    prompts = [
        {
            "prompt": one_turn(tokenizer, c.text, c.prompt_style),
            "multi_modal_data": {"video": [clip]},
        }
        for c, clip in zip(cases, clips, strict=True)
    ]
    params = [
        SamplingParams(
            temperature=0,
            max_tokens=case.max_tokens,
            extra_args={PENALTY_FIELD: case.repetition_penalty},
        )
        for case in cases
    ]
    # The template writes the first <s> itself.
    outputs = llm.generate(prompts, params, tokenization_kwargs={"add_special_tokens": False})
    return [output.outputs[0].text for output in outputs]
