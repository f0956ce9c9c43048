"""The parts of an answer, put together in one place."""

import re
import uuid
from collections.abc import Sequence

import numpy as np

from emotion_llama.schema import (
    Emotion,
    EmotionEvent,
    EmotionRequest,
    EmotionResponse,
    Evidence,
    TimelineWindow,
    Timing,
    Usage,
)
from emotion_llama_vllm.checkpoint.served import Served
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.features import FEATURE_NAMES


def emotion(probabilities: dict[str, float]) -> Emotion:
    """The most probable label; of two that are equally probable the one named first."""
    best = max(probabilities, key=probabilities.__getitem__)
    confidence = probabilities[best]
    return Emotion(emotion=best, confidence=confidence, probabilities=probabilities)


def emotion_event(probabilities: dict[str, float], answer: str | None) -> EmotionEvent:
    """The same with the model's own words, and whether they are that label."""
    read = emotion(probabilities)
    matches = None if answer is None else _bare(answer) == _bare(read.emotion)
    return EmotionEvent(**read.model_dump(), answer=answer, answer_matches=matches)


def window(start: float, end: float, probabilities: dict[str, float]) -> TimelineWindow:
    """The same for a stretch of the clip, in seconds."""
    return TimelineWindow(start=start, end=end, **emotion(probabilities).model_dump())


def conclude(
    *,
    emotion: EmotionEvent,
    explanation: str | None,
    windows: Sequence[TimelineWindow],
    clip: Clip,
    request: EmotionRequest,
    served: Served,
    prompt: str,
    prompt_tokens: int,
    completion_tokens: int,
    timing: Timing,
) -> EmotionResponse:
    """The whole answer. `clip` and `prompt` are what the labels' probabilities were read from."""
    return EmotionResponse(
        **emotion.model_dump(),
        id=new_id(),
        model=served.name,
        explanation=explanation,
        timeline=sorted(windows, key=lambda w: w.start) if request.timeline else None,
        evidence=_evidence(clip, request, served, prompt),
        usage=Usage(
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            total_tokens=prompt_tokens + completion_tokens,
        ),
        timing=timing,
        notice=served.card.description,
    )


def new_id() -> str:
    """Of one answer."""
    return f"emotion-{uuid.uuid4().hex}"


def _evidence(clip: Clip, request: EmotionRequest, served: Served, prompt: str) -> Evidence:
    rows = [] if clip.features is None else clip.features
    return Evidence(
        frame_index=clip.frame_index,
        frame_time=clip.frame_time,
        frame_policy=request.frame,
        audio_seconds=clip.audio_seconds,
        has_audio=clip.waveform is not None,
        features=[
            name for name, row in zip(FEATURE_NAMES, rows, strict=False) if not np.isnan(row).all()
        ],
        checkpoint=served.name,
        manifest=served.manifest,
        prompt=prompt,
    )


def _bare(words: str) -> str:
    """Without what does not change which label is named."""
    return re.sub(r"[\s.。!]+$", "", words).strip().casefold()
