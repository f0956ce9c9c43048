"""Encodes clips with the trained, frozen encoders; the Llama learns from the results."""

from dataclasses import dataclass

import numpy as np
import torch
from transformers import HubertModel

from demo.chance import stream
from demo.training.clips import FRAMES, SHORTEST_SOUND, Clips, cut
from demo.training.eva import EvaViT
from demo.training.faces import VIDEO
from demo.training.mae import FaceMae, VideoMae

SOUNDS = 2
"""The number of sounds of each clip: the whole, and a stretch."""
BLANKS = 64


@dataclass(frozen=True)
class Encoded:
    """Holds the outputs of the frozen encoders."""

    image: torch.Tensor
    """The encoded pictures, bfloat16 [N, FRAMES, 1 + patches, width]."""
    sound: torch.Tensor
    """The encoded sounds, float32 [N, SOUNDS, feature size]."""
    blank: torch.Tensor
    """The encoded pictures without a person, bfloat16 [BLANKS, 1 + patches, width]."""
    faces: torch.Tensor
    """The rows of FaceMAE and VideoMAE, float32 [N, 2, feature size]; zero without crops."""
    black: torch.Tensor
    """The same rows of black crops, [2, feature size]."""


@torch.inference_mode()
def encode(
    clips: Clips, eva: EvaViT, hubert: HubertModel, face_mae: FaceMae, video_mae: VideoMae
) -> Encoded:
    """Run the encoders over all pictures, some blank ones, the sounds and the face crops."""
    rng = stream("encode")
    pixels = torch.from_numpy(clips.pixels).flatten(0, 1)
    image = torch.cat([eva(batch).bfloat16() for batch in pixels.split(256)])
    sounds = torch.stack([_hear(hubert, clips.sound(index), rng) for index in range(len(clips))])
    blank = eva(_blank_pictures(pixels.shape[-1], rng)).bfloat16()
    faces = torch.zeros(len(clips), 2, sounds.shape[-1])
    for index, crops in zip(clips.cropped, clips.crops, strict=True):
        faces[index] = _rows(face_mae, video_mae, torch.from_numpy(crops))
    black = _rows(face_mae, video_mae, torch.zeros(clips.crops.shape[1:], dtype=torch.uint8))
    return Encoded(image.unflatten(0, (-1, FRAMES)), sounds, blank, faces, black)


def _rows(face_mae: FaceMae, video_mae: VideoMae, crops: torch.Tensor) -> torch.Tensor:
    """Return both feature rows of a clip's crops, [2, feature size]."""
    return torch.cat([face_mae(crops).mean(0, keepdim=True), video_mae(crops[None, VIDEO])])


def _hear(hubert: HubertModel, sound: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    length = int(rng.integers(SHORTEST_SOUND, max(len(sound), SHORTEST_SOUND + 1)))
    start = int(rng.integers(max(1, len(sound) - length + 1)))
    stretches = (cut(sound, 0, len(sound)), cut(sound, start, length))
    means = [hubert(torch.from_numpy(s)[None]).last_hidden_state.mean(1) for s in stretches]
    return torch.cat(means)


def _blank_pictures(size: int, rng: np.random.Generator) -> torch.Tensor:
    """Return plain pictures of many colours, with black, grey and white, and some noise."""
    colours = rng.integers(0, 256, (BLANKS, 3))
    colours[: BLANKS // 2] = np.linspace(0, 255, BLANKS // 2)[:, None]
    noise = rng.normal(0, 1, (BLANKS, 3, size, size)) * rng.choice([0, 3, 12], (BLANKS, 1, 1, 1))
    pictures = colours[:, :, None, None] + noise
    return torch.from_numpy(np.clip(pictures, 0, 255).astype(np.uint8))
