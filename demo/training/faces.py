"""Trains both face encoders to tell the action units that the crops of a face show.

FaceMAE tells their strengths in each crop; VideoMAE tells them from sixteen crops of a clip, at
first and at the strongest moment. Heads predict them and are discarded afterwards.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from demo.drawing.expression import EFFECTS
from demo.training.clips import CROPS, Clips
from demo.training.loop import Stage, train
from demo.training.mae import VIDEO_PATCHES, FaceMae, VideoMae
from emotion_llama_vllm.config import FACE_PATCHES
from emotion_llama_vllm.media.faces.sampling import video_frames

UNITS = tuple(EFFECTS)
VIDEO = video_frames(CROPS)
"""The indices of the crops that VideoMAE reads."""
FACES, VIDEOS = 96, 12
"""The numbers of crops, and of clips, in a step."""
READ, ALL_READ = 0.25, 0.1
"""The share of the patches that are read in most steps, and the share of steps that read all."""
BLACK = 0.03
"""The share of crops that are black, as where no face is found."""


class FaceReader(nn.Module):
    """Holds FaceMAE and a head for the action units."""

    def __init__(self, mae: FaceMae, width: int) -> None:
        super().__init__()
        self.mae = mae
        self.units = nn.Linear(width, len(UNITS))

    def forward(self, crops: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Predict scores [N, units] from uint8 [N, CROP, CROP, 3]."""
        return self.units(self.mae(crops, kept))


class VideoReader(nn.Module):
    """Holds VideoMAE and a head for the action units at first and at the strongest moment."""

    def __init__(self, mae: VideoMae, width: int) -> None:
        super().__init__()
        self.mae = mae
        self.units = nn.Linear(width, 2 * len(UNITS))

    def forward(self, videos: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Predict scores [N, 2, units] from uint8 [N, VIDEO_FRAMES, CROP, CROP, 3]."""
        return self.units(self.mae(videos, kept)).unflatten(-1, (2, len(UNITS)))


def train_face_reader(reader: FaceReader, clips: Clips, stage: Stage) -> list[float]:
    """Train on single crops."""
    crops = clips.crops.reshape(-1, *clips.crops.shape[2:])
    truth = torch.from_numpy(shown(clips)).flatten(0, 1)

    def loss_at(rng: np.random.Generator) -> torch.Tensor:
        chosen = rng.choice(len(crops), FACES, replace=False)
        seen = _shaken(torch.from_numpy(crops[chosen])[:, None], rng)[:, 0]
        black = torch.from_numpy(rng.random(FACES) < BLACK)
        seen[black] = 0
        with torch.autocast("cpu", torch.bfloat16):
            scores = reader(seen, _kept(FACE_PATCHES, rng))
        strengths = truth[chosen] * ~black[:, None]
        return F.binary_cross_entropy_with_logits(scores.float(), strengths)

    return train(stage, reader, loss_at)


def train_video_reader(reader: VideoReader, clips: Clips, stage: Stage) -> list[float]:
    """Train on the crops of clips."""
    truth = torch.from_numpy(_at_first_and_strongest(shown(clips)))

    def loss_at(rng: np.random.Generator) -> torch.Tensor:
        chosen = rng.choice(len(truth), VIDEOS, replace=False)
        videos = torch.from_numpy(clips.crops[chosen])[:, VIDEO]
        with torch.autocast("cpu", torch.bfloat16):
            scores = reader(_shaken(videos, rng), _kept(VIDEO_PATCHES, rng))
        return F.binary_cross_entropy_with_logits(scores.float(), truth[chosen])

    return train(stage, reader, loss_at)


@torch.inference_mode()
def accuracy_of_faces(reader: FaceReader, clips: Clips) -> float:
    """Return the share of action units in the crops that are told, strong or not, rightly."""
    scores = torch.cat([reader(torch.from_numpy(crops)) for crops in clips.crops])
    return _agreement(scores.numpy(), shown(clips).reshape(-1, len(UNITS)))


@torch.inference_mode()
def accuracy_of_videos(reader: VideoReader, clips: Clips) -> float:
    """Return the share of action units of the clips that are told, strong or not, rightly."""
    scores = torch.cat([reader(torch.from_numpy(crops)[None, VIDEO]) for crops in clips.crops])
    return _agreement(scores.numpy(), _at_first_and_strongest(shown(clips)))


def shown(clips: Clips) -> np.ndarray:
    """Return the strengths of the action units in each crop, float32 [clips, CROPS, units]."""
    units = [[unit in clips.facts(i)["action_units"] for unit in UNITS] for i in clips.cropped]
    return clips.crop_strengths[:, :, None] * np.array(units, np.float32)[:, None]


def _at_first_and_strongest(strengths: np.ndarray) -> np.ndarray:
    read = strengths[:, VIDEO]
    return np.stack([read[:, 0], read.max(axis=1)], axis=1)


def _agreement(scores: np.ndarray, strengths: np.ndarray) -> float:
    """Return how often a score and a strength say the same; medium strengths do not count."""
    clear = np.abs(strengths - 0.5) > 0.3
    return float(((scores > 0) == (strengths > 0.5))[clear].mean())


def _kept(count: int, rng: np.random.Generator) -> torch.Tensor | None:
    """Return the indices of the patches to read, in order; None for all `count`."""
    if rng.random() < ALL_READ:
        return None
    return torch.from_numpy(np.sort(rng.choice(count, round(READ * count), replace=False)))


def _shaken(videos: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Return crops uint8 [N, frames, height, width, 3] sometimes mirrored, and in other light."""
    turned = videos.flip(-2) if rng.random() < 0.5 else videos
    light = 1 + 0.15 * torch.from_numpy(rng.standard_normal((len(videos), 1, 1, 1, 1))).float()
    return (turned * light).clamp(0, 255).to(torch.uint8)
