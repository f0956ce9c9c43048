"""Reimplements the model in plain torch and transformers, as the reference for ours.

It follows the original's files (`eva_vit.py`, `minigpt_v2.py:encode_img`) in float32, one clip at a
time, without any of our layers or vLLM's.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional as F
from transformers import HubertModel, LlamaForCausalLM, Wav2Vec2FeatureExtractor

from emotion_llama_vllm.config import EmotionLlamaConfig


class Reference:
    """Reads a checkpoint's tensors and computes with them."""

    def __init__(self, checkpoint: Path) -> None:
        self.config = EmotionLlamaConfig.from_pretrained(checkpoint)
        tensors = load_file(checkpoint / "model.safetensors")
        self.tensors = {name: tensor.float() for name, tensor in tensors.items()}
        self.hubert = HubertModel(self.config.audio).eval()
        self.hubert.load_state_dict(self._part("audio_tower."))
        self.llama = LlamaForCausalLM(self.config.text).float().eval()
        self.llama.load_state_dict(self._part("language_model."))

    def _part(self, prefix: str) -> dict[str, torch.Tensor]:
        return {n.removeprefix(prefix): t for n, t in self.tensors.items() if n.startswith(prefix)}

    @torch.inference_mode()
    def see(self, frame: npt.NDArray[np.uint8]) -> torch.Tensor:
        """Return CLS and patches after ln_vision, [1 + patches, width]."""
        c, t = self.config.vision, self._part("vision_tower.")
        size = (c.image_size, c.image_size)
        resized = Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC)
        pixels = torch.from_numpy(np.array(resized)).permute(2, 0, 1).float() / 255
        mean, std = (torch.tensor(v)[:, None, None] for v in (c.image_mean, c.image_std))
        pixels = ((pixels - mean) / std)[None]
        x = F.conv2d(
            pixels, t["patch_embed.proj.weight"], t["patch_embed.proj.bias"], stride=c.patch_size
        )
        x = torch.cat([t["cls_token"], x.flatten(2).transpose(1, 2)], 1) + t["pos_embed"]
        for index in range(c.num_hidden_layers):
            x = self._block(x, {n: t[f"blocks.{index}.{n}"] for n in _BLOCK})
        width = (c.hidden_size,)
        return F.layer_norm(x, width, t["ln_vision.weight"], t["ln_vision.bias"], c.ln_vision_eps)[
            0
        ]

    def _block(self, x: torch.Tensor, t: dict[str, torch.Tensor]) -> torch.Tensor:
        c = self.config.vision
        width, heads = c.hidden_size, c.num_attention_heads

        def norm(y: torch.Tensor, name: str) -> torch.Tensor:
            return F.layer_norm(
                y, (width,), t[f"{name}.weight"], t[f"{name}.bias"], c.layer_norm_eps
            )

        bias = torch.cat([t["attn.q_bias"], torch.zeros(width), t["attn.v_bias"]])
        qkv = F.linear(norm(x, "norm1"), t["attn.qkv.weight"], bias)
        q, k, v = qkv.view(1, -1, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        weights = (q * (width // heads) ** -0.5 @ k.transpose(-1, -2)).softmax(-1)
        attended = (weights @ v).transpose(1, 2).reshape(x.shape)
        x = x + F.linear(attended, t["attn.proj.weight"], t["attn.proj.bias"])
        inner = F.gelu(F.linear(norm(x, "norm2"), t["mlp.fc1.weight"], t["mlp.fc1.bias"]))
        return x + F.linear(inner, t["mlp.fc2.weight"], t["mlp.fc2.bias"])

    @torch.inference_mode()
    def hear(self, waveform: npt.NDArray[np.float32]) -> torch.Tensor:
        """Return HuBERT's mean feature, [feature size]."""
        extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
        values = extractor(waveform, sampling_rate=16_000, return_tensors="pt").input_values
        return self.hubert(values).last_hidden_state[0].mean(0)

    @torch.inference_mode()
    def embed(
        self,
        frame: npt.NDArray[np.uint8],
        waveform: npt.NDArray[np.float32] | None,
        features: npt.NDArray[np.float32] | None = None,
    ) -> torch.Tensor:
        """Return a clip's embeddings, [embeddings per clip, hidden size]."""
        rows = torch.zeros(3, self.config.feature_size)
        if waveform is not None:
            rows[2] = self.hear(waveform)
        if features is not None:
            given = torch.from_numpy(features)
            rows = torch.where(given.isnan(), rows, given)
        tokens = self.see(frame)
        image = tokens[1:].reshape(-1, self.config.patches_per_embedding * tokens.shape[1])
        parts = [self._project("llama_proj", image)]
        parts += [self._project(f"feats_llama_proj{i + 1}", rows[i : i + 1]) for i in range(3)]
        return torch.cat([*parts, self._project("cls_tk_llama_proj", tokens[:1])])

    def _project(self, name: str, values: torch.Tensor) -> torch.Tensor:
        return F.linear(values, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    @torch.inference_mode()
    def log_probabilities(
        self, prompt_ids: list[int], answer_ids: list[int], clip: torch.Tensor
    ) -> torch.Tensor:
        """Return the log-probability of each token of an answer, [answer].

        `prompt_ids` holds the clip's placeholder once for each of the clip's embeddings.
        """
        steps = self.logits(prompt_ids, answer_ids, clip).log_softmax(-1)
        return steps.gather(1, torch.tensor(answer_ids)[:, None])[:, 0]

    @torch.inference_mode()
    def logits(
        self, prompt_ids: list[int], answer_ids: list[int], clip: torch.Tensor
    ) -> torch.Tensor:
        """Return the scores from which each token of an answer is drawn, [answer, vocabulary]."""
        ids = prompt_ids + answer_ids
        embeddings = self.llama.get_input_embeddings()(torch.tensor(ids))
        embeddings[_longest_run(ids, self.config.video_token_id, len(clip))] = clip
        made: Any = self.llama(inputs_embeds=embeddings[None])
        return made.logits[0, len(prompt_ids) - 1 : -1]


_BLOCK = (
    *("norm1.weight", "norm1.bias", "attn.qkv.weight", "attn.q_bias", "attn.v_bias"),
    *("attn.proj.weight", "attn.proj.bias", "norm2.weight", "norm2.bias"),
    *("mlp.fc1.weight", "mlp.fc1.bias", "mlp.fc2.weight", "mlp.fc2.bias"),
)


def _longest_run(ids: list[int], token: int, length: int) -> slice:
    """Return the slice in which `token` stands `length` times in a row."""
    for start in range(len(ids) - length + 1):
        if all(i == token for i in ids[start : start + length]):
            return slice(start, start + length)
    raise AssertionError("the prompt holds no clip")


def relative_error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Return max|a-b| / max|b|."""
    return float((ours - theirs).abs().max() / theirs.abs().max())
