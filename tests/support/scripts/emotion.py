"""A user's script analyses clips with `LocalEmotionLLaMA` and scores each label with its `llm`.

`python -m tests.support.scripts.emotion GIVEN OUT` reads `{"clips": [{"path", "labels"}]}` and
writes, for each clip, the analysis alone and among the others, and the labels' log-probabilities.
"""

import json
import sys
from pathlib import Path
from typing import Any

from vllm import LLM, SamplingParams

from emotion_llama_vllm import LocalEmotionLLaMA
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.settings import MediaSettings


def main() -> None:
    given, out = map(Path, sys.argv[1:])
    model = LocalEmotionLLaMA("demo", dtype="float32")
    clips = json.loads(given.read_text())["clips"]
    found = []
    for clip in clips:
        analysis = model.analyze(clip["path"], labels=clip["labels"], max_tokens=20)
        faces = analysis.evidence.faces
        assert faces is not None
        scores = score_alone(model.llm, clip, analysis.evidence.prompt, faces.frames)
        found.append({"analysis": analysis.model_dump(), "scores": scores})
    labels = {clip["path"]: {"labels": clip["labels"]} for clip in clips}
    together = model.analyze_many(labels, own_fields=lambda clip: labels[clip], max_tokens=20)
    for clip, one in zip(found, together, strict=True):
        if one.error is not None:
            raise one.error
        assert one.response is not None
        clip["together"] = one.response.model_dump()
    out.write_text(json.dumps(found))


def score_alone(llm: LLM, clip: dict[str, Any], prompt: str, face_frames: int) -> list[float]:
    """Return the summed log-probabilities of each label's tokens and of the end, from one read."""
    tokenizer: Any = llm.get_tokenizer()
    settings = MediaSettings(face_frames=face_frames)
    decoded = decode(Path(clip["path"]).read_bytes(), face_rows=(0, 1), settings=settings)
    asked = tokenizer.encode(prompt, add_special_tokens=False)
    scores = []
    for label in clip["labels"]:
        said = [*tokenizer.encode(label, add_special_tokens=False), tokenizer.eos_token_id]
        whole: Any = {
            "prompt_token_ids": [*asked, *said],
            "multi_modal_data": {"video": [(decoded.frame[None], decoded.metadata())]},
        }
        params = SamplingParams(max_tokens=1, prompt_logprobs=0)
        (output,) = llm.generate(whole, params, use_tqdm=False)
        steps: Any = output.prompt_logprobs
        ends = steps[-len(said) :]
        scores.append(sum(s[t].logprob for s, t in zip(ends, said, strict=True)))
    return scores


if __name__ == "__main__":
    main()
