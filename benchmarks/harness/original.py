"""Reimplements the original's way to answer, in transformers and torch, on a converted checkpoint.

It follows the original's files: `app_EmotionLlamaClient.py` and `conversation.py` (one request at a
time; the first frame by OpenCV, the sound through a wav file, HuBERT read from disk for every
request), `eva_vit.py`, `minigpt_v2.py:encode_img`, `minigpt_base.py:generate`. It has the advantage
of newer transformers: its attention is `scaled_dot_product_attention`, where the original
multiplies. Its answers are greedy and of a given length, so that all ways do the same work.
"""

import copy
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import soundfile
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    HubertModel,
    Wav2Vec2FeatureExtractor,
)

from emotion_llama_vllm.analysis.prompts import one_turn
from emotion_llama_vllm.config import EmotionLlamaConfig, EvaVisionConfig
from emotion_llama_vllm.media.decode.npz import FEATURE_NAMES

SAMPLING_RATE = 16_000


@dataclass(frozen=True)
class Media:
    """Holds the network's input for a clip: a resized picture, and the sound at 16 kHz."""

    picture: Image.Image
    sound: npt.NDArray[Any]


def read_media(clip: Path, size: int) -> Media:
    """Return the first frame and the whole sound, which goes through a file on disk."""
    video = cv2.VideoCapture(str(clip))
    _, frame = video.read()
    video.release()
    picture = Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        extract_sound(clip, Path(file.name))
        sound, _ = soundfile.read(file.name, dtype="float64")
    return Media(picture.resize((size, size), Image.Resampling.BICUBIC), sound)


def extract_sound(clip: Path, wav: Path) -> None:
    """Write the sound as mono at 16 kHz, as moviepy 1.0.3 does for the original.

    `VideoFileClip(clip).audio.write_audiofile(wav)` starts ffmpeg five times: to probe the file and
    to read its picture (of which it takes a frame), to probe it again and to read its sound as 44.1
    kHz stereo, and to write the file.
    """
    read = ["-i", str(clip)]
    _ffmpeg(*read, check=False)
    with _started(*read, "-f", "image2pipe", "-pix_fmt", "rgb24", "-vcodec", "rawvideo", "-") as it:
        assert it.stdout is not None  # noqa: S101  (it is a pipe)
        it.stdout.read(1)
        it.terminate()
    _ffmpeg(*read, check=False)
    raw = ("-f", "s16le", "-acodec", "pcm_s16le", "-ar", "44100", "-ac", "2")
    sound = _ffmpeg(*read, "-vn", *raw, "-").stdout
    written = ("-vn", "-acodec", "pcm_s16le", "-ar", str(SAMPLING_RATE), "-ac", "1", str(wav))
    _ffmpeg("-y", *raw, "-i", "-", *written, given=sound)


def _ffmpeg(
    *arguments: str, given: bytes = b"", check: bool = True
) -> subprocess.CompletedProcess[bytes]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *arguments]
    return subprocess.run(command, check=check, input=given, capture_output=True)


def _started(*arguments: str) -> subprocess.Popen[bytes]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *arguments]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


