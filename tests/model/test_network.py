"""The encoders and the clip's embeddings against the plain reference, float32.

Errors are max|a-b| / max|b|.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import HubertConfig, HubertModel

from devtools.media import picture, tone
from devtools.network import load_network
from devtools.small_checkpoint import write_random_checkpoint
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.hooks.activation import FusedSiluAndMul
from emotion_llama_vllm.model.audio import (
    MOST_SAMPLES,
    HubertMean,
    _batches,
    min_samples,
    num_frames,
)
from emotion_llama_vllm.model.processing import preprocess
from emotion_llama_vllm.model.waveform import ChannelsLastFeatureEncoder
from tests.support.golden.reference import Reference, relative_error

TOLERANCE = 5e-6


def clip(
    seed: int, seconds: float | None, features: np.ndarray | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """A frame and metadata."""
    metadata: dict[str, Any] = {}
    if seconds is not None:
        metadata["waveform"] = tone(seconds, 16_000, 1, 200 + 40 * seed)[0]
    if features is not None:
        metadata["features"] = features
    return picture(90 + seed, 70, seed=seed)[None], metadata


def inputs(clips: list[tuple[np.ndarray, dict[str, Any]]], config: EmotionLlamaConfig) -> Any:
    made = [preprocess(frames, metadata, config) for frames, metadata in clips]
    return {
        "pixel_values": torch.stack([m["pixel_values"] for m in made]),
        "input_values": [m["input_values"] for m in made],
        "features": torch.stack([m["features"] for m in made]),
    }


def test_vision_tower(model: Any, reference: Reference, config: EmotionLlamaConfig) -> None:
    clips = [clip(seed, None) for seed in range(3)]
    ours = model.vision_tower(inputs(clips, config)["pixel_values"])
    for index, (frames, _) in enumerate(clips):
        assert relative_error(ours[index], reference.see(frames[0])) <= TOLERANCE


@pytest.mark.parametrize("seconds", [0.03, 0.4, 2.0, 7.3])
def test_audio_tower(
    model: Any, reference: Reference, config: EmotionLlamaConfig, seconds: float
) -> None:
    item = clip(1, seconds)
    ours = model.audio_tower(inputs([item], config)["input_values"])[0]
    assert relative_error(ours, reference.hear(item[1]["waveform"])) <= TOLERANCE


def some_features(config: EmotionLlamaConfig, *missing: int) -> np.ndarray:
    draw = np.random.default_rng(len(missing))
    features = draw.standard_normal((3, config.feature_size)).astype(np.float32)
    features[list(missing)] = np.nan
    return features


def test_a_clips_embeddings(model: Any, reference: Reference, config: EmotionLlamaConfig) -> None:
    clips = [
        clip(0, 1.0),
        clip(1, None),
        clip(2, 1.0, some_features(config)),
        clip(3, 1.5, some_features(config, 0, 2)),
        clip(4, None, some_features(config, 2)),
    ]
    ours = model.embed_multimodal(**inputs(clips, config))
    assert ours.shape == (5, config.embeddings_per_clip, config.text.hidden_size)
    for index, (frames, metadata) in enumerate(clips):
        theirs = reference.embed(frames[0], metadata.get("waveform"), metadata.get("features"))
        assert relative_error(ours[index], theirs) <= TOLERANCE


def test_a_batch_gives_what_one_by_one_gives(model: Any, config: EmotionLlamaConfig) -> None:
    lengths = [0.03, 0.5, None, 3.0, 0.52, 2.9, 3.0, 0.4]
    clips = [clip(seed, seconds) for seed, seconds in enumerate(lengths)]
    together = model.embed_multimodal(**inputs(clips, config))
    for index, item in enumerate(clips):
        alone = model.embed_multimodal(**inputs([item], config))[0]
        assert relative_error(together[index], alone) <= TOLERANCE


def test_the_rows_of_the_face_are_computed_for_the_clips_that_miss_them(
    tmp_path: Path, config: EmotionLlamaConfig
) -> None:
    checkpoint = tmp_path / "faces"
    write_random_checkpoint(checkpoint, has_faces=True)
    with_faces = EmotionLlamaConfig.from_pretrained(checkpoint)
    model, reference = load_network(checkpoint, "float32"), Reference(checkpoint)
    crops = np.stack([picture(112, 112, seed=seed) for seed in range(40)])
    clips: list[dict[str, Any]] = [
        {"face_crops": crops[:12]},
        {},
        {"face_crops": crops, "waveform": tone(0.5, 16_000, 1, 300)[0]},
        {"face_crops": crops[:1], "features": some_features(config, 1, 2)},
        {"face_crops": crops[:3], "features": some_features(config, 2)},
        {"face_crops": crops[:9]},
    ]
    frame = picture(90, 70)[None]
    made = [preprocess(frame, metadata, with_faces) for metadata in clips]
    ours = model.embed_multimodal(**{name: [m[name] for m in made] for name in made[0]})
    for embeddings, metadata in zip(ours, clips, strict=True):
        theirs = reference.embed(frame[0], **{"waveform": None, **metadata})
        assert relative_error(embeddings, theirs) <= TOLERANCE


def test_the_face_encoders_compute_in_float32_whatever_the_models_dtype(tmp_path: Path) -> None:
    write_random_checkpoint(tmp_path / "faces", has_faces=True)
    halved, whole = (load_network(tmp_path / "faces", d) for d in ("bfloat16", "float32"))
    assert halved.llama_proj.weight.dtype == torch.bfloat16
    crops = [torch.from_numpy(np.stack([picture(112, 112, seed=seed) for seed in range(2)]))]
    for name in ("face_mae", "video_mae"):
        encoder = getattr(halved, name)
        assert {p.dtype for p in encoder.parameters()} == {torch.float32}
        assert torch.equal(encoder(crops), getattr(whole, name)(crops))


def test_no_gradient_is_recorded(model: Any, config: EmotionLlamaConfig) -> None:
    with torch.inference_mode(mode=False):
        embeddings = model.embed_multimodal(**inputs([clip(0, 1.0)], config))
    assert not embeddings.requires_grad


def test_swapped_rows_or_sounds_would_be_noticed(
    model: Any, reference: Reference, config: EmotionLlamaConfig
) -> None:
    item = clip(0, 1.0, some_features(config, 2))
    ours = model.embed_multimodal(**inputs([item], config))[0]
    swapped = item[1]["features"][[1, 0, 2]]
    assert relative_error(ours, reference.embed(item[0][0], item[1]["waveform"], swapped)) > 1e-3
    other = clip(3, 1.0)[1]["waveform"]
    theirs = reference.embed(item[0][0], other, item[1]["features"])
    assert relative_error(ours, theirs) > 1e-4


def test_hubert_and_ln_vision_compute_in_float32_whatever_the_models_dtype(
    checkpoint: Path,
) -> None:
    halved = load_network(checkpoint, "bfloat16")
    assert halved.llama_proj.weight.dtype == torch.bfloat16
    assert halved.vision_tower.pos_embed.dtype == torch.bfloat16
    assert halved.vision_tower.ln_vision.weight.dtype == torch.float32
    assert {p.dtype for p in halved.audio_tower.parameters()} == {torch.float32}
    assert halved.audio_tower([torch.randn(4000)]).dtype == torch.float32


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"conv_bias": False},
        {"do_stable_layer_norm": False},
        {"conv_dim": (8, 16, 32, 8, 16, 32, 48)},
        {"conv_kernel": (7, 2, 5, 3, 1, 3, 2), "conv_stride": (4, 3, 2, 1, 1, 2, 2)},
        {"feat_extract_norm": "group"},
    ],
    ids=str,
)
def test_hubert_on_a_cpu_gives_what_transformers_gives(
    config: EmotionLlamaConfig, change: dict[str, Any]
) -> None:
    audio = HubertConfig.from_dict({**config.audio.to_dict(), **change})
    torch.manual_seed(0)
    theirs = HubertModel(audio).eval()
    for parameter in theirs.parameters():  # norms of one and biases of zero would hide a lot
        parameter += 0.1 * torch.randn_like(parameter)
    tower = HubertMean(audio).eval()
    encoder = tower.hubert.feature_extractor
    assert isinstance(encoder, ChannelsLastFeatureEncoder) == (audio.feat_extract_norm == "layer")
    names = {name for name, _ in tower.named_parameters()}
    assert tower.load_weights(theirs.state_dict().items()) == names
    # One frame, the samples around two, batches of equal and of ragged lengths.
    lengths = [400, 719, 720, 721, 1500, 32_079, 32_080, 32_081, 32_080, 40_000, 64_400]
    waveforms = [torch.randn(length) for length in lengths]
    for waveform, ours in zip(waveforms, tower(waveforms), strict=True):
        expected = theirs(waveform[None]).last_hidden_state[0].mean(dim=0)
        assert relative_error(ours, expected) <= TOLERANCE


def test_hubert_computes_where_its_weights_are(config: EmotionLlamaConfig) -> None:
    # With masking, HuBERT's first parameter is on the CPU wherever the others are.
    audio = HubertConfig.from_dict({**config.audio.to_dict(), "mask_time_prob": 0.05})
    with torch.device("meta"):
        tower = HubertMean(audio)
    assert tower.hubert.device.type == "cpu"
    assert not isinstance(tower.hubert.feature_extractor, ChannelsLastFeatureEncoder)
    assert tower([]).device.type == "meta"


def test_hubert_with_a_group_norm_never_pads(config: EmotionLlamaConfig) -> None:
    # That norm runs over time, so silence behind a sound would change the sound.
    fields: dict[str, Any] = {**config.audio.to_dict(), "feat_extract_norm": "group"}
    audio = type(config.audio)(**fields)
    torch.manual_seed(0)
    tower = HubertMean(audio).eval()
    waveforms = [torch.randn(n) for n in (4000, 8000, 7900)]
    together = tower(waveforms)
    for index, waveform in enumerate(waveforms):
        assert relative_error(together[index], tower([waveform])[0]) <= TOLERANCE


def test_sounds_share_a_batch_only_when_little_is_padded() -> None:
    lengths = [100, 10, 95, 80, 74, 11]
    batches = list(_batches(lengths, can_pad=True))
    assert sorted(index for batch in batches for index in batch) == list(range(6))
    for batch in batches:
        chosen = [lengths[index] for index in batch]
        assert min(chosen) >= 0.75 * max(chosen)
    assert len(batches) == 3
    assert len(list(_batches([5, 5, 6], can_pad=False))) == 2


def test_a_batch_of_sounds_is_limited_and_takes_the_longest_alone() -> None:
    half = MOST_SAMPLES // 2
    lengths = [half, 2 * MOST_SAMPLES, half, half]
    batches = [[lengths[index] for index in batch] for batch in _batches(lengths, can_pad=True)]
    assert batches == [[2 * MOST_SAMPLES], [half, half], [half]]


def test_the_fewest_samples_make_exactly_one_frame(config: EmotionLlamaConfig) -> None:
    fewest = min_samples(config.audio)
    assert fewest == 400
    assert num_frames(config.audio, torch.tensor([fewest - 1, fewest])).tolist() == [0, 1]


@pytest.mark.parametrize("shape", [(2, 128), (3, 1, 64), (2, 10)])
def test_the_llamas_activation_is_fused(model: Any, shape: tuple[int, ...]) -> None:
    (activation,) = {layer.mlp.act_fn.__class__ for layer in model.language_model.model.layers}
    assert activation is FusedSiluAndMul
    x = torch.randn(*shape)
    gate, up = x.chunk(2, -1)
    fused = model.language_model.model.layers[0].mlp.act_fn(x)
    torch.testing.assert_close(fused, torch.nn.functional.silu(gate) * up)
