"""Runs `vllm.LLM` on a checkpoint folder as a user's script; only the penalty is ours.

`python -m tests.support.scripts.llm CHECKPOINT JOBS OUT [TENSOR_PARALLEL_SIZE]` runs pickled jobs,
first one by one, then all at once, and pickles both lists of answers.
"""

import pickle
import sys
from pathlib import Path
from typing import Any

from vllm import LLM, SamplingParams

from tests.support.scripts.offline import PENALTY, Answer, Job

ONE_PROCESS = "vllm.v1.executor.uniproc_executor.UniProcExecutor"
"""The executor's full name, because vLLM replaces "uni" by "mp" on CPUs."""


def main() -> None:
    checkpoint, given, made, *size = sys.argv[1:]
    ranks = int(size[0]) if size else 1
    llm = LLM(
        checkpoint,
        dtype="float32",
        enforce_eager=True,
        max_model_len=2048,
        max_logprobs=-1,
        tensor_parallel_size=ranks,
        distributed_executor_backend=ONE_PROCESS if ranks == 1 else "mp",
        kv_cache_memory_bytes=1 << 28,
        logits_processors=["emotion_llama_vllm.logits_processor:GeneratedRepetitionPenalty"],
    )
    jobs: list[Job] = pickle.loads(Path(given).read_bytes())
    alone = [_ask(llm, [job])[0] for job in jobs]
    llm.reset_prefix_cache()
    together = _ask(llm, jobs)
    Path(made).write_bytes(pickle.dumps((alone, together)))


def _ask(llm: Any, jobs: list[Job]) -> list[Answer]:
    prompts = [
        {
            "prompt" if isinstance(job.prompt, str) else "prompt_token_ids": job.prompt,
            "multi_modal_data": {"video": [(job.frames, job.metadata)]},
        }
        for job in jobs
    ]
    params = [
        SamplingParams(
            temperature=0,
            max_tokens=job.max_tokens,
            logprobs=-1,
            detokenize=False,  # saves decoding all tokens of the vocabulary at each step
            extra_args={PENALTY: job.penalty},
        )
        for job in jobs
    ]
    return [_plain(output) for output in llm.generate(prompts, params, use_tqdm=False)]


def _plain(output: Any) -> Answer:
    said = output.outputs[0]
    return Answer(
        prompt_ids=list(output.prompt_token_ids),
        ids=list(said.token_ids),
        log_probabilities=[
            step[token].logprob for step, token in zip(said.logprobs, said.token_ids, strict=True)
        ],
        first_step={token: value.logprob for token, value in said.logprobs[0].items()},
    )


if __name__ == "__main__":
    main()
