"""A user's script: `vllm.LLM` on a checkpoint folder, with nothing of ours named in it.

`python -m tests.support.offline CHECKPOINT CLIPS.npz [TENSOR_PARALLEL_SIZE]` asks about decoded
clips (arrays `frames0`, `waveform0`, `features0`, ...) and prints its answers as JSON.
"""

import json
import sys
from typing import Any

import numpy as np
from vllm import LLM, SamplingParams


def main() -> None:
    checkpoint, clips, *size = sys.argv[1:]
    llm = LLM(
        checkpoint,
        dtype="float32",
        enforce_eager=True,
        max_model_len=512,
        tensor_parallel_size=int(size[0]) if size else 1,
        kv_cache_memory_bytes=1 << 28,
    )
    text = "<s>[INST] <video><unk></video> <feature><FeatureHere></feature> why?  [/INST]"
    prompts: Any = [
        {"prompt": text, "multi_modal_data": {"video": [clip]}} for clip in _read(clips)
    ]
    outputs = llm.generate(prompts, SamplingParams(temperature=0, max_tokens=6, logprobs=0))
    print(json.dumps([_plain(output) for output in outputs]))


def _read(path: str) -> list[tuple[np.ndarray, dict[str, Any]]]:
    arrays = np.load(path)
    count = sum(name.startswith("frames") for name in arrays)
    clips = []
    for index in range(count):
        metadata: dict[str, Any] = {"sampling_rate": 16_000}
        for name in ("waveform", "features"):
            if f"{name}{index}" in arrays:
                metadata[name] = arrays[f"{name}{index}"]
        clips.append((arrays[f"frames{index}"], metadata))
    return clips


def _plain(output: Any) -> dict[str, Any]:
    answer = output.outputs[0]
    return {
        "prompt_ids": output.prompt_token_ids,
        "ids": list(answer.token_ids),
        "log_probabilities": [
            step[token].logprob
            for step, token in zip(answer.logprobs, answer.token_ids, strict=True)
        ],
    }


if __name__ == "__main__":
    main()
