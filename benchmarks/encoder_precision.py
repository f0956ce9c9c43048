"""Measures how far bfloat16 moves what each encoder computes, and how long it takes.

    python -m benchmarks.encoder_precision [CHECKPOINT] [CLIP ...]

By default it reads the demo's checkpoint and clips. For each encoder it prints the lowest cosine
over the clips between its result in bfloat16 and in float32, the largest difference as a share of
the largest value, and the time in bfloat16 as a multiple of that in float32. The result is a mean
over the clip, of EVA-ViT all tokens.
"""

import argparse
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cosine_similarity
from vllm.model_executor.model_loader.utils import process_weights_after_loading

from devtools.network import configured, load_network, tensors_of
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.faces.sampling import video_frames
from emotion_llama_vllm.model.faces import VideoMae, enlarge
from emotion_llama_vllm.model.processing import preprocess
from emotion_llama_vllm.settings import MediaSettings

Inputs = dict[str, torch.Tensor]


def eva(tower: Any, inputs: Inputs, _: torch.dtype) -> torch.Tensor:
    return tower(inputs["pixel_values"][None])


def face_mae(encoder: Any, inputs: Inputs, dtype: torch.dtype) -> torch.Tensor:
    pictures = enlarge(inputs["face_crops"]).to(dtype)
    return encoder.norm(encoder.encode(pictures))[:, 0].float().mean(dim=0)


def video_mae(encoder: Any, inputs: Inputs, dtype: torch.dtype) -> torch.Tensor:
    crops = inputs["face_crops"]
    video = enlarge(crops[video_frames(len(crops))]).transpose(0, 1)[None].to(dtype)
    return encoder.encode(video).float().mean(dim=1)


def hubert(tower: Any, inputs: Inputs, dtype: torch.dtype) -> torch.Tensor:
    return tower.hubert(inputs["input_values"][None].to(dtype)).last_hidden_state.float().mean(1)


Encode = Callable[[Any, Inputs, torch.dtype], torch.Tensor]
ENCODERS: dict[str, tuple[str, Encode]] = {
    "EVA-ViT": ("vision_tower", eva),
    "FaceMAE": ("face_mae", face_mae),
    "VideoMAE": ("video_mae", video_mae),
    "HuBERT": ("audio_tower", hubert),
}
"""Maps each encoder to its name in the network, and to the function that runs it."""
VITS = {"vision_tower": "vision", "face_mae": "face_mae", "video_mae": "video_mae"}
"""Maps each ViT to its part of the configuration."""


def halved(checkpoint: Path, name: str, encoder: Any) -> Any:
    """Return an encoder in bfloat16; a ViT is built anew, as its layers were packed in float32."""
    if name not in VITS:
        return deepcopy(encoder).to(torch.bfloat16)
    start = f"{name}."
    with configured(checkpoint, "bfloat16") as config:
        made = type(encoder)(getattr(config.model_config.hf_config, VITS[name]), name)
        named = ((key, tensor) for key, tensor in tensors_of(checkpoint) if key.startswith(start))
        made.load_weights((key.removeprefix(start), tensor) for key, tensor in named)
        process_weights_after_loading(made, config.model_config, torch.device("cpu"))
    if isinstance(made, VideoMae):
        made.positions = made.positions.to(torch.bfloat16)
    return made


def timed(encode: Encode, encoder: Any, clips: list[Inputs]) -> tuple[list[torch.Tensor], float]:
    """Return an encoder's results, and its seconds for all clips but the first."""
    dtype = next(encoder.parameters()).dtype
    results, began = [encode(encoder, clips[0], dtype).float()], time.monotonic()
    results += [encode(encoder, clip, dtype).float() for clip in clips[1:]]
    return results, time.monotonic() - began


def main() -> None:
    """Run the command line."""
    program = "python -m benchmarks.encoder_precision"
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    parser.add_argument("checkpoint", type=Path, nargs="?", default=demo_files.checkpoint())
    clips = sorted(demo_files.clips().glob("*_face.mp4"))
    parser.add_argument("clips", type=Path, nargs="*", metavar="CLIP", default=clips)
    options = parser.parse_args()
    measure(options.checkpoint, options.clips)


@torch.inference_mode()
def measure(checkpoint: Path, files: list[Path]) -> None:
    """Print a row for each encoder that the checkpoint has."""
    network = load_network(checkpoint, "float32")
    read = [
        decode(file.read_bytes(), face_rows=network.config.face_rows, settings=MediaSettings())
        for file in files
    ]
    clips = [preprocess(clip.frame[None], clip.metadata(), network.config) for clip in read]
    for name, (attribute, encode) in ENCODERS.items():
        encoder = getattr(network, attribute)
        if encoder is None:
            continue
        theirs, whole = timed(encode, encoder, clips)
        ours, half = timed(encode, halved(checkpoint, attribute, encoder), clips)
        pairs = list(zip(ours, theirs, strict=True))
        cosine = min(float(cosine_similarity(a, b, dim=-1).min()) for a, b in pairs)
        moved = max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)
        print(f"| {name} | {cosine:.5f} | {moved:.1e} | {half / whole:.2f} |")


if __name__ == "__main__":
    main()
