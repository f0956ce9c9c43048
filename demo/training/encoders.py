"""Trains both encoders; each learns to recognise the facts of the clips.

The published encoders were trained on large data sets; these learn only the drawn faces and the
synthetic voices. Heads predict the facts from their outputs and are discarded afterwards.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import HubertModel

from demo.drawing.scene import BACKDROPS
from demo.labels import LABELS
from demo.people import HAIR_COLOURS, HAIR_STYLES
from demo.recipe import DARK, OPEN, TURNED
from demo.training.clips import FRAMES, Clips, cut
from demo.training.eva import EvaViT
from demo.training.loop import Stage, train
from demo.training.spectrum import BANDS, log_mel
from demo.words.given import face_emotion, voice_emotion

UNKNOWN = -100
SEEN: Mapping[str, Sequence] = {
    "emotion": LABELS,
    "view": (OPEN, TURNED, DARK),
    "glasses": (False, True),
    "hair_style": HAIR_STYLES,
    "hair_colour": tuple(HAIR_COLOURS),
    "backdrop": tuple(BACKDROPS),
}
"""Maps each visible aspect of a picture to its values."""
PICTURES, SOUNDS_AT_ONCE = 96, 32
SHORT_STRETCH, LONG_STRETCH = (16_000, 32_000), (32_000, 48_000)
"""The ranges of samples in a stretch: that of a timeline's window, and that of a whole clip."""
FASTEST = 1.08
CLEAR, FAINT = 0.7, 0.2
"""The strengths from which an expression is clear, and below which the face is neutral."""


class Eyes(nn.Module):
    """Holds the image encoder and a head for each visible aspect."""

    def __init__(self, eva: EvaViT, width: int) -> None:
        super().__init__()
        self.eva = eva
        self.heads = nn.ModuleDict({name: nn.Linear(width, len(v)) for name, v in SEEN.items()})

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict scores [N, values] by aspect from uint8 [N, 3, size, size], by the CLS token."""
        cls_token = self.eva(pixels)[:, 0]
        return {name: head(cls_token) for name, head in self.heads.items()}


class Ears(nn.Module):
    """Holds the sound encoder, and heads for the voice's emotion and each frame's spectrum."""

    def __init__(self, hubert: HubertModel) -> None:
        super().__init__()
        self.hubert = hubert
        self.emotion = nn.Linear(hubert.config.hidden_size, len(LABELS))
        self.spectrum = nn.Linear(hubert.config.hidden_size, BANDS)

    def forward(self, sounds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict scores [N, labels] and spectra [N, frames, BANDS] from float32 [N, samples].

        The scores come from the mean over time, which the projection also reads.
        """
        frames = self.hubert(sounds).last_hidden_state
        return self.emotion(frames.mean(1)), self.spectrum(frames)


def train_eyes(eyes: Eyes, clips: Clips, stage: Stage) -> list[float]:
    """Train on all pictures of all clips, slightly moved and with other light."""
    truth = {name: torch.from_numpy(values).flatten() for name, values in seen(clips).items()}
    pixels = clips.pixels.reshape(-1, *clips.pixels.shape[2:])

    def loss_at(rng: np.random.Generator) -> torch.Tensor:
        chosen = rng.choice(len(pixels), PICTURES, replace=False)
        scores = eyes(_shaken(torch.from_numpy(pixels[chosen]), rng))
        losses = [
            F.cross_entropy(scores[name], truth[name][chosen], ignore_index=UNKNOWN)
            for name in SEEN
        ]
        return losses[0] + 0.3 * torch.stack(losses[1:]).sum()

    return train(stage, eyes, loss_at)


