"""Runs the requests of several threads in one vLLM engine, whose steps serve all of them."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any

from vllm import SamplingParams
from vllm.outputs import RequestOutput
from vllm.sampling_params import RequestOutputKind
from vllm.v1.engine.exceptions import EngineDeadError

from emotion_llama_vllm.logger import logger


@dataclass(frozen=True)
class Prompt:
    """Describes what is asked after one prompt; the prompt is rendered once for all of it."""

    content: dict[str, Any]
    """The prompt as `vllm.LLM.generate` takes it, with token ids."""
    asks: Sequence[tuple[Sequence[int], SamplingParams]]
    """The tokens that follow the prompt, and how to go on after them."""


@dataclass(eq=False)
class _Work:
    """Holds the requests that one caller waits for."""

    prompts: Sequence[Prompt]
    done: Future[list[RequestOutput]] = field(default_factory=Future)
    outputs: dict[str, RequestOutput | None] = field(default_factory=dict)
    """Maps the id of each request to its output; None until it is finished."""


class EngineThread:
    """Adds requests to an engine and computes its steps, in a thread of its own.

    `vllm.LLM.generate` returns when the last of its requests has finished, and takes no other ones
    meanwhile. Here a step has the requests of everybody who waits.

    Args:
        engine: a `vllm.LLMEngine` that nobody else uses while requests run.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._new: SimpleQueue[_Work | None] = SimpleQueue()
        self._working: dict[str, _Work] = {}
        """The work to which each request in the engine belongs."""
        self._ids = map("many-{}".format, itertools.count())
        Thread(target=self._run, name="engine", daemon=True).start()

    def submit(self, prompts: Sequence[Prompt]) -> Future[list[RequestOutput]]:
        """Return the future outputs of these prompts' requests, in their order.

        The future raises:
            VLLMError: the model cannot take a prompt.
            RuntimeError: the engine has refused a request.
            EngineDeadError: the engine has failed, and answers nothing any more.
        """
        work = _Work(prompts)
        self._new.put(work)
        return work.done

    def stop(self) -> None:
        """End the thread after the requests that run."""
        self._new.put(None)

    def _run(self) -> None:
        try:
            self._serve()
        except Exception as error:
            logger.exception("The engine has failed.")
            self._fail_all(error)

    def _serve(self) -> None:
        """Add what arrives and compute steps until the end of the thread."""
        while True:
            for work in self._arrived():
                if work is None:
                    return
                if work.done.set_running_or_notify_cancel():
                    self._add(work)
            if self._working:
                for output in self._engine.step():
                    if output.finished:
                        self._finish(output)

    def _fail_all(self, cause: Exception) -> None:
        """Fail the work in the engine, and all that still comes."""
        for work in dict.fromkeys(self._working.values()):
            work.done.set_exception(_dead(cause))
        while (work := self._new.get()) is not None:
            if work.done.set_running_or_notify_cancel():
                work.done.set_exception(_dead(cause))

    def _arrived(self) -> Iterator[_Work | None]:
        """Yield the new work; wait for some if there is nothing to compute."""
        if not self._working:
            yield self._new.get()
        while not self._new.empty():
            yield self._new.get()

    def _add(self, work: _Work) -> None:
        """Add the requests of a work to the engine, or none of them."""
        try:
            for prompt in work.prompts:
                (rendered,) = self._engine.renderer.render_cmpl([prompt.content])
                for tokens, params in prompt.asks:
                    self._add_one(work, rendered, tokens, params)
        except Exception as error:
            for name in work.outputs:
                del self._working[name]
            work.done.set_exception(error)
            self._engine.abort_request(list(work.outputs))

    def _add_one(
        self, work: _Work, rendered: Any, tokens: Sequence[int], params: SamplingParams
    ) -> None:
        name = next(self._ids)
        params.output_kind = RequestOutputKind.FINAL_ONLY
        longer = {**rendered, "prompt_token_ids": [*rendered["prompt_token_ids"], *tokens]}
        self._engine.add_request(name, longer, params)
        work.outputs[name] = None
        self._working[name] = work

    def _finish(self, output: RequestOutput) -> None:
        work = self._working.pop(output.request_id)
        work.outputs[output.request_id] = output
        outputs = [output for output in work.outputs.values() if output is not None]
        if len(outputs) < len(work.outputs):
            return
        if any(output.outputs[0].finish_reason == "error" for output in outputs):
            work.done.set_exception(RuntimeError("The engine refused a request."))
        else:
            work.done.set_result(outputs)


def _dead(cause: Exception) -> EngineDeadError:
    error = EngineDeadError()
    error.__cause__ = cause
    return error
