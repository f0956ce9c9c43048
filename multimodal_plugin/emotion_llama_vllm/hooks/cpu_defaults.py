"""What vLLM's engine is started with where there is no GPU, unless the operator says otherwise."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotion_llama_vllm.memory import read_memory

_NODES = Path("/sys/devices/system/node")
_MOST_OF_MEMORY = 0.5
RANKS = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
"""Arguments whose product is the number of processes that compute."""
_BLOCK_SIZE = 32
"""Tokens: prompts are found in the cache by whole blocks, and the demo's have fewer than the 128 of
vLLM's blocks on CPUs."""
_SPINS = "10000"
"""After which a thread that waits for another one sleeps. With the default of 300 000, which are
milliseconds, it keeps the core on which that other one, ousted by a third program, could go on: a
step then takes several times as long, with this one twice."""
_TOO_SMALL_TO_SHARE = 64 << 20
"""Bytes of weights. The demo's products, of 8 MiB, take less than two threads need to meet: alone
one answers 16 at once 1.7 times as fast. Those of a checkpoint of 328 MiB gain from all cores; what
lies between was not tried."""
_ONE_PROCESS = "vllm.v1.executor.uniproc_executor.UniProcExecutor"
"""By its full name, as vLLM reads "uni" as "mp" on CPUs."""


def engine_defaults(model: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of vLLM's engine; none on a GPU.

    Sets what the engine's process reads from its environment, so it is to be called before that
    starts.

    Args:
        model: the checkpoint's folder, or a repository.
        given: the engine's arguments as the operator gave them.
    """
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return {}
    # Large pages for torch's large tensors: a step for one request took 38 ms instead of 46, for 16
    # at once 88 instead of 97 (200 million parameters, two cores of a virtual machine).
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    # And for all else, as weights that oneDNN has packed: products of 16 tokens in 63 ms, not 74.
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
    # vLLM's engine ends when a seeded request of which it has computed a part is not sampled yet:
    # it winds the generator back, which torch's for CPUs does not know.
    defaults: dict[str, Any] = {
        "enable_chunked_prefill": False,
        "block_size": _BLOCK_SIZE,
        # A batch of the longest clips, to see what is left: minutes, and of no use here, as the
        # attention cache has its size.
        "skip_mm_profiling": True,
    }
    ranks = math.prod(given.get(name) or 1 for name in RANKS)
    if ranks == 1 and _may_share_a_process():
        # Engine and worker poll for each other's messages without sleeping: with a process for
        # each, the waiting one takes a core from the one that computes.
        defaults["distributed_executor_backend"] = _ONE_PROCESS
        os.environ.setdefault("OMP_NUM_THREADS", str(_threads(model)))
        if "OMP_WAIT_POLICY" not in os.environ:
            os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
    if not _has_bfloat16() and _fits_in_float32(model):
        defaults["dtype"] = "float32"
    return defaults


def _may_share_a_process() -> bool:
    """Unless the operator bound threads to cores, or memory is at several places: then the worker's
    process is to be bound to one of them, as vLLM does.
    """
    is_bound = os.environ.get("VLLM_CPU_OMP_THREADS_BIND", "auto") != "auto"
    return not is_bound and len(list(_NODES.glob("node[0-9]*"))) <= 1


def _threads(model: str) -> int:
    """One for each physical core that this process may use, by its affinity and its quota; but one
    alone for a small model.
    """
    if 0 < weight_bytes(model) < _TOO_SMALL_TO_SHARE:
        return 1
    from vllm.utils.cpu_resource_utils import get_allowed_cpu_list
    from vllm.utils.torch_utils import available_cpu_count

    cores = {cpu.physical_core for cpu in get_allowed_cpu_list()}
    return max(1, min(len(cores), available_cpu_count()))


def _has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16; where not, float32 is several times faster."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _fits_in_float32(model: str) -> bool:
    """Whether the weights of a folder, kept in two bytes each, take less than half the memory."""
    return 0 < 2 * weight_bytes(model) < _MOST_OF_MEMORY * read_memory().total


def weight_bytes(model: str | Path) -> int:
    """Of the weights in a folder; 0 for a repository."""
    return sum(file.stat().st_size for file in Path(model).glob("*.safetensors"))