def train_ears(ears: Ears, clips: Clips, stage: Stage) -> list[float]:
    """Train on stretches of all clips' sounds, some with noise.

    Beside the emotion the encoder learns the spectrum. HuBERT's own first targets are clusters of
    it; without such a target the encoder learns almost nothing in so few steps.
    """
    truth, lengths = heard(clips), np.diff(clips.ends, prepend=0)

    def loss_at(rng: np.random.Generator) -> torch.Tensor:
        low, high = SHORT_STRETCH if rng.random() < 0.8 else LONG_STRETCH
        length = min(int(rng.integers(low, high + 1)), int(lengths.max() / FASTEST))
        chosen = _balanced(truth, lengths >= length * FASTEST, rng)
        sounds = [_stretch(clips.sound(index), length, rng) for index in chosen]
        noisy = torch.from_numpy(np.stack(sounds))
        noisy += 0.1 * float(rng.random()) ** 2 * torch.randn_like(noisy)
        with torch.autocast("cpu", torch.bfloat16):
            emotions, spectra = ears(noisy)
        loss = F.cross_entropy(emotions.float(), torch.from_numpy(truth[chosen]))
        return loss + 0.5 * F.mse_loss(spectra.float(), log_mel(noisy))

    return train(stage, ears, loss_at)


@torch.inference_mode()
def accuracy_of_eyes(eyes: Eyes, clips: Clips) -> dict[str, float]:
    """Return the share of correct first pictures for each aspect."""
    batches = torch.from_numpy(clips.pixels[:, 0]).split(256)
    scores = [eyes(batch) for batch in batches]
    return {
        name: _accuracy(torch.cat([s[name] for s in scores]).argmax(1).numpy(), values[:, 0])
        for name, values in seen(clips).items()
    }


@torch.inference_mode()
def accuracy_of_ears(ears: Ears, clips: Clips) -> float:
    """Return the share of whole sounds whose emotion is correct."""
    sounds = (clips.sound(index) for index in range(len(clips)))
    scores = [ears(torch.from_numpy(cut(s, 0, len(s)))[None])[0].argmax() for s in sounds]
    return _accuracy(torch.stack(scores).numpy(), heard(clips))


def seen(clips: Clips) -> dict[str, np.ndarray]:
    """Return the facts of the pictures, [clips, FRAMES] for each aspect.

    They are the value's index, or UNKNOWN if it is hidden, or if the expression is neither clear
    nor absent.
    """
    every = [clips.facts(index) for index in range(len(clips))]
    shown = [f | f["person"] | {"emotion": face_emotion(f)} for f in every]
    for facts in shown:
        if facts["view"] != OPEN:
            del facts["emotion"]
    found = {
        name: np.array([[values.index(f[name]) if name in f else UNKNOWN] * FRAMES for f in shown])
        for name, values in SEEN.items()
    }
    found["emotion"] = expressed(found["emotion"], clips.strengths)
    return found


def expressed(emotions: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Return what expressions of these strengths show, as indices into LABELS.

    It is neutral where an expression is faint, and UNKNOWN where it is neither faint nor clear.
    """
    neutral = LABELS.index("neutral")
    unclear = np.where((strengths < CLEAR) & (emotions != neutral), UNKNOWN, emotions)
    return np.where(strengths < FAINT, neutral, unclear)


def heard(clips: Clips) -> np.ndarray:
    """Return the emotion of each clip's voice, as an index into LABELS."""
    every = (clips.facts(index) for index in range(len(clips)))
    return np.array([LABELS.index(voice_emotion(facts)) for facts in every])


def _balanced(truth: np.ndarray, fits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return some of the suitable clips, balanced by emotion, with neutral twice as often."""
    counts = np.bincount(truth[fits], minlength=len(LABELS)).clip(1)
    shares = np.where(np.array(LABELS) == "neutral", 2, 1) / counts
    chances = fits * shares[truth]
    return rng.choice(len(truth), SOUNDS_AT_ONCE, p=chances / chances.sum())


def _stretch(sound: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random stretch, slightly faster or slower, as from a smaller or larger throat."""
    played = int(length * rng.uniform(1 / FASTEST, FASTEST))
    start = int(rng.integers(len(sound) - played + 1))
    part = sound[start : start + played]
    at = np.linspace(0, played - 1, length)
    return cut(np.interp(at, np.arange(played), part).astype(np.float32), 0, length)


def _shaken(pixels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Return the pictures sometimes mirrored, moved by some pixels and brighter or darker."""
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
