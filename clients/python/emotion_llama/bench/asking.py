"""Sends one request and measures its times."""

import time
from itertools import pairwise

import httpx2

from emotion_llama.bench.clips import Question
from emotion_llama.bench.figures import Record
from emotion_llama.bench.routes import Heard, Route, Target
from emotion_llama.errors import EmotionLLaMAError

_DIGITS = 6
"""The number of decimals of a time in seconds, because a report has thousands of times."""


async def ask(route: Route, target: Target, question: Question, began: float) -> Record:
    """Send a request, and record the time of each part of the answer.

    Args:
        route: the route of the request.
        target: the server.
        question: the question.
        began: the start of the run (`time.perf_counter`).
    """
    heard, kind, message = Heard(), None, None
    started = time.perf_counter()
    try:
        await route.ask(target, question, heard)
    except (EmotionLLaMAError, httpx2.RequestError) as error:
        kind, message = _kind(error), str(error) or type(error).__name__
    ended = time.perf_counter()
    return Record(
        clip=question.clip.name,
        question=question.number,
        start=round(started - began, _DIGITS),
        end_to_end=round(ended - started, _DIGITS),
        ttft=round(heard.pieces[0] - started, _DIGITS) if heard.pieces else None,
        gaps=[round(later - earlier, _DIGITS) for earlier, later in pairwise(heard.pieces)],
        output_tokens=heard.output_tokens,
        error=kind,
        message=message,
    )


def _kind(error: Exception) -> str:
    """Return the status of an error response, or else the exception's name."""
    status = getattr(error, "status", None)
    return type(error).__name__ if status in (None, 200) else str(status)
