"""Holds the trainable projections and Llama, and puts a LoRA on the Llama."""

import torch
from torch import nn
from transformers import LlamaForCausalLM

from demo.training.originals import LORA_NAME, LORA_RANK
from emotion_llama_vllm.checkpoint.layout import projection_shapes
from emotion_llama_vllm.config import EmotionLlamaConfig

LORA_ALPHA = 16


class Speaker(nn.Module):
    """Holds the projections and the Llama."""

    def __init__(self, config: EmotionLlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.llama = LlamaForCausalLM(config.text)
        shapes = projection_shapes(config)
        names = [name.removesuffix(".weight") for name in shapes if name.endswith(".weight")]
        self.projections = nn.ModuleDict(
            {name: _linear(*shapes[f"{name}.weight"]) for name in names}
        )

    def forward(self, ids: torch.Tensor, image: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the Llama's last hidden states, [N, length, hidden].

        Args:
            ids: [N, length], padded at the end; the clip's id only in a clip's place.
            image: [N, 1 + patches, width].
            rows: FaceMAE, VideoMAE and sound, [N, 3, feature size].
        """
        embeddings = self.llama.get_input_embeddings()(ids)
        clip = self._clip(image, rows).to(embeddings.dtype)
        embeddings[ids == self.config.video_token_id] = clip.flatten(0, 1)
        return self.llama.model(inputs_embeds=embeddings, use_cache=False).last_hidden_state

    def _clip(self, image: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return a clip's embeddings [N, embeddings, hidden], in the order of the served model.

        The order is image, FaceMAE, VideoMAE, audio, CLS.
        """
        p = self.projections
        patches = image[:, 1:].unflatten(1, (-1, self.config.patches_per_embedding)).flatten(2)
        features = [p[f"feats_llama_proj{i + 1}"](row) for i, row in enumerate(rows.split(1, 1))]
        cls_token = p["cls_tk_llama_proj"](image[:, :1])
        return torch.cat([p["llama_proj"](patches), *features, cls_token], 1)


def _linear(rows: int, columns: int) -> nn.Linear:
    return nn.Linear(columns, rows)


class LoraLinear(nn.Module):
    """Computes a frozen layer plus the product of two small ones."""

    def __init__(self, frozen: nn.Linear) -> None:
        super().__init__()
        self.frozen = frozen
        self.A = nn.Linear(frozen.in_features, LORA_RANK, bias=False)
        self.B = nn.Linear(LORA_RANK, frozen.out_features, bias=False)
        nn.init.zeros_(self.B.weight)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.frozen(hidden) + LORA_ALPHA / LORA_RANK * self.B(self.A(hidden))


def add_lora(speaker: Speaker) -> None:
    """Freeze the Llama and add a LoRA to its q_proj and v_proj."""
    speaker.llama.requires_grad_(False)
    for layer in speaker.llama.model.layers:
        attention = layer.self_attn
        attention.q_proj, attention.v_proj = map(LoraLinear, (attention.q_proj, attention.v_proj))  # type: ignore[assignment, arg-type]


def take_lora(speaker: Speaker) -> dict[str, torch.Tensor]:
    """Remove the LoRA from the Llama and return it under the original's names."""
    taken = {}
    for index, layer in enumerate(speaker.llama.model.layers):
        for letter in "qv":
            name = f"{letter}_proj"
            lora: LoraLinear = getattr(layer.self_attn, name)  # type: ignore[assignment]
            for half in "AB":
                weight = getattr(lora, half).weight.detach()
                taken[LORA_NAME.format(index, letter, half)] = weight
            setattr(layer.self_attn, name, lora.frozen)
    return taken
