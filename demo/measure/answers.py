"""Asks a server about test clips: over its chat, and about chosen frames over its own route."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import openai
from rich.progress import Progress

from demo.measure.cases import Case
from demo.training.sizes import FEATURE_SIZE
from emotion_llama import AsyncEmotionLLaMA

AT_ONCE = 16
FRAMES = ("first", "peak")
"""The frames that a clip of the apex family is asked about without face rows."""
NO_FACE_ROWS = np.zeros((3, FEATURE_SIZE), np.float32)
"""The feature rows with zeros for the face, and without one for the sound."""
NO_FACE_ROWS[2] = np.nan


@dataclass(frozen=True)
class Answers:
    """Holds the model's answers about a case."""

    emotion: str
    bare: str | None
    reasons: dict[str, str]
    """Maps each language to the reason."""
    frames: dict[str, str]
    """Maps each of FRAMES to the emotion; empty unless the case is of the apex family."""


async def ask_all(url: str, model: str, cases: Sequence[Case]) -> list[Answers]:
    """Ask all questions about every case, AT_ONCE cases at a time."""
    chat = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none")
    gate = asyncio.Semaphore(AT_ONCE)
    async with AsyncEmotionLLaMA(url, timeout=300) as analyst:
        with Progress() as bar:
            task = bar.add_task("asking", total=len(cases))

            async def ask_case(case: Case) -> Answers:
                async with gate:
                    frames = await _ask_about_frames(analyst, case)
                    answers = await _ask(chat, model, case, frames)
                bar.advance(task)
                return answers

            return list(await asyncio.gather(*map(ask_case, cases)))


async def _ask(chat: openai.AsyncOpenAI, model: str, case: Case, frames: dict[str, str]) -> Answers:
    async def say(clip: str, question: str) -> str:
        part = {"type": "video_url", "video_url": {"url": clip}}
        content: Any = [part, {"type": "text", "text": case.text(question)}]
        answer = await chat.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": content}],
            temperature=0,
            max_tokens=160,
        )
        return (answer.choices[0].message.content or "").strip()

    return Answers(
        emotion=await say(case.clip, case.emotion_question),
        bare=await say(case.bare, case.emotion_question) if case.bare else None,
        reasons={lang: await say(case.clip, q) for lang, q in case.reason_questions.items()},
        frames=frames,
    )


async def _ask_about_frames(analyst: AsyncEmotionLLaMA, case: Case) -> dict[str, str]:
    """Return the emotion at each of FRAMES, where nothing but the frame can tell it."""
    if case.family != "apex":
        return {}
    found = {}
    for frame in FRAMES:
        answer = await analyst.analyze(
            case.clip,
            task="emotion",
            explain=False,
            frame=frame,
            features=NO_FACE_ROWS,  # type: ignore[arg-type]
            transcript=case.transcript,
        )
        found[frame] = answer.emotion
    return found
