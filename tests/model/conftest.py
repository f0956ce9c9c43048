"""The network by itself, in this process: vLLM's layers without an engine."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from vllm.config import DeviceConfig, ModelConfig, VllmConfig, set_current_vllm_config
from vllm.distributed import init_distributed_environment, initialize_model_parallel
from vllm.model_executor.model_loader.utils import (
    initialize_model,
    process_weights_after_loading,
)
from vllm.utils.torch_utils import set_default_torch_dtype

from emotion_llama_vllm import register
from tests.support.reference import Reference


@pytest.fixture(scope="session")
def load(checkpoint: Path) -> Callable[[str], Any]:
    """Load the checkpoint's network in a dtype, as vLLM's loader does; every tensor is loaded."""
    register()
    started = False

    def load(dtype: str) -> Any:
        nonlocal started
        model = ModelConfig(model=str(checkpoint), dtype=dtype, enforce_eager=True)  # type: ignore[arg-type]
        config = VllmConfig(model_config=model, device_config=DeviceConfig(device="cpu"))
        with set_current_vllm_config(config):
            if not started:
                _start_a_world_of_one()
                started = True
            with set_default_torch_dtype(model.dtype):
                network: Any = initialize_model(vllm_config=config)
                loaded = network.load_weights(load_file(checkpoint / "model.safetensors").items())
                process_weights_after_loading(network, model, torch.device("cpu"))
        assert loaded == {name for name, _ in network.named_parameters()}
        return network.eval()

    return load


def _start_a_world_of_one() -> None:
    init_distributed_environment(
        world_size=1,
        rank=0,
        distributed_init_method=f"tcp://127.0.0.1:{20_000 + os.getpid() % 20_000}",
        local_rank=0,
        backend="gloo",
    )
    initialize_model_parallel()


@pytest.fixture(scope="session")
def model(load: Callable[[str], Any]) -> Any:
    """The whole network with the checkpoint's weights, float32."""
    return load("float32")


@pytest.fixture(scope="session")
def reference(checkpoint: Path) -> Reference:
    return Reference(checkpoint)


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield
