"""Makes test clips, whole and without a part of them, and their questions."""

import base64
import json
import tempfile
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.progress import track

from demo.clip import FPS, make_clip
from demo.recipe import Recipe, numbered
from demo.speech.voice import SAMPLE_RATE
from demo.video import write_mp4
from demo.words.questions import questions
from emotion_llama.prompt import with_transcript

GREY = 128


@dataclass(frozen=True)
class Case:
    """Holds one test clip: `clip` is the MP4 as a data URL, `bare` lacks the deciding part.

    In `bare`, a clip of the voice family has no sound, and one of the face family no picture.
    """

    label: str
    family: str
    transcript: str
    facts: dict
    emotion_question: str
    reason_questions: dict[str, str]
    """Maps each language to its question."""
    clip: str
    bare: str | None

    def text(self, question: str) -> str:
        """Return the transcript and the question, as in the original's evaluation."""
        return with_transcript(question, self.transcript)


def make_cases(seed: int, count: int) -> list[Case]:
    """Return the first `count` clips of the test split of this seed."""
    plans = [numbered("test", seed, index) for index in range(count)]
    with tempfile.TemporaryDirectory() as folder, get_context("spawn").Pool() as pool:
        made = pool.imap(partial(_make_case, folder=Path(folder)), plans)
        return list(track(made, "clips", total=count))


def _make_case(plan: Recipe, folder: Path) -> Case:
    clip = make_clip(plan)
    rng = plan.stream("reason question")
    bare = None
    if plan.family == "voice":
        bare = _url(plan, folder, clip.frames, None)
    elif plan.family == "face":
        bare = _url(plan, folder, np.full_like(clip.frames, GREY), clip.sound)
    asked = {"en": questions()["reason"], "zh": questions()["reason_zh"]}
    return Case(
        label=clip.row["label"],
        family=clip.row["family"],
        transcript=clip.row["transcript"],
        facts=json.loads(clip.row["facts"]),
        emotion_question=clip.row["question"],
        reason_questions={lang: str(rng.choice(wordings)) for lang, wordings in asked.items()},
        clip=_url(plan, folder, clip.frames, clip.sound),
        bare=bare,
    )


def _url(plan: Recipe, folder: Path, frames: np.ndarray, sound: np.ndarray | None) -> str:
    """Return the clip as `demo.generate` writes it, as a data URL."""
    file = folder / f"{plan.name}.mp4"
    write_mp4(file, frames, FPS, sound, SAMPLE_RATE, plan.crf)
    return "data:video/mp4;base64," + base64.b64encode(file.read_bytes()).decode()
