"""How large the attention cache is where the operator names no size."""

from pathlib import Path
from typing import Any

import pytest
import torch

from devtools.small_checkpoint import small_config
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.hooks.attention_cache import TooLittleMemory, default_size, size_cache
from emotion_llama_vllm.memory import Memory
from emotion_llama_vllm.settings import MediaSettings

GIB = 1 << 30
PER_TOKEN = 2 * 2 * 128 * 4
"""Keys and values of two layers, 128 wide, in float32."""


@pytest.fixture
def config() -> EmotionLlamaConfig:
    return small_config(vocab_size=512)


def given(**changed: Any) -> dict[str, Any]:
    """The engine's arguments."""
    return {"max_num_seqs": 80, "dtype": "float32"} | changed


def free(gib: float) -> Memory:
    return Memory(total=64 * GIB, free=int(gib * GIB))


def test_with_plenty_of_memory_all_requests_fit_and_nothing_more(
    config: EmotionLlamaConfig,
) -> None:
    size = size_cache(config, given(), MediaSettings(), free(40))
    assert size.all == 80 * 2048 * PER_TOKEN
    assert "holds 163840 tokens, of which a request uses 2048 at most" in str(size)


@pytest.mark.parametrize(
    ("changed", "factor"),
    [
        ({"max_model_len": 1024}, 0.5),
        ({"max_num_seqs": 40}, 0.5),
        ({"dtype": "bfloat16"}, 0.5),
        ({"kv_cache_dtype": "fp8"}, 0.25),
        ({"data_parallel_size": 2}, 2),
    ],
)
def test_requests_that_can_use_less_get_less(
    config: EmotionLlamaConfig, changed: dict[str, Any], factor: float
) -> None:
    size = size_cache(config, given(**changed), MediaSettings(), free(40))
    assert size.all == factor * 80 * 2048 * PER_TOKEN


def test_of_little_memory_the_rest_of_the_server_gets_what_it_needs(
    config: EmotionLlamaConfig,
) -> None:
    many = given(max_num_seqs=100_000)
    small = size_cache(config, many, MediaSettings(), free(6)).all
    assert small < 3 * GIB
    large = size_cache(config, many, MediaSettings(), free(8)).all
    assert large - small == GIB  # half of what is free beyond
    busy = MediaSettings(decode_workers=4)
    assert size_cache(config, many, busy, free(6)).all < small
    loud = MediaSettings(max_audio_seconds=1200)
    assert size_cache(config, many, loud, free(6)).all < small


def test_ranks_share_one_size(config: EmotionLlamaConfig) -> None:
    ranks = given(tensor_parallel_size=2, data_parallel_size=2)
    size = size_cache(config, ranks, MediaSettings(), free(40))
    assert size.per_rank == size.all // 4


def test_one_request_may_have_more_than_half(config: EmotionLlamaConfig) -> None:
    long = given(max_model_len=2 * GIB // PER_TOKEN)
    size = size_cache(config, long, MediaSettings(), free(5))
    assert size.all == 2 * GIB


def test_what_cannot_hold_one_request_is_told_with_the_cure(config: EmotionLlamaConfig) -> None:
    long = given(max_model_len=4 * GIB // PER_TOKEN)
    with pytest.raises(TooLittleMemory, match=r"5\.0 GiB of .* are free.* lower --max-model-len"):
        size_cache(config, long, MediaSettings(), free(5))


@pytest.mark.parametrize(
    "named",
    [
        {"kv_cache_memory_bytes": GIB},
        {"num_gpu_blocks_override": 100},
        {"gpu_memory_utilization": 0.5},
    ],
)
def test_a_size_that_the_operator_names_stays(checkpoint: Path, named: dict[str, Any]) -> None:
    assert default_size(str(checkpoint), named) is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="vLLM sizes the cache of a GPU")
def test_vllms_variable_names_a_size_too(
    checkpoint: Path, clean_environment: pytest.MonkeyPatch
) -> None:
    assert default_size(str(checkpoint), {}) is not None
    clean_environment.setenv("VLLM_CPU_KVCACHE_SPACE", "4")
    assert default_size(str(checkpoint), {}) is None


def test_a_checkpoint_that_is_not_there_is_left_to_vllm(tmp_path: Path) -> None:
    assert default_size(str(tmp_path), {}) is None


def test_quantized_weights_leave_more_memory(config: EmotionLlamaConfig) -> None:
    many = given(max_num_seqs=100_000)
    whole = size_cache(config, many, MediaSettings(), free(6)).all
    at_the_start = given(max_num_seqs=100_000, quantization="fp8_per_channel")
    assert size_cache(config, at_the_start, MediaSettings(), free(6)).all > whole
    config.quantization_config = {"quant_method": "awq", "bits": 4}
    assert size_cache(config, many, MediaSettings(), free(6)).all > whole
