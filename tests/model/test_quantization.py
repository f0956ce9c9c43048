"""vLLM's quantization reaches the Llama's linear layers and nothing else."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from vllm.model_executor.layers.linear import LinearBase
from vllm.model_executor.layers.vocab_parallel_embedding import VocabParallelEmbedding

from devtools.network import build_network
from devtools.small_checkpoint import write_random_checkpoint
from emotion_llama_vllm.checkpoint.quantize import quantize
from emotion_llama_vllm.checkpoint.scheme import Scheme

LAYERS = {
    f"language_model.model.layers.{index}.{layer}"
    for index in range(2)
    for layer in ("self_attn.qkv_proj", "self_attn.o_proj", "mlp.gate_up_proj", "mlp.down_proj")
}
"""The small Llama's linear layers, as vLLM joins them."""
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 64, "desc_act": False, "sym": True}
"""What another tool writes into a checkpoint's configuration."""


@pytest.fixture(scope="module")
def with_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces") / "checkpoint"
    write_random_checkpoint(folder, has_faces=True)
    return folder


def quantized(network: torch.nn.Module) -> set[str]:
    """The names of the layers that vLLM could quantize, and does."""
    return {
        name
        for name, layer in network.named_modules()
        if isinstance(layer, LinearBase | VocabParallelEmbedding)
        and not type(layer.quant_method).__name__.startswith("Unquantized")
    }


def test_nothing_is_quantized_unless_asked(with_faces: Path) -> None:
    assert quantized(build_network(with_faces, "bfloat16")) == set()


def test_quantization_while_loading(with_faces: Path) -> None:
    assert quantized(build_network(with_faces, "bfloat16", "fp8_per_channel")) == LAYERS


@pytest.mark.parametrize("scheme", [Scheme.W4A16, Scheme.W8A8])
def test_quantization_by_us(with_faces: Path, tmp_path: Path, scheme: Scheme) -> None:
    quantize(with_faces, tmp_path / "quantized", scheme)
    assert quantized(build_network(tmp_path / "quantized", "bfloat16")) == LAYERS


def test_quantization_by_another_tool(with_faces: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(with_faces, tmp_path / "quantized")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": GPTQ}))
    assert quantized(build_network(folder, "bfloat16")) == LAYERS
