"""Applies the original's repetition penalty, as a logits processor of vLLM's V1 model runner.

`vllm serve ... --logits-processors emotion_llama_vllm.logits_processor:GeneratedRepetitionPenalty`
"""

import torch
from vllm import SamplingParams
from vllm.config import VllmConfig
from vllm.exceptions import VLLMValidationError
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor, MoveDirectionality

from emotion_llama_vllm.original import PENALTY_FIELD


class GeneratedRepetitionPenalty(LogitsProcessor):
    """Penalises generated tokens and one BOS, but never the prompt.

    The original generates from embeddings, so Hugging Face's penalty received no prompt except a
    single BOS; vLLM's own penalty includes the prompt. For each distinct token, a score above zero
    is divided by the penalty and any other score is multiplied by it.
    """

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        penalty = (sampling_params.extra_args or {}).get(PENALTY_FIELD)
        if penalty is None:
            return
        if isinstance(penalty, bool) or not isinstance(penalty, int | float) or not penalty > 0:
            raise VLLMValidationError(
                f"{PENALTY_FIELD} must be a number above 0.", parameter="vllm_xargs"
            )

    def __init__(self, vllm_config: VllmConfig, device: torch.device, is_pin_memory: bool) -> None:
        self._bos = vllm_config.model_config.hf_text_config.bos_token_id
        self._penalties: dict[int, tuple[float, list[int]]] = {}

    def is_argmax_invariant(self) -> bool:
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        """Follow the requests through the batch; vLLM extends their lists of output ids itself."""
        if batch_update is None:
            return
        for index in batch_update.removed:
            self._penalties.pop(index, None)
        for index, params, _, output_ids in batch_update.added:
            penalty = (params.extra_args or {}).get(PENALTY_FIELD, 1.0)
            self._put(index, None if penalty == 1.0 else (float(penalty), output_ids))
        for source, target, direction in batch_update.moved:
            moved = self._penalties.pop(source, None)
            if direction is MoveDirectionality.SWAP:
                self._put(source, self._penalties.get(target))
            self._put(target, moved)

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        for index, (penalty, output_ids) in self._penalties.items():
            # vLLM writes -1 for a token that is not known yet.
            seen = {self._bos, *output_ids} - {-1}
            ids = torch.tensor(sorted(seen), device=logits.device)
            scores = logits[index, ids]
            logits[index, ids] = torch.where(scores > 0, scores / penalty, scores * penalty)
        return logits

    def _put(self, index: int, entry: tuple[float, list[int]] | None) -> None:
        if entry is None:
            self._penalties.pop(index, None)
        else:
            self._penalties[index] = entry
