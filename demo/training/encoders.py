"""Trains the eyes and the ears: each encoder learns to tell what the clips' facts say.

The published encoders were trained on much of the world; these learn the little that drawn faces
and synthesised voices hold. Heads read the facts off their outputs and are thrown away.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import HubertModel

from demo.given import face_emotion, voice_emotion
from demo.labels import LABELS
from demo.people import HAIR_COLOURS, HAIR_STYLES
from demo.recipe import DARK, OPEN, TURNED
from demo.scene import BACKDROPS
from demo.training.clips import FRAMES, SHORTEST_SOUND, Clips, cut
from demo.training.eva import EvaViT
from demo.training.loop import Stage, train

UNKNOWN = -100
SEEN: Mapping[str, Sequence] = {
    "emotion": LABELS,
    "view": (OPEN, TURNED, DARK),
    "glasses": (False, True),
    "hair_style": HAIR_STYLES,
    "hair_colour": tuple(HAIR_COLOURS),
    "backdrop": tuple(BACKDROPS),
}
"""What a picture shows: aspect and values."""
PICTURES, SOUNDS_AT_ONCE = 96, 32
LONGEST_STRETCH = 32_000


class Eyes(nn.Module):
    """The picture's encoder and a head for each aspect of what is seen."""

    def __init__(self, eva: EvaViT, width: int) -> None:
        super().__init__()
        self.eva = eva
        self.heads = nn.ModuleDict({name: nn.Linear(width, len(v)) for name, v in SEEN.items()})

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """uint8 [N, 3, size, size] to scores [N, values] by aspect, read off the CLS token."""
        cls_token = self.eva(pixels)[:, 0]
        return {name: head(cls_token) for name, head in self.heads.items()}


class Ears(nn.Module):
    """The sound's encoder and a head for the voice's emotion."""

    def __init__(self, hubert: HubertModel) -> None:
        super().__init__()
        self.hubert = hubert
        self.head = nn.Linear(hubert.config.hidden_size, len(LABELS))

    def forward(self, sounds: torch.Tensor) -> torch.Tensor:
        """float32 [N, samples] to scores [N, labels], read off the mean as the projection does."""
        return self.head(self.hubert(sounds).last_hidden_state.mean(1))


def train_eyes(eyes: Eyes, clips: Clips, stage: Stage) -> list[float]:
    """Learn from all pictures of all clips, a little moved and re-lit."""
    truth = {name: torch.from_numpy(values) for name, values in seen(clips).items()}
    pixels = clips.pixels.reshape(-1, *clips.pixels.shape[2:])

    def loss_at(rng: np.random.Generator) -> torch.Tensor:
        chosen = rng.choice(len(pixels), PICTURES, replace=False)
        scores = eyes(_shaken(torch.from_numpy(pixels[chosen]), rng))
        losses = [
            F.cross_entropy(scores[name], truth[name][chosen // FRAMES], ignore_index=UNKNOWN)
            for name in SEEN
        ]
        return losses[0] + 0.3 * torch.stack(losses[1:]).sum()

    return train(stage, eyes, loss_at)


def train_ears(ears: Ears, clips: Clips, stage: Stage) -> list[float]:
    """Learn from stretches of all clips' sounds, some with noise."""
    truth = torch.from_numpy(heard(clips))
    by_length = np.argsort(clips.ends - np.concatenate([[0], clips.ends[:-1]]), kind="stable")

    def loss_at(rng: np.random.Generator) -> torch.Tensor:
        # Neighbours by length are cut to the shortest, so nothing is padded.
        first = int(rng.integers(max(1, len(clips) - 4 * SOUNDS_AT_ONCE)))
        chosen = by_length[first : first + 4 * SOUNDS_AT_ONCE]
        chosen = rng.choice(chosen, SOUNDS_AT_ONCE, replace=False)
        sounds = [clips.sound(int(index)) for index in chosen]
        length = min(map(len, sounds))
        if rng.random() < 0.8:
            length = int(rng.integers(SHORTEST_SOUND, min(length, LONGEST_STRETCH) + 1))
        noisy = torch.from_numpy(np.stack([_stretch(sound, length, rng) for sound in sounds]))
        noisy += 0.1 * float(rng.random()) ** 2 * torch.randn_like(noisy)
        with torch.autocast("cpu", torch.bfloat16):
            scores = ears(noisy)
        return F.cross_entropy(scores.float(), truth[chosen])

    return train(stage, ears, loss_at)


@torch.inference_mode()
def accuracy_of_eyes(eyes: Eyes, clips: Clips) -> dict[str, float]:
    """The share of first pictures whose aspect is told right, by aspect."""
    batches = torch.from_numpy(clips.pixels[:, 0]).split(256)
    scores = [eyes(batch) for batch in batches]
    return {
        name: _accuracy(torch.cat([s[name] for s in scores]).argmax(1).numpy(), values)
        for name, values in seen(clips).items()
    }


@torch.inference_mode()
def accuracy_of_ears(ears: Ears, clips: Clips) -> float:
    """The share of whole sounds whose emotion is told right."""
    sounds = (clips.sound(index) for index in range(len(clips)))
    scores = [ears(torch.from_numpy(cut(s, 0, len(s)))[None]).argmax() for s in sounds]
    return _accuracy(torch.stack(scores).numpy(), heard(clips))


def seen(clips: Clips) -> dict[str, np.ndarray]:
    """What each clip's pictures show: index of the value, or UNKNOWN where it is hidden."""
    every = [clips.facts(index) for index in range(len(clips))]
    shown = [f | f["person"] | {"emotion": face_emotion(f)} for f in every]
    for facts in shown:
        if facts["view"] != OPEN:
            del facts["emotion"]
    return {
        name: np.array([values.index(f[name]) if name in f else UNKNOWN for f in shown])
        for name, values in SEEN.items()
    }


def heard(clips: Clips) -> np.ndarray:
    """The emotion of each clip's voice, as an index into LABELS."""
    every = (clips.facts(index) for index in range(len(clips)))
    return np.array([LABELS.index(voice_emotion(facts)) for facts in every])


def _stretch(sound: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    return cut(sound, int(rng.integers(len(sound) - length + 1)), length)


def _shaken(pixels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Mirrored at times, moved by some pixels and brighter or darker."""
    across, down = (int(rng.integers(-5, 6)) for _ in range(2))
    shaken = pixels.flip(-1) if rng.random() < 0.5 else pixels
    size = pixels.shape[-1]
    padded = F.pad(shaken.float(), (5, 5, 5, 5), mode="replicate")
    shaken = padded[..., 5 + down : 5 + down + size, 5 + across : 5 + across + size]
    light = 1 + 0.15 * torch.randn(len(pixels), 1, 1, 1)
    return (shaken * light).clamp(0, 255)


def _accuracy(told: np.ndarray, truth: np.ndarray) -> float:
    known = truth != UNKNOWN
    return float((told == truth)[known].mean())
