"""Builds the response of `/v1/emotion` and its parts."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict

from emotion_llama.schema import (
    Box,
    Emotion,
    EmotionEvent,
    EmotionRequest,
    EmotionResponse,
    Evidence,
    Faces,
    TimelineWindow,
    Timing,
    Track,
    Usage,
)
from emotion_llama_vllm.analysis.rows import row_sources
from emotion_llama_vllm.analysis.spelling import meaning
from emotion_llama_vllm.analysis.warnings import warnings_about
from emotion_llama_vllm.checkpoint.served import Served
from emotion_llama_vllm.media import clip as clips
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.decode import tracks
from emotion_llama_vllm.media.decode.npz import FEATURE_NAMES
from emotion_llama_vllm.media.decode.timeline import Timeline, Window


def emotion(probabilities: dict[str, float]) -> Emotion:
    """Return the most probable label; the first one wins if two are equally probable."""
    best = max(probabilities, key=probabilities.__getitem__)
    confidence = probabilities[best]
    return Emotion(emotion=best, confidence=confidence, probabilities=probabilities)


def emotion_event(probabilities: dict[str, float], answer: str | None) -> EmotionEvent:
    """Return the most probable label, the model's own words and whether they mean that label."""
    read = emotion(probabilities)
    matches = None if answer is None else _meant(answer) == _meant(read.emotion)
    return EmotionEvent(**read.model_dump(), answer=answer, answer_matches=matches)


def window_event(window: Window, probabilities: dict[str, float]) -> TimelineWindow:
    """Return the most probable label for a window of the clip, with its times in seconds."""
    return TimelineWindow(
        **emotion(probabilities).model_dump(),
        start=round(window.start, 3),
        end=round(window.end, 3),
        frame_time=window.clip.frame_time,
    )


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
    """Build the complete response.

    Args:
        emotion: the result for the whole clip.
        explanation: the model's explanation; None if the request did not ask for one.
        windows: the results for the timeline's windows.
        timeline: the analysed clip and its windows.
        request: the request.
        served: the checkpoint.
        prompt: the prompt from which the label probabilities were computed.
        prompt_tokens: the number of tokens of all prompts.
        completion_tokens: the number of tokens that were generated or scored.
        timing: the duration of each stage.
    """
    return EmotionResponse(
        **emotion.model_dump(),
        id=new_id(),
        model=served.name,
        explanation=explanation,
        timeline=sorted(windows, key=lambda w: w.start) if request.timeline else None,
        evidence=_evidence(timeline.whole, request, served, prompt),
        warnings=warnings_about(request, served, timeline),
        usage=Usage(
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            total_tokens=prompt_tokens + completion_tokens,
        ),
        timing=timing,
        notice=served.card.description,
    )


def new_id() -> str:
    """Return a new id for one response."""
    return f"emotion-{uuid.uuid4().hex}"


def _evidence(clip: Clip, request: EmotionRequest, served: Served, prompt: str) -> Evidence:
    sources = row_sources(clip, served.face_rows)
    is_read = any(sources[FEATURE_NAMES[row]] == "computed" for row in served.face_rows)
    return Evidence(
        frame_index=clip.frame_index,
        frame_time=clip.frame_time,
        frame_policy=request.frame,
        frame_used="middle" if clip.lacks_peak else request.frame,
        audio_seconds=clip.audio_seconds,
        has_audio=clip.waveform is not None,
        has_picture=clip.has_picture,
        video_track=_track(clip.video_track),
        audio_track=_track(clip.audio_track),
        features=[name for name, source in sources.items() if source == "given"],
        feature_rows=sources,
        faces=_faces(clip.faces),
        face_crops=len(clip.face_crops) if is_read and clip.face_crops is not None else 0,
        checkpoint=served.name,
        manifest=served.manifest,
        prompt=prompt,
    )


def _meant(words: str) -> str:
    """Return the words without the characters that do not change which label they name."""
    return meaning(words).rstrip(".。!")


def _faces(seen: clips.Faces | None) -> Faces | None:
    if seen is None:
        return None
    box = None if seen.box is None else Box(**dict(zip(Box.model_fields, seen.box, strict=True)))
    return Faces(count=seen.count, box=box, frames=seen.looked_at, share=seen.share)


def _track(track: tracks.Track | None) -> Track | None:
    return None if track is None else Track(**asdict(track))
