"""The parts of an answer, put together in one place."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from emotion_llama.schema import (
    Emotion,
    EmotionEvent,
    EmotionRequest,
    EmotionResponse,
    Evidence,
    TimelineWindow,
    Timing,
    Track,
    Usage,
)
from emotion_llama_vllm.analysis.spelling import meaning
from emotion_llama_vllm.analysis.warnings import warnings_about
from emotion_llama_vllm.checkpoint.served import Served
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.decode import tracks
from emotion_llama_vllm.media.decode.npz import FEATURE_NAMES
from emotion_llama_vllm.media.decode.timeline import Timeline


def emotion(probabilities: dict[str, float]) -> Emotion:
    """The most probable label; of two that are equally probable the one named first."""
    best = max(probabilities, key=probabilities.__getitem__)
    confidence = probabilities[best]
    return Emotion(emotion=best, confidence=confidence, probabilities=probabilities)


def emotion_event(probabilities: dict[str, float], answer: str | None) -> EmotionEvent:
    """Return the most probable label, the model's own words and whether they mean that label."""
    read = emotion(probabilities)
    matches = None if answer is None else _meant(answer) == _meant(read.emotion)
    return EmotionEvent(**read.model_dump(), answer=answer, answer_matches=matches)


def window(start: float, end: float, probabilities: dict[str, float]) -> TimelineWindow:
    """The same for a stretch of the clip, in seconds."""
    return TimelineWindow(start=start, end=end, **emotion(probabilities).model_dump())


def conclude(
    *,
    emotion: EmotionEvent,
    explanation: str | None,
    windows: Sequence[TimelineWindow],
    timeline: Timeline,
    request: EmotionRequest,
    served: Served,
    prompt: str,
    prompt_tokens: int,
    completion_tokens: int,
    timing: Timing,
) -> EmotionResponse:
    """Put the whole answer together.

    Args:
        emotion: the answer about the clip as a whole.
        explanation: the model's; None where none was asked for.
        windows: the answers about the timeline's windows.
        timeline: the clip that was analysed, and its windows.
        request: what was asked.
        served: the checkpoint.
        prompt: the text behind which the labels' probabilities were read.
        prompt_tokens: the tokens of all prompts.
        completion_tokens: the tokens that were generated or read.
        timing: what took how long.
    """
    return EmotionResponse(
        **emotion.model_dump(),
        id=new_id(),
        model=served.name,
        explanation=explanation,
        timeline=sorted(windows, key=lambda w: w.start) if request.timeline else None,
        evidence=_evidence(timeline.whole, request, served, prompt),
        warnings=warnings_about(request, served.card, timeline),
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
        video_track=_track(clip.video_track),
        audio_track=_track(clip.audio_track),
        features=[
            name for name, row in zip(FEATURE_NAMES, rows, strict=False) if not np.isnan(row).all()
        ],
        checkpoint=served.name,
        manifest=served.manifest,
        prompt=prompt,
    )


def _meant(words: str) -> str:
    """Return the words without what does not change which label they name."""
    return meaning(words).rstrip(".。!")


def _track(track: tracks.Track | None) -> Track | None:
    return None if track is None else Track(**asdict(track))
