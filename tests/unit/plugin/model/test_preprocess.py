"""From a decoded clip to the network's inputs."""

from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import Wav2Vec2FeatureExtractor
from vllm.exceptions import VLLMValidationError

from devtools.media import picture, tone
from devtools.small_checkpoint import FACE_CONFIG
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.decode.npz import AUDIO_ROW
from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.model.processing import preprocess

FRAMES = picture(80, 60)[None]
WAVEFORM = tone(0.5, 16_000, 1, 300)[0]
CROPS = np.stack([picture(112, 112, seed=seed) for seed in range(3)])


def test_pixels_are_the_frame_resized_by_pillow(config: EmotionLlamaConfig) -> None:
    pixels = preprocess(FRAMES, {}, config)["pixel_values"].numpy()
    size = config.vision.image_size
    expected = Image.fromarray(FRAMES[0]).resize((size, size), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(pixels.transpose(1, 2, 0), np.asarray(expected))
    assert pixels.dtype == np.uint8


def test_sound_is_normalised_bit_for_bit_as_the_originals_extractor(
    config: EmotionLlamaConfig,
) -> None:
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
    expected = extractor(WAVEFORM, sampling_rate=16_000, return_tensors="np").input_values[0]
    heard = preprocess(FRAMES, {"waveform": WAVEFORM}, config)["input_values"].numpy()
    np.testing.assert_array_equal(heard, expected)


def test_another_rate_is_resampled(config: EmotionLlamaConfig) -> None:
    metadata = {"waveform": tone(0.5, 48_000, 1, 300)[0], "sampling_rate": 48_000}
    assert len(preprocess(FRAMES, metadata, config)["input_values"]) == 8000


def test_a_sound_too_short_for_a_frame_is_followed_by_silence(config: EmotionLlamaConfig) -> None:
    heard = preprocess(FRAMES, {"waveform": WAVEFORM[:50]}, config)["input_values"]
    assert len(heard) == 400
    assert not heard[50:].any()


def test_rows_that_are_not_given(config: EmotionLlamaConfig) -> None:
    silent = preprocess(FRAMES, {}, config)["features"]
    assert not silent.any()
    heard = preprocess(FRAMES, {"waveform": WAVEFORM}, config)["features"]
    assert not heard[:AUDIO_ROW].any()
    assert heard[AUDIO_ROW].isnan().all()


def test_face_crops_are_not_an_input_of_a_checkpoint_without_face_encoders(
    config: EmotionLlamaConfig,
) -> None:
    inputs = preprocess(FRAMES, {"face_crops": CROPS}, config)
    assert inputs.keys() == {"pixel_values", "input_values", "features"}
    assert not inputs["features"].any()


@pytest.mark.parametrize("encoders", [("face_mae",), ("video_mae",), ("face_mae", "video_mae")])
def test_the_rows_with_an_encoder_are_left_to_the_network(
    config: EmotionLlamaConfig, encoders: tuple[str, ...]
) -> None:
    with_encoders = with_faces(config, *encoders)
    rows = [("face_mae", "video_mae").index(name) for name in encoders]
    assert with_encoders.face_rows == rows
    inputs = preprocess(FRAMES, {"face_crops": CROPS}, with_encoders)
    absent = inputs["features"].isnan().all(dim=1).nonzero().flatten().tolist()
    assert absent == rows
    np.testing.assert_array_equal(inputs["face_crops"].numpy(), CROPS)


def test_without_crops_the_rows_are_zeros_and_the_input_is_empty(
    config: EmotionLlamaConfig,
) -> None:
    inputs = preprocess(FRAMES, {}, with_faces(config, "face_mae", "video_mae"))
    assert not inputs["features"].any()
    assert inputs["face_crops"].shape == (0, 112, 112, 3)


def test_given_face_rows_win_and_spare_the_encoders(config: EmotionLlamaConfig) -> None:
    features = np.full((3, config.feature_size), np.nan, np.float32)
    features[:2] = 5
    metadata = {"face_crops": CROPS, "features": features}
    inputs = preprocess(FRAMES, metadata, with_faces(config, "face_mae", "video_mae"))
    assert (inputs["features"][:2] == 5).all()
    assert len(inputs["face_crops"]) == 0
    features[1] = np.nan
    inputs = preprocess(FRAMES, metadata, with_faces(config, "face_mae", "video_mae"))
    assert (inputs["features"][0] == 5).all()
    assert inputs["features"][1].isnan().all()
    assert len(inputs["face_crops"]) == len(CROPS)


def with_faces(config: EmotionLlamaConfig, *encoders: str) -> EmotionLlamaConfig:
    given = {f"{name}_config": FACE_CONFIG.to_dict() for name in encoders}
    return EmotionLlamaConfig.from_dict(config.to_dict() | given)


def test_given_rows_are_kept_and_a_given_audio_row_spares_hubert(
    config: EmotionLlamaConfig,
) -> None:
    features = np.full((3, config.feature_size), np.nan, np.float32)
    features[1] = 2
    features[AUDIO_ROW] = 3
    made = preprocess(FRAMES, {"waveform": WAVEFORM, "features": features}, config)
    assert not made["features"][0].any()
    assert (made["features"][1] == 2).all()
    assert (made["features"][AUDIO_ROW] == 3).all()
    assert len(made["input_values"]) == 1
    assert np.isnan(features[0]).all()  # the caller's array is untouched


@pytest.mark.parametrize(
    "frames",
    [FRAMES[0], FRAMES.astype(np.float32), np.concatenate([FRAMES, FRAMES]), FRAMES[..., :2], None],
)
def test_other_frames_are_refused(frames: Any, config: EmotionLlamaConfig) -> None:
    with pytest.raises(VLLMValidationError, match="one RGB frame"):
        preprocess(frames, {}, config)


@pytest.mark.parametrize(
    "metadata",
    [
        {"waveform": WAVEFORM.astype(np.float64)},
        {"waveform": WAVEFORM[None]},
        {"waveform": WAVEFORM[:0]},
        {"waveform": np.full(100, np.nan, np.float32)},
        {"waveform": WAVEFORM, "sampling_rate": 0},
        {"waveform": WAVEFORM, "sampling_rate": "16000"},
        {"features": np.zeros((3, 7), np.float32)},
        {"features": [[0.0]]},
    ],
)
def test_other_metadata_is_refused(metadata: dict[str, Any], config: EmotionLlamaConfig) -> None:
    with pytest.raises((VLLMValidationError, MediaError)):
        preprocess(FRAMES, metadata, config)


def test_a_long_sound_is_refused_here_too(config: EmotionLlamaConfig) -> None:
    with pytest.raises(MediaError, match=r"lasts 121\.0 s; at most 120 s"):
        preprocess(FRAMES, {"waveform": np.ones(121 * 16_000, np.float32)}, config)
