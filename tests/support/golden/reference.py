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
        files = sorted(checkpoint.glob("*.safetensors"))
        tensors = (item for file in files for item in load_file(file).items())
        self.tensors = {name: tensor.float() for name, tensor in tensors}
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
        x = _blocks(x, t, c)
        width = (c.hidden_size,)
        return F.layer_norm(x, width, t["ln_vision.weight"], t["ln_vision.bias"], c.ln_vision_eps)[
            0
        ]

    @torch.inference_mode()
    def watch(self, crops: npt.NDArray[np.uint8]) -> torch.Tensor:
        """Return the rows of FaceMAE and VideoMAE, [2, feature size]; zeros without an encoder."""
        large = [Image.fromarray(c).resize((224, 224), Image.Resampling.BILINEAR) for c in crops]
        pixels = torch.stack([torch.from_numpy(np.array(p)).permute(2, 0, 1) / 255 for p in large])
        rows = torch.zeros(2, self.config.feature_size)
        if (c := self.config.face_mae) is not None:
            t = self._part("face_mae.")
            x = F.conv2d(pixels, t["patch_embed.proj.weight"], t["patch_embed.proj.bias"], 16)
            x = x.flatten(2).transpose(1, 2)
            x = torch.cat([t["cls_token"].expand(len(x), -1, -1), x], 1) + t["pos_embed"]
            x = _blocks(x, t, c)[:, 0]
            norm = (t["norm.weight"], t["norm.bias"])
            rows[0] = F.layer_norm(x, x.shape[1:], *norm, c.layer_norm_eps).mean(0)
        if (c := self.config.video_mae) is not None:
            t = self._part("video_mae.")
            video = pixels[_sixteen(len(pixels))].transpose(0, 1)[None]
            bias, stride = t["patch_embed.proj.bias"], (2, 16, 16)
            x = F.conv3d(video, t["patch_embed.proj.weight"], bias, stride)
            x = x.flatten(2).transpose(1, 2) + _positions(1568, c.hidden_size)
            rows[1] = _blocks(x, t, c)[0].mean(0)
        return rows

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
        face_crops: npt.NDArray[np.uint8] | None = None,
    ) -> torch.Tensor:
        """Return a clip's embeddings, [embeddings per clip, hidden size]."""
        rows = torch.zeros(3, self.config.feature_size)
        if face_crops is not None:
            rows[:2] = self.watch(face_crops)
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


def _blocks(x: torch.Tensor, tensors: dict[str, torch.Tensor], config: Any) -> torch.Tensor:
    for index in range(config.num_hidden_layers):
        start = f"blocks.{index}."
        block = {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}
        x = _block(x, block, config)
    return x


def _block(x: torch.Tensor, t: dict[str, torch.Tensor], config: Any) -> torch.Tensor:
    width, heads = config.hidden_size, config.num_attention_heads

    def norm(y: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = t[f"{name}.weight"], t[f"{name}.bias"]
        return F.layer_norm(y, (width,), weight, bias, config.layer_norm_eps)

    if (bias := t.get("attn.qkv.bias")) is None:
        bias = torch.cat([t["attn.q_bias"], torch.zeros(width), t["attn.v_bias"]])
    qkv = F.linear(norm(x, "norm1"), t["attn.qkv.weight"], bias)
    q, k, v = qkv.view(*x.shape[:2], 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    weights = (q * (width // heads) ** -0.5 @ k.transpose(-1, -2)).softmax(-1)
    attended = (weights @ v).transpose(1, 2).reshape(x.shape)
    x = x + F.linear(attended, t["attn.proj.weight"], t["attn.proj.bias"])
    inner = F.gelu(F.linear(norm(x, "norm2"), t["mlp.fc1.weight"], t["mlp.fc1.bias"]))
    return x + F.linear(inner, t["mlp.fc2.weight"], t["mlp.fc2.bias"])


def _sixteen(frames: int) -> list[int]:
    """Return the frames that VideoMAE reads: eight pairs, or eight times the first two."""
    if frames <= 9:
        return [0, min(1, frames - 1)] * 8
    tick = (frames - 1) / 8
    starts = [int(tick / 2 + tick * i) for i in range(8)]
    return [index for start in starts for index in (start, min(start + 1, frames - 1))]


def _positions(count: int, width: int) -> torch.Tensor:
    table = np.array(
        [[p / 10_000 ** (2 * (j // 2) / width) for j in range(width)] for p in range(count)]
    )
    table[:, 0::2], table[:, 1::2] = np.sin(table[:, 0::2]), np.cos(table[:, 1::2])
    return torch.from_numpy(table).float()


def _longest_run(ids: list[int], token: int, length: int) -> slice:
    """Return the slice in which `token` stands `length` times in a row."""
    for start in range(len(ids) - length + 1):
        if all(i == token for i in ids[start : start + length]):
            return slice(start, start + length)
    raise AssertionError("the prompt holds no clip")


def relative_error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Return max|a-b| / max|b|."""
    return float((ours - theirs).abs().max() / theirs.abs().max())