class Original:
    """Represents the whole network in memory.

    Args:
        checkpoint: a converted folder.
        dtype: the dtype of ViT, projections and Llama; HuBERT and `ln_vision` use float32.
        device: the device of the whole network.
    """

    def __init__(self, checkpoint: Path, dtype: torch.dtype, device: str = "cpu") -> None:
        self.config = EmotionLlamaConfig.from_pretrained(checkpoint)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(checkpoint)
        self._dtype, self._device = dtype, torch.device(device)
        self._hubert_folder: Path | None = None
        tensors = _read(checkpoint, device)
        with self._device:
            self.vision = EvaVision(self.config.vision).to(dtype).eval()
            self.llama: Any = AutoModelForCausalLM.from_config(self.config.text, dtype=dtype)
            self._hubert = HubertModel(self.config.audio).eval()
        self.vision.load(_part(tensors, "vision_tower."))
        self.vision.ln_vision.float()
        self.llama.eval().load_state_dict(_part(tensors, "language_model."))
        self.llama.generation_config.eos_token_id = None  # answers have equal lengths
        self._hubert.load_state_dict(_part(tensors, "audio_tower."))
        self._extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
        self._projections = {
            name.removesuffix(".weight"): (
                tensors[name].to(dtype),
                tensors[name.replace(".weight", ".bias")].to(dtype),
            )
            for name in tensors
            if "llama_proj" in name and name.endswith(".weight")
        }

    def with_hubert_on_disk(self, folder: Path) -> "Original":
        """Return the same network, which reads HuBERT from `folder` for every request."""
        self._hubert.save_pretrained(folder)
        self._extractor.save_pretrained(folder)
        other = copy.copy(self)
        other._hubert_folder = folder
        return other

    @torch.inference_mode()
    def answer(self, media: Sequence[Media], question: str, tokens: int) -> list[list[int]]:
        """Answer a question about each clip, with exactly so many tokens each."""
        embeddings = self._prompts(self.embed(media), question)
        made = self.llama.generate(
            inputs_embeds=embeddings,
            attention_mask=embeddings.new_ones(embeddings.shape[:2], dtype=torch.long),
            max_new_tokens=tokens,
            do_sample=False,
            pad_token_id=0,
        )
        return made.tolist()

    @torch.inference_mode()
    def embed(self, media: Sequence[Media]) -> torch.Tensor:
        """Return the embeddings [clips, embeddings per clip, hidden size]."""
        patches = self.vision(torch.stack([self._pixels(one.picture) for one in media]))
        size = (len(media), len(FEATURE_NAMES), self.config.feature_size)
        rows = torch.zeros(size, device=self._device)
        for row, one in zip(rows, media, strict=True):
            row[-1] = self._hear(one.sound)
        cls_token, image = patches[:, :1], patches[:, 1:]
        grouped = image.reshape(len(media), -1, self.config.patches_per_embedding * image.shape[-1])
        parts = [self._project("llama_proj", grouped)]
        for index in range(len(FEATURE_NAMES)):
            row = rows[:, index : index + 1].to(self._dtype)
            parts.append(self._project(f"feats_llama_proj{index + 1}", row))
        return torch.cat([*parts, self._project("cls_tk_llama_proj", cls_token)], dim=1)

    def prompt_ids(self, question: str) -> list[int]:
        """Return the prompt about a clip; one id stands for the clip."""
        text = one_turn(self.tokenizer, question, "eval")
        return self.tokenizer.encode(text, add_special_tokens=False)

    def _prompts(self, clips: torch.Tensor, question: str) -> torch.Tensor:
        ids = self.prompt_ids(question)
        place = ids.index(self.config.video_token_id)
        around = self.llama.get_input_embeddings()(torch.tensor(ids, device=self._device))
        before, after = around[:place], around[place + 1 :]
        return torch.stack([torch.cat([before, clip, after]) for clip in clips])

    def _pixels(self, picture: Image.Image) -> torch.Tensor:
        c = self.config.vision
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
        mean, std = (torch.tensor(v)[:, None, None] for v in (c.image_mean, c.image_std))
        return ((pixels - mean) / std).to(self._device, self._dtype)

    def _hear(self, sound: npt.NDArray[Any]) -> torch.Tensor:
        hubert, extractor = self._hubert, self._extractor
        if self._hubert_folder is not None:
            read: Any = HubertModel.from_pretrained(self._hubert_folder)
            hubert = read.to(self._device).eval()
            extractor = Wav2Vec2FeatureExtractor.from_pretrained(self._hubert_folder)
        found = extractor(sound, sampling_rate=SAMPLING_RATE, return_tensors="pt")
        return hubert(found.input_values.to(self._device)).last_hidden_state[0].mean(dim=0)

    def _project(self, name: str, values: torch.Tensor) -> torch.Tensor:
        return F.linear(values, *self._projections[name])


class EvaVision(nn.Module):
    """Implements `eva_vit.py` and the layer norm of `minigpt_v2.py`."""

    def __init__(self, config: EvaVisionConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.patch_embed = nn.Conv2d(3, width, config.patch_size, config.patch_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, config.num_patches + 1, width))
        self.blocks = nn.ModuleList(EvaBlock(config) for _ in range(config.num_hidden_layers))
        self.ln_vision = nn.LayerNorm(width, eps=config.ln_vision_eps)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode normalised pixels [clips, 3, size, size] to [clips, 1 + patches, width]."""
        hidden = self.patch_embed(pixels).flatten(2).transpose(1, 2)
        hidden = torch.cat([self.cls_token.expand(len(hidden), -1, -1), hidden], dim=1)
        hidden = hidden + self.pos_embed
        for block in self.blocks:
            hidden = block(hidden)
        return self.ln_vision(hidden.float()).to(hidden.dtype)

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Copy the tensors of `eva_vit_g.pth`; the biases of q, k and v become one."""
        renamed = {
            name.replace("patch_embed.proj", "patch_embed"): t for name, t in tensors.items()
        }
        for index in range(len(self.blocks)):
            query, value = (renamed.pop(f"blocks.{index}.attn.{part}_bias") for part in "qv")
            bias = torch.cat([query, torch.zeros_like(query), value])
            renamed[f"blocks.{index}.attn.qkv.bias"] = bias
        self.load_state_dict(renamed)


class EvaBlock(nn.Module):
    """Computes `x + attn(norm1(x))`, then `x + mlp(norm2(x))`."""

    def __init__(self, config: EvaVisionConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.norm1 = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.attn = EvaAttention(width, config.num_attention_heads)
        self.norm2 = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.mlp = EvaMlp(width, config.intermediate_size)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden = hidden + self.attn(self.norm1(hidden))
        return hidden + self.mlp(self.norm2(hidden))


class EvaMlp(nn.Module):
    """Computes two linear layers with GELU between them."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.fc2(F.gelu(self.fc1(hidden)))


class EvaAttention(nn.Module):
    """Computes full attention over the patches."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        clips, tokens, width = hidden.shape
        split = self.qkv(hidden).view(clips, tokens, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(*split)
        return self.proj(attended.transpose(1, 2).reshape(clips, tokens, width))


def _read(checkpoint: Path, device: str) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    for file in checkpoint.glob("*.safetensors"):
        tensors |= load_file(file, device=device)
    return tensors


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
