"""Measures how few frames of a clip stand for all of them in the face's feature rows.

    python -m benchmarks.face_frames CLIP ...

For each number of frames it prints the lowest cosine, over the clips, between the mean over these
frames and over all: of a random ViT's class token in place of FaceMAE's, of the crop itself, and of
MediaPipe's blendshapes. The mean over the clips is subtracted before, because means over any frames
of any faces are alike. VideoMAE's row needs no measurement: its sixteen frames are always the same.
At last it prints the milliseconds that a frame takes on one core.
"""

import argparse
import time
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import torch
from transformers import ViTConfig, ViTModel

from emotion_llama_vllm.media.decode.picture.pixels import to_rgb
from emotion_llama_vllm.media.faces import alignment, expression
from emotion_llama_vllm.media.faces.sampling import spread
from emotion_llama_vllm.media.faces.tracker import Tracker

FRAMES = (17, 25, 33, 49, 65)
Rows = npt.NDArray[np.float32]


def network() -> ViTModel:
    """Return a random ViT of the small size."""
    torch.manual_seed(0)
    config = ViTConfig(hidden_size=384, num_hidden_layers=12, num_attention_heads=6)
    return ViTModel(config, add_pooling_layer=False).eval()


@torch.inference_mode()
def encode(vit: ViTModel, crops: npt.NDArray[np.uint8]) -> Rows:
    """Return the class tokens [frames, width] of crops."""
    large = [cv2.resize(crop, (224, 224)) for crop in crops]
    pixels = torch.from_numpy(np.stack(large)).permute(0, 3, 1, 2).float() / 255
    batches = [vit(pixel_values=batch).last_hidden_state[:, 0] for batch in pixels.split(16)]
    return torch.cat(batches).numpy()


def read(path: Path, vit: ViTModel) -> tuple[list[Rows], float]:
    """Return what each frame of a clip gives, [frames, numbers], and the seconds for finding it."""
    tracker, crops, shapes, seconds = Tracker(), [], [], 0.0
    with av.open(str(path)) as clip:
        for frame in clip.decode(video=0):
            rgb = to_rgb(frame)
            started = time.perf_counter()
            if (face := tracker.find(rgb)) is None:
                raise SystemExit(f"{path} has a frame without a face.")
            crops.append(alignment.crop(rgb, face.points))
            seconds += time.perf_counter() - started
            shapes.append(expression.blendshapes(face.points))
    cut = np.stack(crops)
    pixels = (cut.reshape(len(cut), -1) / 255).astype(np.float32)
    return [encode(vit, cut), pixels, np.stack(shapes)], seconds


def cosine(one: Rows, other: Rows) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.face_frames", description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIP")
    measure(parser.parse_args().clips)


def measure(paths: list[Path]) -> None:
    cv2.setNumThreads(1)
    vit = network()
    clips = [read(path, vit) for path in paths]
    for count in FRAMES:
        lowest = []
        for kind in range(3):
            of_all = [rows[kind].mean(axis=0) for rows, _ in clips]
            usual = np.mean(of_all, axis=0)
            few = [rows[kind][spread(len(rows[kind]), count)].mean(axis=0) for rows, _ in clips]
            pairs = zip(few, of_all, strict=True)
            lowest.append(min(cosine(one - usual, other - usual) for one, other in pairs))
        print(count, *(f"{value:.4f}" for value in lowest))
    frames, seconds = sum(len(rows[0]) for rows, _ in clips), sum(spent for _, spent in clips)
    print(f"{seconds / frames * 1000:.1f} ms a frame")


if __name__ == "__main__":
    main()
