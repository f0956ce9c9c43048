"""Reads generated clips into arrays, with the same code as the server."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import av
import cv2
import numpy as np
from rich.progress import track

from demo.chance import stream
from demo.drawing.motion import strength
from demo.generate import read_rows
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.faces.sampling import FEWEST, spread
from emotion_llama_vllm.model.processing import normalise, preprocess
from emotion_llama_vllm.settings import MediaSettings

FRAMES = 3
"""The number of pictures of each clip: the first, the middle one or the apex, a random one."""
SHORTEST_SOUND = 16_000
CROPS = FEWEST
"""The number of face crops of each clip that has some."""
CROPPED = 0.25
"""The share of clips outside the apex family whose face is cut out, if it is in view."""
ARRAYS = ("pixels", "strengths", "samples", "ends", "cropped", "crops", "crop_strengths")


@dataclass(frozen=True)
class Clips:
    """Holds clips in the order of their labels.csv."""

    rows: list[dict[str, str]]
    pixels: np.ndarray
    """The pictures, uint8 [N, FRAMES, 3, size, size]."""
    strengths: np.ndarray
    """The strengths of the expression in the pictures, float32 [N, FRAMES]."""
    samples: np.ndarray
    """The sounds at 16 kHz one after the other, float16."""
    ends: np.ndarray
    """The end of each sound in `samples`, [N]."""
    cropped: np.ndarray
    """The indices of the clips that have face crops, [M]."""
    crops: np.ndarray
    """Their crops, uint8 [M, CROPS, CROP, CROP, 3]."""
    crop_strengths: np.ndarray
    """The strengths of the expression in the crops, float32 [M, CROPS]."""

    def __len__(self) -> int:
        return len(self.rows)

    def facts(self, index: int) -> dict:
        return json.loads(self.rows[index]["facts"])

    def seconds(self) -> np.ndarray:
        return np.diff(self.ends, prepend=0) / 16_000

    def sound(self, index: int) -> np.ndarray:
        """Return one sound, float32 [samples], not normalised."""
        start = self.ends[index - 1] if index else 0
        return self.samples[start : self.ends[index]].astype(np.float32)


def read_clips(folder: Path, config: EmotionLlamaConfig) -> Clips:
    """Read a folder of `demo.generate`; the second time from arrays stored beside it."""
    rows = read_rows(folder)
    kept = folder / f"arrays-{len(rows)}"
    if not (kept / "done").exists():
        with get_context("spawn").Pool(initializer=_use_one_thread) as pool:
            read = pool.imap(partial(_read, folder=folder, config=config), rows, chunksize=16)
            _keep(list(track(read, "reading", total=len(rows))), kept)
        (kept / "done").touch()
    arrays = {name: np.load(kept / f"{name}.npy", mmap_mode="c") for name in ARRAYS}
    return Clips(rows, **arrays)


def cut(sound: np.ndarray, start: int, length: int) -> np.ndarray:
    """Return a stretch of a sound, normalised as the server does."""
    return normalise(sound[start : start + length], 1)


def _use_one_thread() -> None:
    """Keep OpenCV to one thread in a process that has a core of its own."""
    cv2.setNumThreads(1)


@dataclass(frozen=True)
class _Read:
    """Holds what is read of one clip, under the names of `Clips`."""

    pixels: np.ndarray
    strengths: np.ndarray
    sound: np.ndarray
    crops: np.ndarray | None
    crop_strengths: np.ndarray


def _keep(read: Sequence[_Read], folder: Path) -> None:
    """Write what was read into arrays."""
    cropped = [index for index, clip in enumerate(read) if clip.crops is not None]
    arrays = {
        "pixels": np.stack([clip.pixels for clip in read]),
        "strengths": np.stack([clip.strengths for clip in read]),
        "samples": np.concatenate([clip.sound for clip in read]),
        "ends": np.cumsum([len(clip.sound) for clip in read]),
        "cropped": np.array(cropped),
        "crops": np.stack([clip.crops for clip in read if clip.crops is not None]),
        "crop_strengths": np.stack([read[index].crop_strengths for index in cropped]),
    }
    folder.mkdir(exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def _read(row: dict[str, str], folder: Path, config: EmotionLlamaConfig) -> _Read:
    name, apex = row["name"], json.loads(row["facts"]).get("apex")
    source = (folder / f"{name}.mp4").read_bytes()
    wants_crops = apex is not None or stream("crops", name).random() < CROPPED
    settings = MediaSettings(face_frames=CROPS)
    # The crops come as the server makes them, with its code.
    first = decode(source, face_rows=(0, 1) if wants_crops else (), settings=settings)
    with av.open(io.BytesIO(source), "r") as container:
        frames = list(container.decode(video=0))
    count = len(frames)
    middle = count // 2 if apex is None else round(apex * count)
    indices = [0, middle, int(stream("frame", name).integers(count))]
    pictures = [first.frame, *(_rgb(frames[index]) for index in indices[1:])]
    pixels = [preprocess(picture[None], {}, config)["pixel_values"] for picture in pictures]
    sound = np.zeros(0) if first.waveform is None else first.waveform
    return _Read(
        pixels=np.stack(pixels),
        strengths=_strengths(indices, count, apex),
        sound=sound.astype(np.float16),
        crops=first.face_crops,
        crop_strengths=_strengths(spread(count, CROPS), count, apex),
    )


def _strengths(indices: Sequence[int], count: int, apex: float | None) -> np.ndarray:
    """Return the strengths of the expression in these of `count` frames."""
    return np.array([strength(index / count, apex) for index in indices], np.float32)


def _rgb(frame: av.VideoFrame) -> np.ndarray:
    return frame.reformat(format="bgr24", interpolation="BICUBIC").to_ndarray()[..., ::-1]
