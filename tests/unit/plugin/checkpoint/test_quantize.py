"""A quantized checkpoint holds the Llama's layers, rounded to nearest, and all else as it was."""

from pathlib import Path
from typing import Any

import pytest
import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationConfig
from safetensors.torch import load_file

from devtools.small_checkpoint import (
    small_config,
    write_random_checkpoint,
    write_random_originals,
)
from emotion_llama_vllm.checkpoint.convert import convert
from emotion_llama_vllm.checkpoint.doctor import examine_checkpoint
from emotion_llama_vllm.checkpoint.layout import is_linear
from emotion_llama_vllm.checkpoint.quantize import Quantizer, quantize
from emotion_llama_vllm.checkpoint.scheme import Scheme
from emotion_llama_vllm.checkpoint.tensors import ConversionError
from emotion_llama_vllm.config import EmotionLlamaConfig

STEPS = {Scheme.W8A16: 127.5, Scheme.W4A16: 7.5, Scheme.W8A8: 127.5}
"""The largest weight of a group in units of its scale."""


@pytest.fixture(scope="module")
def with_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces") / "checkpoint"
    write_random_checkpoint(folder, has_faces=True)
    return folder


@pytest.fixture(scope="module", params=list(Scheme))
def scheme(request: pytest.FixtureRequest) -> Scheme:
    return request.param


@pytest.fixture(scope="module")
def quantized(scheme: Scheme, with_faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("quantized") / scheme.value
    quantize(with_faces, out, scheme)
    return out


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return {name: t for file in folder.glob("*.safetensors") for name, t in load_file(file).items()}


def test_each_weight_is_off_by_half_a_step_at_most(
    quantized: Path, scheme: Scheme, with_faces: Path
) -> None:
    config = EmotionLlamaConfig.from_pretrained(quantized)
    read = QuantizationConfig.model_validate(config.quantization_config)  # as vLLM reads it
    compressor: Any = BaseCompressor.get_value_from_registry(read.format)
    before, after = tensors(with_faces), tensors(quantized)
    for layer in (name.removesuffix(".weight") for name in before if is_linear(name)):
        parts = {
            name.removeprefix(f"{layer}."): tensor.float() if "scale" in name else tensor
            for name, tensor in after.items()
            if name.startswith(f"{layer}.")
        }
        weight = compressor.decompress(parts, read.config_groups["group_0"])["weight"]
        scale = parts["weight_scale"]
        off = (weight - before[f"{layer}.weight"].float()).unflatten(1, (scale.shape[1], -1))
        # The largest positive weight has no integer of its own, and a bfloat16 scale is rounded.
        assert (off.abs().amax(-1) <= scale * (0.5 + STEPS[scheme] / 256 + 1e-3)).all()


def test_all_other_tensors_stay_as_they_were(quantized: Path, with_faces: Path) -> None:
    before, after = tensors(with_faces), tensors(quantized)
    layers = {name.removesuffix(".weight") for name in before if is_linear(name)}
    kept = {name for name in before if name.removesuffix(".weight") not in layers}
    assert kept == {name for name in after if name.rpartition(".")[0] not in layers}
    assert all(torch.equal(before[name], after[name]) for name in kept)


@pytest.mark.costly
def test_a_conversion_quantizes_what_the_lora_was_merged_into(tmp_path: Path) -> None:
    originals = write_random_originals(tmp_path)
    convert(originals, tmp_path / "whole", dtype=torch.float32)
    quantize(tmp_path / "whole", tmp_path / "later", Scheme.W4A16)
    convert(originals, tmp_path / "at_once", dtype=torch.float32, scheme=Scheme.W4A16)
    later, at_once = tensors(tmp_path / "later"), tensors(tmp_path / "at_once")
    assert later.keys() == at_once.keys()
    assert all(torch.equal(tensor, at_once[name]) for name, tensor in later.items())


def test_the_doctor_finds_a_quantized_checkpoint_well(quantized: Path) -> None:
    assert [finding for finding in examine_checkpoint(quantized) if not finding.ok] == []


def test_a_quantized_checkpoint_is_not_quantized_again(quantized: Path, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="is quantized already"):
        quantize(quantized, tmp_path / "again", Scheme.W4A16)


def test_layers_that_no_group_divides_are_refused() -> None:
    config = small_config(vocab_size=512)
    config.text.intermediate_size = 200
    with pytest.raises(ConversionError, match="no multiples of 32; w8a8 needs no groups"):
        Quantizer(config, Scheme.W4A16, torch.bfloat16)
    Quantizer(config, Scheme.W8A8, torch.bfloat16)
