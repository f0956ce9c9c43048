"""The parts of one analysis, which end with it."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from emotion_llama.schema import EmotionRequest
from emotion_llama_server.emotion.request import Submission
from emotion_llama_server.emotion.service import Findings
from tests.unit.server.emotion.test_route import FakeEngine, analyst


class SlowlyEnding(FakeEngine):
    """Needs a few turns of the loop to end an explanation, as vLLM's engine does."""

    async def generate(self, prompt: Any, params: Any) -> AsyncGenerator[Any, None]:
        try:
            async for output in super().generate(prompt, params):
                yield output
        finally:
            self.running += 1
            for _ in range(5):
                await asyncio.sleep(0)
            self.running -= 1


@pytest.fixture
async def engine() -> SlowlyEnding:
    made = SlowlyEnding()
    made.goes_on.clear()
    return made


async def begun(engine: FakeEngine, root: Path) -> Findings:
    submission = Submission(EmotionRequest(video="clip.mp4"), None)
    return await analyst(engine, root, megabytes=0).take_up(submission)


async def test_leaving_the_events_early_waits_until_every_part_has_ended(
    engine: SlowlyEnding, tmp_path: Path
) -> None:
    findings, before = await begun(engine, tmp_path), asyncio.all_tasks()
    await anext(findings.events)
    assert engine.running == 1
    await findings.events.aclose()
    assert engine.running == 0
    assert asyncio.all_tasks() == before


async def test_a_cancelled_request_ends_after_all_of_its_parts(
    engine: SlowlyEnding, tmp_path: Path
) -> None:
    findings, before = await begun(engine, tmp_path), asyncio.all_tasks()
    asking = asyncio.create_task(findings.whole())
    while not engine.running:  # noqa: ASYNC110
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert engine.running == 0
    assert asyncio.all_tasks() == before
