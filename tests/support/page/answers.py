"""Gives the page answers without an engine, and takes it to a result."""

import math
from collections.abc import Sequence

from playwright.sync_api import Page, Route, expect

from emotion_llama.schema import (
    EmotionEvent,
    EmotionResponse,
    Evidence,
    ExplanationDelta,
    TimelineWindow,
    Timing,
    Usage,
)
from emotion_llama_server.emotion.formats import server_sent

LABELS = ("neutral", "angry", "happy", "sad", "worried", "surprise")
NOTICE = "A demonstration: its answers mean nothing about real people."
SECONDS = 2.667
"""The length of the sample `happy_face`."""


def timeline(
    labels: Sequence[str] = LABELS,
    seconds: float = SECONDS,
    window: float = 1.0,
    step: float = 0.5,
) -> list[TimelineWindow]:
    """Return windows whose shares go up and down; the last one ends with the clip."""
    count = int((seconds - window) / step + 1e-9) + 1
    starts = [step * index for index in range(count)]
    if starts[-1] + window < seconds - 0.1:
        starts.append(seconds - window)
    return [_window(labels, index, start, window) for index, start in enumerate(starts)]


def _window(labels: Sequence[str], index: int, start: float, window: float) -> TimelineWindow:
    shares = _shares(labels, index)
    emotion = max(shares, key=lambda label: shares[label])
    return TimelineWindow(
        start=round(start, 3),
        end=round(start + window, 3),
        emotion=emotion,
        confidence=shares[emotion],
        probabilities=shares,
        frame_time=round(start * 12) / 12,
    )


def _shares(labels: Sequence[str], index: int) -> dict[str, float]:
    weights = {
        label: math.exp(3 * math.sin(index * 0.9 / (1 + place * 0.3) + place * 1.7))
        for place, label in enumerate(labels)
    }
    return {label: weight / sum(weights.values()) for label, weight in weights.items()}


def response(windows: list[TimelineWindow], frame_time: float = 0.0) -> EmotionResponse:
    """Return an answer with these windows; `frame_time` is that of the whole clip's picture."""
    shares = windows[0].probabilities
    evidence = Evidence(
        frame_index=round(frame_time * 12),
        frame_time=frame_time,
        frame_policy=frame_time,
        audio_seconds=SECONDS,
        has_audio=True,
        features=[],
        checkpoint="demo",
        manifest=None,
        prompt="",
    )
    return EmotionResponse(
        id="emo-1",
        model="demo",
        emotion=windows[0].emotion,
        confidence=windows[0].confidence,
        probabilities=shares,
        answer="happy",
        answer_matches=True,
        explanation="The face shows raised cheeks.",
        timeline=windows,
        evidence=evidence,
        usage=Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2),
        timing=Timing(fetch=0.0, decode=0.1, queue=0.0, first_token=0.4, total=0.9),
        notice=NOTICE,
    )


def answer_with(page: Page, answer: EmotionResponse, *, breaks_off: bool = False) -> None:
    """Have the page's questions answered by a stream, which may end before the whole answer."""
    emotion = EmotionEvent.model_validate(answer.model_dump(include=set(EmotionEvent.model_fields)))
    words = ExplanationDelta(delta=answer.explanation or "")
    events = [emotion, *(answer.timeline or []), words, *([] if breaks_off else [answer])]
    body = "".join(server_sent(event) for event in events)

    def fulfil(route: Route) -> None:
        route.fulfill(body=body, content_type="text/event-stream")

    page.route("**/v1/emotion", fulfil)


def take_sample(page: Page, name: str = "Happy face") -> None:
    """Choose a sample and wait until it is the clip, instead of the one before."""
    page.get_by_role("button", name=name).click()
    expect(page.locator("#analyse")).to_be_focused()


def analyse_sample(page: Page, name: str = "Happy face") -> None:
    """Choose a sample and wait for its whole answer."""
    take_sample(page, name)
    page.locator("#analyse").click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible(timeout=60_000)
