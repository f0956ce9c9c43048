"""Logs the progress of loading the weights."""

import time
from collections.abc import Iterable, Iterator

import torch
from torch import nn
from vllm.distributed import get_pp_group, get_tensor_model_parallel_world_size
from vllm.distributed.parallel_state import is_global_first_rank

from emotion_llama_vllm import stages

_STEP = 20
"""The per cent of progress between two log lines."""
_SECONDS = 1
"""The minimum time in seconds between two log lines; a small checkpoint logs only the first."""


def tell_progress(
    weights: Iterable[tuple[str, torch.Tensor]], network: nn.Module
) -> Iterator[tuple[str, torch.Tensor]]:
    """Pass the weights on, and log the loaded share of their numbers from the first rank.

    Args:
        weights: names and tensors in the order in which vLLM reads them.
        network: the module to load; other ranks may hold other parts of it.
    """
    if not is_global_first_rank():
        yield from weights
        return
    stages.tell("Loading weights")
    total = _numbers(network)
    loaded, shown, last = 0, 0, time.monotonic()
    for name, tensor in weights:
        yield name, tensor
        loaded += tensor.numel()
        share = min(100 * loaded // total, 100)
        if share >= shown + _STEP and time.monotonic() >= last + _SECONDS:
            stages.tell(f"Loading weights {share} %")
            shown, last = share, time.monotonic()
    stages.tell("Preparing the engine")


def _numbers(network: nn.Module) -> int:
    """Return about how many numbers the parts of all ranks hold."""
    here = sum(parameter.numel() for parameter in network.parameters())
    return max(1, here * get_tensor_model_parallel_world_size() * get_pp_group().world_size)
