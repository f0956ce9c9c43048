"""The encoders and the clip's embeddings: ours, in vLLM's layers, against the original's numbers.

Float32; errors are max|a-b| / max|b|.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from devtools.network import load_network
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.decode.npz import AUDIO_ROW
from emotion_llama_vllm.model.processing import preprocess
from tests.support.golden.original import CASES, FOLDER, Case, read_json, read_wav
from tests.support.golden.reference import relative_error

TOLERANCE = 5e-6
FIRST = CASES[0]


@pytest.fixture(scope="session")
def network(converted: Path) -> Any:
    return load_network(converted, "float32")


@pytest.fixture(scope="session")
def golden_config(converted: Path) -> EmotionLlamaConfig:
    return EmotionLlamaConfig.from_pretrained(converted)


@pytest.fixture(autouse=True)
def _no_gradients() -> Any:
    with torch.inference_mode():
        yield


def embed(network: Any, config: EmotionLlamaConfig, case: Case, **metadata: Any) -> torch.Tensor:
    inputs = preprocess(case.frames, metadata, config)
    return network.embed_multimodal(**{name: [value] for name, value in inputs.items()})[0]


def test_pixels(network: Any, golden_config: EmotionLlamaConfig) -> None:
    pixels = preprocess(FIRST.frames, {}, golden_config)["pixel_values"]
    patches = network.vision_tower.patch_embed
    normalised = (pixels.float() / 255 - patches.mean[0]) / patches.std[0]
    theirs = torch.from_numpy(FIRST.arrays["pixel_values_row0_f32"])
    assert torch.equal(normalised[:, 0], theirs.reshape(normalised[:, 0].shape))
    halved = torch.from_numpy(FIRST.arrays["pixel_values_f16"]).reshape(normalised.shape)
    assert torch.equal(normalised.half(), halved)


def test_eva_output_and_ln_vision(network: Any, golden_config: EmotionLlamaConfig) -> None:
    tower = network.vision_tower
    pixels = preprocess(FIRST.frames, {}, golden_config)["pixel_values"][None]
    before_norm: list[torch.Tensor] = []
    handle = tower.ln_vision.register_forward_pre_hook(lambda _, args: before_norm.append(args[0]))
    after = tower(pixels)[0]
    handle.remove()
    theirs = torch.from_numpy(FIRST.arrays["eva_output"])
    assert relative_error(before_norm[0][0], theirs) <= TOLERANCE
    theirs = torch.from_numpy(FIRST.arrays["ln_vision_output_cls_and_first4"])
    assert relative_error(after[:5], theirs.reshape(5, -1)) <= TOLERANCE


@pytest.mark.parametrize("name", read_json("hubert_golden.json"))
def test_hubert_mean_feature(network: Any, golden_config: EmotionLlamaConfig, name: str) -> None:
    golden = np.load(FOLDER / "hubert_golden.npz")
    waveform = read_wav(FOLDER / "wavs" / f"{name}.wav")
    values = preprocess(FIRST.frames, {"waveform": waveform}, golden_config)["input_values"]
    ours = network.audio_tower([values])[0]
    assert relative_error(ours, torch.from_numpy(golden[name])) <= TOLERANCE


def test_hubert_batched_over_all_sounds(network: Any, golden_config: EmotionLlamaConfig) -> None:
    golden = np.load(FOLDER / "hubert_golden.npz")
    names = list(read_json("hubert_golden.json"))
    values = [
        preprocess(
            FIRST.frames, {"waveform": read_wav(FOLDER / "wavs" / f"{name}.wav")}, golden_config
        )["input_values"]
        for name in names
    ]
    for name, ours in zip(names, network.audio_tower(values), strict=True):
        assert relative_error(ours, torch.from_numpy(golden[name])) <= TOLERANCE


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_clips_embeddings(network: Any, golden_config: EmotionLlamaConfig, case: Case) -> None:
    theirs = torch.from_numpy(case.arrays["visual_embeds"])
    given = embed(network, golden_config, case, features=case.features)
    assert relative_error(given, theirs) <= TOLERANCE
    if case.waveform is not None:
        # The original computed the audio row from this sound: so do we, and zeros for the others.
        assert not case.features[:AUDIO_ROW].any()
        heard = embed(network, golden_config, case, waveform=case.waveform)
        assert relative_error(heard, theirs) <= TOLERANCE
