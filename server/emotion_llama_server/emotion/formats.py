"""Writes the other formats of an answer: CSV or WebVTT timelines, and events of streams."""

import csv
import html
import io
from collections.abc import Sequence

from pydantic import BaseModel

from emotion_llama.schema import EVENTS, TimelineWindow

_NAMES = {kind: name for name, kind in EVENTS.items()}


def server_sent(event: BaseModel) -> str:
    """Return one event of a `text/event-stream`."""
    return f"event: {_NAMES[type(event)]}\ndata: {event.model_dump_json()}\n\n"


def as_csv(windows: Sequence[TimelineWindow]) -> str:
    """Return a CSV line for each window: start and end in seconds, the label, every probability."""
    text = io.StringIO()
    labels = list(windows[0].probabilities) if windows else []
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["start", "end", "emotion", "confidence", *labels])
    for window in windows:
        numbers = (window.confidence, *(window.probabilities[label] for label in labels))
        rounded = [f"{number:.6f}" for number in numbers]
        writer.writerow([f"{window.start:.3f}", f"{window.end:.3f}", window.emotion, *rounded])
    return text.getvalue()


def as_vtt(windows: Sequence[TimelineWindow]) -> str:
    """Return a WebVTT subtitle for each window: the label and its probability."""
    cues = (
        f"{_clock(window.start)} --> {_clock(window.end)}\n"
        f"{html.escape(' '.join(window.emotion.split()), quote=False)} {window.confidence:.0%}\n"
        for window in windows
    )
    return "\n".join(["WEBVTT\n", *cues])


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
