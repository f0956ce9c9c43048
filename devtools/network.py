"""Loads the network in this process: vLLM's layers without an engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file
from vllm.config import DeviceConfig, ModelConfig, VllmConfig, set_current_vllm_config
from vllm.distributed import (
    init_distributed_environment,
    initialize_model_parallel,
    model_parallel_is_initialized,
)
from vllm.model_executor.model_loader.utils import (
    initialize_model,
    process_weights_after_loading,
)
from vllm.utils.torch_utils import set_default_torch_dtype

from devtools.server import free_port
from emotion_llama_vllm import register


def load_network(checkpoint: Path, dtype: Any) -> Any:
    """Load a checkpoint's network as vLLM's loader does, and check that every tensor is loaded."""
    with configured(checkpoint, dtype) as config:
        network: Any = initialize_model(vllm_config=config)  # type: ignore[call-arg]
        loaded = network.load_weights(tensors_of(checkpoint))
        process_weights_after_loading(network, config.model_config, torch.device("cpu"))
    assert loaded == {name for name, _ in network.named_parameters()}
    return network.eval()


def tensors_of(checkpoint: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the names and the tensors of a checkpoint."""
    for file in sorted(checkpoint.glob("*.safetensors")):
        yield from load_file(file).items()


def build_network(checkpoint: Path, dtype: Any, quantization: str | None = None) -> Any:
    """Build a checkpoint's network without its weights."""
    with configured(checkpoint, dtype, quantization) as config:
        return initialize_model(vllm_config=config)  # type: ignore[call-arg]


@contextmanager
def configured(
    checkpoint: Path, dtype: Any, quantization: str | None = None
) -> Iterator[VllmConfig]:
    """Set vLLM's configuration and default dtype in the block."""
    register()
    model = ModelConfig(
        model=str(checkpoint), dtype=dtype, enforce_eager=True, quantization=quantization
    )
    config = VllmConfig(model_config=model, device_config=DeviceConfig(device="cpu"))
    with set_current_vllm_config(config):
        if not model_parallel_is_initialized():
            _start_a_world_of_one()
        with set_default_torch_dtype(cast(torch.dtype, model.dtype)):
            yield config


def _start_a_world_of_one() -> None:
    init_distributed_environment(
        world_size=1,
        rank=0,
        distributed_init_method=f"tcp://127.0.0.1:{free_port()}",
        local_rank=0,
        backend="gloo",
    )
    initialize_model_parallel()
