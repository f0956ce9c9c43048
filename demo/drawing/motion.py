"""Moves the head of a speaking person: sway, blinks and the mouth."""

import numpy as np

from demo.drawing.pen import Pose

BLINK = 0.22  # duration in seconds


class Motion:
    """Holds one clip's movements, as functions of time in seconds."""

    def __init__(self, rng: np.random.Generator, seconds: float) -> None:
        self.centre = rng.uniform(
            (-0.25, -0.1, -0.1, 0.46, 0.52, 0.33), (0.25, 0.1, 0.1, 0.54, 0.57, 0.39)
        )
        self.sway = np.array([0.09, 0.05, 0.04, 0.012, 0.012, 0.004])
        self.speed = rng.uniform(1.5, 3.5, 6)
        self.phase = rng.uniform(0, 2 * np.pi, 6)
        # No blink comes near the start, because the model sees the first frame.
        self.blinks = rng.uniform(0.6, seconds, 1 + int(seconds // 2))
        self.gaze = rng.uniform(-0.6, 0.6, 2)

    def pose(self, time: float) -> Pose:
        """Return the position of the head."""
        return Pose(*(self.centre + self.sway * np.sin(self.speed * time + self.phase)))

    def lids(self, time: float) -> float:
        """Return how far the eyes are open in spite of blinks, 0..1."""
        return float(min(1.0, np.min(np.abs(self.blinks - time)) / (BLINK / 2)))


def strength(moment: float, apex: float | None) -> float:
    """Return how strong an expression is at a moment, from 0 for a neutral face to 1.

    Args:
        moment: the moment, as a share of the clip's length.
        apex: the moment of the strongest expression, which is neutral at the start and weak at the
            end; None for an expression that stays the same.
    """
    if apex is None:
        return 1.0
    rise = _smooth((moment / apex - 0.25) / 0.65)
    fall = _smooth((moment - apex - 0.08) / (0.92 - apex))
    return rise * (1 - 0.8 * fall)


def _smooth(share: float) -> float:
    """Return a share of a movement that starts and ends slowly, 0 before it and 1 after it."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def speech_envelope(sound: np.ndarray, rate: int, fps: int) -> np.ndarray:
    """Return how far a speaker's mouth is open in each frame, 0..1: [frames]."""
    hop = rate // fps
    frames = sound[: len(sound) // hop * hop].reshape(-1, hop)
    level = np.sqrt(np.mean(frames**2, axis=1))
    return np.clip(level / (level.max() + 1e-9), 0, 1)
