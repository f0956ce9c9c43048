"""Builds the options for all clips of `analyze`, and compares them with those of a results file."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.saved import Saved
from emotion_llama.commands.words import Words
from emotion_llama.plain import timeline_of
from emotion_llama.schema import FramePolicy, TimelineRequest


def asked_of_all(
    task: str,
    timeline: str | None,
    language: str,
    audio_track: int | None = None,
    frame: str = "first",
    *,
    transcribe: bool = False,
) -> dict[str, Any]:
    """Return the options for all clips."""
    if task not in ("emotion", "reason", "both"):
        raise CommandError(f"--task is emotion, reason or both, not {task!r}.")
    if language not in ("en", "zh"):
        raise CommandError(f"--language is en or zh, not {language!r}.")
    asked: dict[str, Any] = {"task": task}
    if language != "en":
        asked["language"] = language
    if audio_track is not None:
        asked["audio_track"] = audio_track
    if frame != "first":
        asked["frame"] = _frame(frame)
    if transcribe:
        asked["transcribe"] = True
    if timeline is not None:
        try:
            if "/" not in timeline:
                raise ValueError("one number")
            asked["timeline"] = TimelineRequest(**timeline_of(timeline))
        except ValueError as error:
            raise CommandError(
                "--timeline is WINDOW/STEP in seconds, as 2/1; a window has 0.5 at least."
            ) from error
    return asked


def _frame(frame: str) -> str | float:
    if frame in get_args(get_args(FramePolicy)[0]):
        return frame
    try:
        seconds = float(frame)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise CommandError(f"--frame is first, middle, peak or a time in seconds, not {frame!r}.")
    return seconds


def options_text(asked: dict[str, Any], *, has_words: bool, has_crops: bool = False) -> str:
    """Return the options for all clips in the form that a results file contains."""
    timeline: TimelineRequest | None = asked.get("timeline")
    told = {
        "task": asked["task"],
        "language": asked.get("language", "en"),
        "timeline": f"{timeline.window:g}/{timeline.step:g}" if timeline else "none",
        "transcripts": "server" if "transcribe" in asked else "yes" if has_words else "no",
    }
    if "audio_track" in asked:
        told["audio_track"] = str(asked["audio_track"])
    if "frame" in asked:
        told["frame"] = str(asked["frame"])
    if has_crops:
        told["face_crops"] = "yes"
    return " ".join(f"{name}={value}" for name, value in told.items())


def check_same(out: Path, saved: Saved, options: str, words: Words, clips: Sequence[str]) -> None:
    """Raise CommandError if a file's rows were made with other options."""
    for row in saved.rows:
        if row.options and row.options != options:
            raise CommandError(
                f"--resume: {out} was made with other options ({row.options}) than these "
                f"({options}): give the same ones, or write another file."
            )
    done = saved.done
    for clip in clips if words else ():
        told = done[clip].transcript if clip in done else None
        if told is not None and told != " ".join(words.get(clip, "").split()):
            raise CommandError(
                f"--resume: {out} has {clip} with other words than --transcripts has: "
                "write another file."
            )
