"""Reads the original's `Emotion_LLaMA.pth`: its LoRA pairs and projections."""

import re
from pathlib import Path

import torch

from emotion_llama_vllm.checkpoint.tensors import Artefact, ConversionError

ROLE = "--checkpoint"

_LORA = re.compile(r"llama_model\.base_model\.model\.(.+)\.lora_A\.weight")
_IGNORED = re.compile(r"attention\.|.*\.rotary_emb\.inv_freq$")


def open_adapter(file: Path) -> Artefact:
    """Open the file and check that it is an Emotion-LLaMA checkpoint.

    Raises:
        ConversionError: the file is another kind of checkpoint.
    """
    adapter = Artefact(ROLE, [file], inside=("model",))
    if "llama_proj.weight" in adapter:
        return adapter
    guess = ""
    if "patch_embed.proj.weight" in adapter:
        guess = "; it looks like the EVA file, which goes to --eva"
    elif "model.embed_tokens.weight" in adapter or "lm_head.weight" in adapter:
        guess = "; it looks like a plain Llama, which goes to --llama"
    raise ConversionError(
        f"{file} has no llama_proj.weight, so it is no Emotion-LLaMA checkpoint{guess}."
    )


class Lora:
    """Merges the LoRA pairs into the Llama's weights; the merge is exact in float32."""

    def __init__(self, adapter: Artefact, alpha: float) -> None:
        self._adapter = adapter
        self._alpha = alpha
        self._targets = {
            match[1]: match[0] for name in adapter.names() if (match := _LORA.fullmatch(name))
        }
        if not self._targets:
            raise ConversionError(
                f"{adapter.files[0]} has no LoRA tensors (....lora_A.weight); "
                "the released checkpoint has one pair for each q_proj and v_proj."
            )
        self.rank = adapter.shape(next(iter(self._targets.values())))[0]
        self._merged: set[str] = set()

    def merge(self, name: str, weight: torch.Tensor) -> torch.Tensor:
        """Return `W + alpha / r * B A`, or the weight itself if it has no LoRA pair."""
        target = name.removesuffix(".weight")
        if target not in self._targets:
            return weight
        down_name = self._targets[target]
        rows, columns = weight.shape
        down = self._adapter.take(down_name, (self.rank, columns))
        up = self._adapter.take(down_name.replace("lora_A", "lora_B"), (rows, self.rank))
        self._merged.add(target)
        return weight.float() + self._alpha / self.rank * (up.float() @ down.float())

    def finish(self) -> None:
        """Check that every LoRA pair was merged into a weight."""
        if left := sorted(self._targets.keys() - self._merged):
            raise ConversionError(
                f"{self._adapter.files[0]}: {self._targets[left[0]]} changes {left[0]}, "
                "which the Llama does not have."
            )


def is_ignored(name: str) -> bool:
    """Return whether the model does not need this tensor.

    These are the unused feature-fusion head, and buffers that transformers used to save.
    """
    return _IGNORED.match(name) is not None
