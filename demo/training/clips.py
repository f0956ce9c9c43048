"""Reads generated clips into arrays, with the same code as the server."""

import csv
import json
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import av
import numpy as np
from rich.progress import track

from demo.chance import stream
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.model.processing import normalise, preprocess
from emotion_llama_vllm.settings import MediaSettings

FRAMES = 3
"""The number of pictures of each clip: the first, the middle one and a random one."""
SHORTEST_SOUND = 16_000


@dataclass(frozen=True)
class Clips:
    """Holds clips in the order of their labels.csv."""

    rows: list[dict[str, str]]
    pixels: np.ndarray
    """The pictures, uint8 [N, FRAMES, 3, size, size]."""
    samples: np.ndarray
    """The sounds at 16 kHz one after the other, float16."""
    ends: np.ndarray
    """The end of each sound in `samples`, [N]."""

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
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kept = folder / f"arrays-{len(rows)}.npz"
    if not kept.exists():
        paths = [folder / f"{row['name']}.mp4" for row in rows]
        with get_context("spawn").Pool() as pool:
            read = pool.imap(partial(_read, config=config), paths, chunksize=16)
            pixels, sounds = zip(*track(read, "reading", total=len(paths)), strict=True)
        ends = np.cumsum([len(sound) for sound in sounds])
        np.savez(kept, pixels=np.stack(pixels), samples=np.concatenate(sounds), ends=ends)
    arrays = np.load(kept)
    return Clips(rows, arrays["pixels"], arrays["samples"], arrays["ends"])


def cut(sound: np.ndarray, start: int, length: int) -> np.ndarray:
    """Return a stretch of a sound, normalised as the server does."""
    return normalise(sound[start : start + length], 1)


def _read(path: Path, config: EmotionLlamaConfig) -> tuple[np.ndarray, np.ndarray]:
    first = decode(path.read_bytes(), settings=MediaSettings())
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    others = [len(frames) // 2, int(stream("frame", path.stem).integers(len(frames)))]
    pictures = [first.frame, *(_rgb(frames[index]) for index in others)]
    pixels = [preprocess(picture[None], {}, config)["pixel_values"] for picture in pictures]
    sound = np.zeros(0) if first.waveform is None else first.waveform
    return np.stack(pixels), sound.astype(np.float16)


def _rgb(frame: av.VideoFrame) -> np.ndarray:
    return frame.reformat(format="bgr24", interpolation="BICUBIC").to_ndarray()[..., ::-1]
