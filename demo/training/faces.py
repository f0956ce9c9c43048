"""Trains both face encoders to tell the emotion that the crops of a face show.

FaceMAE tells it from a crop, VideoMAE from sixteen crops of a clip. Each patch has to tell that of
its own crop too, as from the whole alone an encoder learns almost nothing in so few steps. Heads
predict it and are discarded afterwards.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from demo.labels import LABELS
from demo.training.clips import CROPS, Clips
from demo.training.encoders import UNKNOWN, expressed
from demo.training.loop import Stage, train
from demo.training.mae import VIDEO_PATCHES, FaceMae, VideoMae
from demo.words.given import face_emotion
from emotion_llama_vllm.config import FACE_PATCHES
from emotion_llama_vllm.media.faces.sampling import TUBELET, video_frames

VIDEO = video_frames(CROPS)
"""The indices of the crops that VideoMAE reads."""
NEUTRAL = LABELS.index("neutral")
FACES, VIDEOS = 64, 12
"""The numbers of crops, and of clips, in a step."""
READ, ALL_READ = 0.3, 0.1
"""The share of the patches that are read in most steps, and the share of steps that read all."""
BLACK = 0.03
"""The share of crops that are black, as where no face is found; they count as neutral."""


class FaceReader(nn.Module):
    """Holds FaceMAE and a head for the emotion."""

    def __init__(self, mae: FaceMae, width: int) -> None:
        super().__init__()
        self.mae = mae
        self.emotion = nn.Linear(width, len(LABELS))

    def forward(self, crops: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Predict scores [N, 1 + patches, labels] by the class token and by each patch."""
        return self.emotion(self.mae.encode(crops, kept))


class VideoReader(nn.Module):
    """Holds VideoMAE, and heads for the emotion of a clip and of a moment."""

    def __init__(self, mae: VideoMae, width: int) -> None:
        super().__init__()
        self.mae = mae
        self.clip, self.moment = (nn.Linear(width, len(LABELS)) for _ in range(2))

    def forward(
        self, videos: torch.Tensor, kept: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict scores [N, labels] by the mean, and [N, patches, labels] by each patch."""
        patches = self.mae.encode(videos, kept)
        return self.clip(patches.mean(1)), self.moment(patches)


def train_face_reader(reader: FaceReader, clips: Clips, stage: Stage) -> list[float]:
    """Train on single crops, balanced by emotion."""
    crops = clips.crops.reshape(-1, *clips.crops.shape[2:])
    truth = shown(clips).flatten()
    chances = _chances(truth)

    def loss_at(rng: np.random.Generator) -> torch.Tensor:
        chosen = rng.choice(len(crops), FACES, p=chances)
        seen = _shaken(torch.from_numpy(crops[chosen])[:, None], rng)[:, 0]
        black = rng.random(FACES) < BLACK
        seen[torch.from_numpy(black)] = 0
        with torch.autocast("cpu", torch.bfloat16):
            scores = reader(seen, _kept(FACE_PATCHES, rng))
        labels = np.where(black, NEUTRAL, truth[chosen])[:, None]
        return _loss(scores[:, :1], labels) + _loss(scores[:, 1:], labels)

    return train(stage, reader, loss_at)


def train_video_reader(reader: VideoReader, clips: Clips, stage: Stage) -> list[float]:
    """Train on the crops of clips, balanced by emotion."""
    truth, moments = _emotions(clips), shown(clips)[:, VIDEO[::TUBELET]]
    chances = _chances(truth)

    def loss_at(rng: np.random.Generator) -> torch.Tensor:
        chosen = rng.choice(len(truth), VIDEOS, p=chances)
        videos = torch.from_numpy(clips.crops[chosen])[:, VIDEO]
        kept = _kept(VIDEO_PATCHES, rng)
        with torch.autocast("cpu", torch.bfloat16):
            scores, by_patch = reader(_shaken(videos, rng), kept)
        places = np.arange(VIDEO_PATCHES) if kept is None else kept.numpy()
        own = moments[chosen][:, places // FACE_PATCHES]
        return _loss(scores[:, None], truth[chosen, None]) + _loss(by_patch, own)

    return train(stage, reader, loss_at)


@torch.inference_mode()
def accuracy_of_faces(reader: FaceReader, clips: Clips) -> float:
    """Return the share of crops whose emotion is told rightly, where it is clear or absent."""
    scores = torch.stack([reader(torch.from_numpy(crops))[:, 0] for crops in clips.crops])
    truth = shown(clips)
    return float((scores.argmax(-1).numpy() == truth)[truth != UNKNOWN].mean())


@torch.inference_mode()
def accuracy_of_videos(reader: VideoReader, clips: Clips) -> float:
    """Return the share of clips whose emotion is told rightly."""
    scores = torch.cat([reader(torch.from_numpy(crops)[None, VIDEO])[0] for crops in clips.crops])
    return float((scores.argmax(-1).numpy() == _emotions(clips)).mean())


def shown(clips: Clips) -> np.ndarray:
    """Return the emotion in each crop, as an index into LABELS, or UNKNOWN: [clips, CROPS]."""
    return expressed(_emotions(clips)[:, None], clips.crop_strengths)


def _emotions(clips: Clips) -> np.ndarray:
    """Return the emotion of the face in each clip with crops, as an index into LABELS."""
    return np.array([LABELS.index(face_emotion(clips.facts(index))) for index in clips.cropped])


def _chances(truth: np.ndarray) -> np.ndarray:
    """Return each one's probability to be chosen: all emotions alike, but neutral twice."""
    known = truth != UNKNOWN
    counts = np.bincount(truth[known], minlength=len(LABELS)).clip(1)
    shares = np.where(np.arange(len(LABELS)) == NEUTRAL, 2, 1) / counts
    chances = shares[truth.clip(0)] * known
    return chances / chances.sum()


def _loss(scores: torch.Tensor, labels: np.ndarray) -> torch.Tensor:
    """Return the mean cross-entropy of scores [N, M, labels] for labels [N, M] or [N, 1]."""
    truth = torch.from_numpy(labels).expand(scores.shape[:2])
    return F.cross_entropy(scores.float().flatten(0, 1), truth.flatten(), ignore_index=UNKNOWN)


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
