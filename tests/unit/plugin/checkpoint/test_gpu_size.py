"""Whether the 7B fits on a GPU is told from its sizes, with the flags that its file has."""

from pathlib import Path

import pytest
import yaml

from devtools.paths import CHECKOUT
from devtools.random_checkpoint import full_config
from emotion_llama_vllm.checkpoint.gpu_size import best_plan, examine_gpu, flags, gigabytes
from emotion_llama_vllm.checkpoint.quantize import quantize
from emotion_llama_vllm.checkpoint.scheme import Scheme
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.footprint import GIB, Footprint, stored_bits
from emotion_llama_vllm.hooks.cpu_defaults import weight_bytes

FULL = full_config()
CONFIGS = CHECKOUT / "configs"


@pytest.fixture(scope="module")
def seven() -> Footprint:
    return Footprint(FULL)


def words_for(config: EmotionLlamaConfig, folder: Path, size: float) -> str:
    config.save_pretrained(folder)
    return examine_gpu(folder, size).words


@pytest.mark.parametrize(
    ("size", "bits", "name"), [(12, 4, "-12gb"), (16, 8, "-16gb"), (24, 16, ""), (80, 16, "")]
)
def test_each_size_has_a_configuration_with_the_flags_of_its_plan(
    seven: Footprint, size: float, bits: int, name: str
) -> None:
    plan = best_plan(FULL, seven, size)
    assert plan is not None
    assert plan.bits == bits
    assert plan.live_requests >= 5
    shipped = yaml.safe_load((CONFIGS / f"emotion-llama-7b{name}.yaml").read_text())
    wanted = flags(FULL, plan)
    assert {flag: shipped.get(flag) for flag in (*wanted, "quantization")} == {
        "quantization": None,
        **wanted,
    }


def test_the_words_name_what_to_type(tmp_path: Path) -> None:
    words = words_for(FULL, tmp_path / "seven", 12)
    assert "fits into 12 GB by our arithmetic: 6.7 GiB of weights with 4 bits" in words
    assert f"`emotion-llama quantize {tmp_path}/seven --out {tmp_path}/seven-w4a16" in words
    assert f"`emotion-llama serve {tmp_path}/seven-w4a16 --gpu-memory-utilization 0.92" in words
    words = words_for(FULL, tmp_path / "seven", 16)
    assert f"`emotion-llama serve {tmp_path}/seven --quantization fp8_per_tensor" in words


def test_a_gpu_that_is_too_small_is_told_with_one_that_is_not(tmp_path: Path) -> None:
    FULL.save_pretrained(tmp_path)
    finding = examine_gpu(tmp_path, 8)
    assert not finding.ok
    assert finding.words.endswith(
        "does not fit into 8 GB by our arithmetic; take a GPU of 12 GB or more."
    )


@pytest.mark.parametrize("scheme", list(Scheme))
def test_the_weights_are_as_large_as_their_files(
    checkpoint: Path, tmp_path: Path, scheme: Scheme
) -> None:
    config = quantize(checkpoint, tmp_path / "small", scheme)
    assert stored_bits(config) == scheme.weight_bits
    counted = Footprint(config).weights(scheme.weight_bits)
    assert counted == pytest.approx(weight_bytes(tmp_path / "small"), rel=0.06)  # with all names
    plan = best_plan(config, Footprint(config), 1000)
    assert plan is not None
    assert plan.weights == counted
    assert "quantization" not in flags(config, plan)


def test_four_bits_take_a_quarter_of_the_llamas_layers(seven: Footprint) -> None:
    whole, four = seven.weights(16), seven.weights(4)
    linear = 32 * (4 * 4096**2 + 3 * 4096 * 11008) * 2
    assert whole - four == pytest.approx(linear * (1 - 4.125 / 16), rel=1e-6)
    assert 15.5 < whole / GIB < 16


@pytest.mark.parametrize(("size", "number"), [("12GB", 12), ("16 GiB", 16), ("10.5g", 10.5)])
def test_a_size_is_written_in_several_ways(size: str, number: float) -> None:
    assert gigabytes(size) == number


@pytest.mark.parametrize("size", ["", "large", "0", "-12GB", "12TB", "nan"])
def test_what_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(ValueError, match="is no size of a GPU"):
        gigabytes(size)
