"""The two face encoders: ours, in vLLM's layers, against the original's numbers.

Float32; errors are max|a-b| / max|b|.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from devtools.network import load_network
from emotion_llama_vllm.checkpoint.layout import face_mae_shapes, video_mae_shapes
from emotion_llama_vllm.config import EmotionLlamaConfig, FaceEncoderConfig
from emotion_llama_vllm.model.faces import enlarge, video_frames
from emotion_llama_vllm.model.processing import preprocess
from tests.support.golden.faces import CASES, FOLDER, FaceCase
from tests.support.golden.reference import relative_error

TOLERANCE = 1e-5
ROWS = ("face_utt", "video_utt")
FRAME = np.zeros((1, 16, 16, 3), np.uint8)
LONGEST = max(CASES, key=lambda case: len(case.crops))


@pytest.fixture(scope="module")
def network(with_golden_faces: Path) -> Any:
    return load_network(with_golden_faces, "float32")


@pytest.fixture(scope="module")
def faces_config(with_golden_faces: Path) -> EmotionLlamaConfig:
    return EmotionLlamaConfig.from_pretrained(with_golden_faces)


@pytest.fixture(autouse=True)
def _no_gradients() -> Any:
    with torch.inference_mode():
        yield


def rows(network: Any, config: EmotionLlamaConfig, *clips: dict[str, Any]) -> torch.Tensor:
    """Return the feature rows of clips that share a step, [clips, 3, feature size]."""
    made = [preprocess(FRAME, metadata, config) for metadata in clips]
    features = torch.stack([inputs["features"] for inputs in made])
    return network._complete(features, {n: [m[n] for m in made] for n in made[0]})


def error(row: int, ours: torch.Tensor, case: FaceCase) -> float:
    return relative_error(ours, torch.from_numpy(case.arrays[ROWS[row]]))


def errors(ours: torch.Tensor, case: FaceCase) -> list[float]:
    return [error(row, ours[row], case) for row in range(len(ROWS))]


def test_the_pixels_are_those_of_pillow() -> None:
    case = CASES[0]
    theirs = torch.from_numpy(case.arrays["resized_first"]).permute(2, 0, 1) / 255
    assert torch.equal(enlarge(torch.from_numpy(case.crops))[0], theirs)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_sampled_frames_are_the_originals(case: FaceCase) -> None:
    assert video_frames(len(case.crops)) == case.arrays["video_indices"].tolist()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_rows_of_one_clip(
    network: Any, faces_config: EmotionLlamaConfig, case: FaceCase
) -> None:
    [ours] = rows(network, faces_config, {"face_crops": case.crops})
    assert max(errors(ours, case)) <= TOLERANCE


def test_the_rows_of_all_clips_in_one_step(network: Any, faces_config: EmotionLlamaConfig) -> None:
    """Clips without crops, and with given rows, stand between them."""
    given = np.full((3, faces_config.feature_size), np.nan, np.float32)
    given[0] = 7
    clips: list[dict[str, Any]] = [{"face_crops": case.crops} for case in CASES]
    clips[2:2] = [{}, {"face_crops": LONGEST.crops, "features": given}, {"features": given}]
    ours = rows(network, faces_config, *clips)
    without, one_given, one_without_crops = ours[2:5]
    for case, row in zip(CASES, [*ours[:2], *ours[5:]], strict=True):
        assert max(errors(row, case)) <= TOLERANCE
    assert not without.any()
    assert (one_given[0] == 7).all()
    assert errors(one_given, LONGEST)[1] <= TOLERANCE
    assert (one_without_crops[0] == 7).all()
    assert not one_without_crops[1:].any()


def test_each_frame_and_each_token_before_the_means(network: Any) -> None:
    [case] = [case for case in CASES if "video_tokens" in case.arrays]
    pictures = enlarge(torch.from_numpy(case.crops))
    frames = network.face_mae.norm(network.face_mae.encode(pictures))[:, 0]
    assert relative_error(frames, torch.from_numpy(case.arrays["face_frames"])) <= TOLERANCE
    video = pictures[video_frames(len(pictures))].transpose(0, 1)
    tokens = network.video_mae.encode(video[None])[0]
    assert relative_error(tokens, torch.from_numpy(case.arrays["video_tokens"])) <= TOLERANCE


def test_the_real_files_have_the_tensors_that_we_read() -> None:
    listed = json.loads((FOLDER / "large_keys.json").read_text())
    for name, prefix, shapes in (
        ("face", "", face_mae_shapes),
        ("video", "encoder.", video_mae_shapes),
    ):
        ours = {prefix + key: list(shape) for key, shape in shapes(FaceEncoderConfig()).items()}
        assert ours == listed[name]["needed"]
