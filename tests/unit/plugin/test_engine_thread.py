"""Requests of several callers in one engine: who shares a step, and what an error ends."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from vllm.outputs import CompletionOutput, RequestOutput
from vllm.sampling_params import SamplingParams
from vllm.v1.engine.exceptions import EngineDeadError

from emotion_llama_vllm.engine_thread import EngineThread, Prompt


class Engine:
    """Finishes a request after as many steps as it may generate tokens."""

    def __init__(self) -> None:
        self.renderer = SimpleNamespace(render_cmpl=self._render)
        self.running: dict[str, tuple[list[int], int]] = {}
        self.steps: list[set[str]] = []
        self.renders = 0
        self.may_step = threading.Semaphore(0)
        self.has_begun = threading.Event()
        self.error: Exception | None = None

    def _render(self, prompts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.renders += 1
        return prompts

    def add_request(self, name: str, prompt: dict[str, Any], params: SamplingParams) -> None:
        if len(prompt["prompt_token_ids"]) > 4:
            raise ValueError("too long")
        self.running[name] = (prompt["prompt_token_ids"], params.max_tokens or 0)

    def abort_request(self, names: list[str]) -> None:
        for name in names:
            del self.running[name]

    def step(self) -> list[RequestOutput]:
        self.has_begun.set()
        assert self.may_step.acquire(timeout=10)
        if self.error:
            raise self.error
        self.steps.append(set(self.running))
        ended = [name for name, (_, left) in self.running.items() if left == 1]
        outputs = [output(name, self.running.pop(name)[0]) for name in ended]
        self.running = {name: (ids, left - 1) for name, (ids, left) in self.running.items()}
        return outputs


def output(name: str, ids: list[int], reason: str = "stop") -> RequestOutput:
    said = CompletionOutput(0, "", [], None, None, finish_reason=reason)
    return RequestOutput(name, None, ids, None, [said], finished=True)


def prompt(ids: list[int], *asks: tuple[list[int], int]) -> Prompt:
    return Prompt(
        {"prompt_token_ids": ids},
        [(tokens, SamplingParams(max_tokens=steps)) for tokens, steps in asks],
    )


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def requests(engine: Engine) -> Iterator[EngineThread]:
    thread = EngineThread(cast(Any, engine))
    yield thread
    engine.may_step.release(100)
    thread.stop()


def test_a_prompt_is_rendered_once_for_all_that_is_asked_after_it(
    engine: Engine, requests: EngineThread
) -> None:
    done = requests.submit([prompt([1], ([], 2), ([5, 6], 1)), prompt([2], ([], 1))])
    engine.may_step.release(2)
    assert [output.prompt_token_ids for output in done.result(10)] == [[1], [1, 5, 6], [2]]
    assert engine.renders == 2


def test_new_requests_join_those_that_run(engine: Engine, requests: EngineThread) -> None:
    long = requests.submit([prompt([1], ([], 3))])
    assert engine.has_begun.wait(10)
    short = requests.submit([prompt([2], ([], 1))])
    engine.may_step.release(2)
    assert short.result(10)
    assert not long.done()
    assert [len(names) for names in engine.steps] == [1, 2]
    engine.may_step.release()
    assert long.result(10)


def test_a_prompt_that_is_refused_takes_its_companions_along_and_no_others(
    engine: Engine, requests: EngineThread
) -> None:
    other = requests.submit([prompt([1], ([], 2))])
    assert engine.has_begun.wait(10)
    refused = requests.submit([prompt([1], ([], 1)), prompt([1, 2, 3, 4, 5], ([], 1))])
    engine.may_step.release(2)
    with pytest.raises(ValueError, match="too long"):
        refused.result(10)
    assert len(other.result(10)) == 1
    assert [len(names) for names in engine.steps] == [1, 1]


def test_a_request_that_the_engine_gives_up_is_an_error(
    engine: Engine, requests: EngineThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up = [output("many-0", [1], "error")]
    monkeypatch.setattr(engine, "step", lambda: given_up)
    with pytest.raises(RuntimeError, match="refused"):
        requests.submit([prompt([1], ([], 1))]).result(10)


def test_an_engine_that_fails_leaves_nobody_waiting(engine: Engine, requests: EngineThread) -> None:
    engine.error = OSError("gone")
    engine.may_step.release(2)
    for _ in range(2):
        with pytest.raises(EngineDeadError) as caught:
            requests.submit([prompt([1], ([], 1), ([2], 1))]).result(10)
        assert caught.value.__cause__ is engine.error
        engine.running.clear()
