"""A quantization that cannot work is refused in one sentence, before the engine starts."""

import json
import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from vllm.platforms.cpu import CpuPlatform
from vllm.platforms.interface import DeviceCapability, Platform, PlatformEnum

from emotion_llama_server.environment import StartError
from emotion_llama_server.start import quantization
from emotion_llama_server.start.quantization import check_quantization

ADVICE = "use fp8_per_tensor on a GPU, fp8_per_channel without one, or serve a copy"


class Ampere(Platform):
    """A GPU of the RTX 30 series."""

    _enum = PlatformEnum.CUDA

    @classmethod
    def get_device_capability(cls, device_id: int = 0) -> DeviceCapability:
        return DeviceCapability(8, 6)


class Ada(Ampere):
    """A GPU of the RTX 40 series."""

    @classmethod
    def get_device_capability(cls, device_id: int = 0) -> DeviceCapability:
        return DeviceCapability(8, 9)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that sets the device."""

    def choose(platform: Platform) -> None:
        monkeypatch.setattr(quantization, "current_platform", platform)

    return choose


def packed(checkpoint: Path, out: Path, bits: int) -> Path:
    """Copy a checkpoint and let its configuration say that it is quantized."""
    shutil.copytree(checkpoint, out)
    config = json.loads((out / "config.json").read_text())
    groups = {"group_0": {"targets": ["Linear"], "weights": {"num_bits": bits}}}
    config["quantization_config"] = {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "config_groups": groups,
    }
    (out / "config.json").write_text(json.dumps(config))
    return out


def arguments(model: Path, quantization: str | None = None, dtype: str = "auto") -> Namespace:
    return Namespace(model=str(model), quantization=quantization, dtype=dtype)


@pytest.mark.parametrize(
    ("platform", "name", "words"),
    [
        (CpuPlatform(), "fp8", "--quantization fp8 needs a GPU; without one use fp8_per_channel"),
        (CpuPlatform(), "fp8_per_block", "needs a GPU; without one use fp8_per_channel"),
        (CpuPlatform(), "mxfp8", "needs a GPU; without one use fp8_per_channel"),
        (CpuPlatform(), "int8_per_channel_weight_only", f"nothing of this model; {ADVICE}"),
        (Ada(), "int8_per_channel_weight_only", f"nothing of this model; {ADVICE}"),
        (Ada(), "awq", f"quantized already, and this checkpoint's are not; {ADVICE}"),
        (Ampere(), "fp8_per_channel", "compute capability 8.9; use fp8_per_tensor"),
    ],
)
def test_a_method_that_cannot_work_is_refused(
    on: Any, checkpoint: Path, platform: Platform, name: str, words: str
) -> None:
    on(platform)
    with pytest.raises(StartError) as refused:
        check_quantization(arguments(checkpoint, name))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        (CpuPlatform(), None),
        (CpuPlatform(), "fp8_per_channel"),
        (Ampere(), "fp8_per_tensor"),
        (Ampere(), "fp8"),
        (Ada(), "fp8_per_channel"),
        (Ada(), "online"),
    ],
)
def test_a_method_that_works_passes(
    on: Any, checkpoint: Path, platform: Platform, name: str | None
) -> None:
    on(platform)
    check_quantization(arguments(checkpoint, name))


def test_packed_weights_on_cpus(on: Any, checkpoint: Path, tmp_path: Path) -> None:
    eight = packed(checkpoint, tmp_path / "w8a16", 8)
    four = packed(checkpoint, tmp_path / "w4a16", 4)
    on(Ampere())
    check_quantization(arguments(eight))
    on(CpuPlatform())
    with pytest.raises(StartError, match=r"\(w8a16\) on GPUs only"):
        check_quantization(arguments(eight))
    check_quantization(arguments(four))
    with pytest.raises(StartError, match="in 16 bits only; add --dtype bfloat16"):
        check_quantization(arguments(four, dtype="float32"))
