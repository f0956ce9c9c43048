"""The golden tests of the face encoders have teeth: each wrong implementation is noticed.

The mistakes are those of `tests/data/golden_face/NOTES.md`. Each is made on purpose, and looked at
through the comparison and the tolerance of `test_faces.py::test_the_rows_of_one_clip`.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from devtools.network import load_network
from emotion_llama_vllm.model import faces
from tests.golden.test_faces import TOLERANCE, error
from tests.support.golden.faces import CASES, VIDEO_MAE, FaceCase

WITH_BLACK, LONG = (
    next(case for case in CASES if case.name == name) for name in ("clip_b_n16", "clip_c_n40")
)
FACE, VIDEO = 0, 1
Mistake = Callable[[Any, pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def network(with_golden_faces: Path) -> Any:
    return load_network(with_golden_faces, "float32")


@pytest.fixture(autouse=True)
def _no_gradients() -> Any:
    with torch.inference_mode():
        yield


def _enlarging(change: Callable[[torch.Tensor], torch.Tensor], patch: pytest.MonkeyPatch) -> None:
    patch.setattr(faces, "enlarge", change)


def normalise_as_imagenet(network: Any, patch: pytest.MonkeyPatch) -> None:
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    right = faces.enlarge
    _enlarging(lambda crops: (right(crops) - mean) / std, patch)


def read_bgr(network: Any, patch: pytest.MonkeyPatch) -> None:
    right = faces.enlarge
    _enlarging(lambda crops: right(crops.flip(-1)), patch)


def resize_bicubic(network: Any, patch: pytest.MonkeyPatch) -> None:
    def one(crop: torch.Tensor) -> torch.Tensor:
        picture = Image.fromarray(crop.numpy()).resize((224, 224), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255

    def resize(crops: torch.Tensor) -> torch.Tensor:
        made = torch.stack([one(crop) for crop in crops.reshape(-1, *crops.shape[-3:])])
        return made.reshape(*crops.shape[:-3], *made.shape[1:])

    _enlarging(resize, patch)


def average_the_patches(network: Any, patch: pytest.MonkeyPatch) -> None:
    encoder = network.face_mae
    norm, right = encoder.norm, encoder.encode
    encoder.norm = torch.nn.Identity()  # the norm comes before the mean, which replaces the token
    encoder.encode = lambda pictures: norm(right(pictures))[:, 1:].mean(dim=1, keepdim=True)


def leave_out_the_final_norm(network: Any, patch: pytest.MonkeyPatch) -> None:
    network.face_mae.norm = torch.nn.Identity()


def apply_the_final_norm(network: Any, patch: pytest.MonkeyPatch) -> None:
    stored: Any = torch.load(VIDEO_MAE, weights_only=False)["model"]
    weight, bias = stored["encoder.norm.weight"], stored["encoder.norm.bias"]
    right = network.video_mae.encode
    network.video_mae.encode = lambda videos: torch.nn.functional.layer_norm(
        right(videos), weight.shape, weight, bias, 1e-6
    )


def _changing_clips(encoder: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    right = encoder.forward
    encoder.forward = lambda clips: right([change(clip) for clip in clips])


def leave_out_black_frames(network: Any, patch: pytest.MonkeyPatch) -> None:
    _changing_clips(network.face_mae, lambda clip: clip[clip.flatten(1).bool().any(dim=1)])


def average_the_sampled_frames_only(network: Any, patch: pytest.MonkeyPatch) -> None:
    _changing_clips(network.face_mae, lambda clip: clip[faces.video_frames(len(clip))])


def sample_evenly(network: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(faces, "video_frames", lambda n: np.linspace(0, n - 1, 16).astype(int).tolist())


def sample_the_first_frames(network: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(faces, "video_frames", lambda n: list(range(16)))


def reverse_the_frames(network: Any, patch: pytest.MonkeyPatch) -> None:
    _changing_clips(network.video_mae, lambda clip: clip.flip(0))


def shuffle_the_frames(network: Any, patch: pytest.MonkeyPatch) -> None:
    shuffled = torch.Generator().manual_seed(0)
    _changing_clips(
        network.video_mae, lambda clip: clip[torch.randperm(len(clip), generator=shuffled)]
    )


MISTAKES: list[tuple[Mistake, FaceCase, tuple[int, ...]]] = [
    (normalise_as_imagenet, WITH_BLACK, (FACE, VIDEO)),
    (read_bgr, WITH_BLACK, (FACE, VIDEO)),
    (resize_bicubic, WITH_BLACK, (FACE, VIDEO)),
    (average_the_patches, WITH_BLACK, (FACE,)),
    (leave_out_the_final_norm, WITH_BLACK, (FACE,)),
    (apply_the_final_norm, WITH_BLACK, (VIDEO,)),
    (leave_out_black_frames, WITH_BLACK, (FACE,)),
    (average_the_sampled_frames_only, LONG, (FACE,)),
    (sample_evenly, LONG, (VIDEO,)),
    (sample_the_first_frames, LONG, (VIDEO,)),
    (reverse_the_frames, WITH_BLACK, (VIDEO,)),
    (shuffle_the_frames, WITH_BLACK, (VIDEO,)),
]


@pytest.mark.parametrize(
    ("mistake", "case", "spoilt"), MISTAKES, ids=[m.__name__ for m, _, _ in MISTAKES]
)
def test_a_mistake_in_a_face_encoder_is_noticed(
    network: Any,
    monkeypatch: pytest.MonkeyPatch,
    mistake: Mistake,
    case: FaceCase,
    spoilt: tuple[int, ...],
) -> None:
    wrong = copy.deepcopy(network)
    mistake(wrong, monkeypatch)
    crops = [torch.from_numpy(case.crops)]
    for row, encoder in ((FACE, wrong.face_mae), (VIDEO, wrong.video_mae)):
        if row in spoilt:
            assert error(row, encoder(crops)[0], case) > 10 * TOLERANCE
