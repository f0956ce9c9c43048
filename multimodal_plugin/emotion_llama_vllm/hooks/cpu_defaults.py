"""Sets defaults of vLLM's engine on a machine without a GPU; the operator can override them."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotion_llama_vllm.hooks.encoder_threads import ENCODER_THREADS
from emotion_llama_vllm.memory import read_memory

_NODES = Path("/sys/devices/system/node")
_MOST_OF_MEMORY = 0.5
RANKS = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
"""The engine arguments whose product is the number of processes that compute."""
_BLOCK_SIZE = 32
"""The block size in tokens. The prefix cache matches whole blocks, and the demo's prompts have
fewer than the 128 tokens of vLLM's blocks on CPUs."""
_SPINS = "10000"
"""The number of spins after which a waiting thread sleeps. The default of 300 000 spins takes
milliseconds: the waiting thread then keeps the core that a thread preempted by a third program
needs to continue. A step then takes several times as long, and with this value twice as long."""
_TOO_SMALL_TO_SHARE = 64 << 20
"""The size of weights in bytes up to which one thread is faster. The demo's matrix products, of 8
MiB, take less time than two threads need to meet: one thread answers 16 requests at once 1.7 times
as fast. A checkpoint of 328 MiB is faster with all cores; sizes between were not tried."""
_ENCODER_THREADS = 2
"""The number of threads for the encoders of so small a model: the prefill of a new clip of the demo
takes 75 ms at best, and 125 with one thread. More threads were not tried."""
ONE_PROCESS = "vllm.v1.executor.uniproc_executor.UniProcExecutor"
"""The executor's full name, because vLLM replaces "uni" by "mp" on CPUs."""


LARGE_PAGES = {
    # For torch's large tensors: a step took 38 ms instead of 46 for one request, and 88 ms instead
    # of 97 for 16 (200 million parameters, two cores of a virtual machine).
    "THP_MEM_ALLOC_ENABLE": "1",
    # For other memory, such as weights that oneDNN has packed: products of 16 tokens took 63 ms
    # instead of 74.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
"""The environment variables that a process reads once, at its start."""


def engine_defaults(model: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the default arguments of vLLM's engine; none on a GPU.

    Call it before the engine's process starts, because it also sets environment variables that this
    process reads.

    Args:
        model: the checkpoint's folder, or a repository.
        given: the engine's arguments from the operator.
    """
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return {}
    for name, value in LARGE_PAGES.items():
        os.environ.setdefault(name, value)
    # vLLM's engine ends when it has computed only a part of a seeded request: it rewinds the
    # generator, which torch's CPU generator does not support.
    defaults: dict[str, Any] = {
        "enable_chunked_prefill": False,
        "block_size": _BLOCK_SIZE,
        # Profiling runs a batch of the longest clips to measure free memory. It takes minutes and
        # has no use here, because the size of the attention cache is already set.
        "skip_mm_profiling": True,
    }
    ranks = math.prod(given.get(name) or 1 for name in RANKS)
    if ranks == 1 and _may_share_a_process():
        # Engine and worker poll for each other's messages without sleeping: in two processes, the
        # waiting one would take a core from the computing one.
        defaults["distributed_executor_backend"] = ONE_PROCESS
        if "OMP_NUM_THREADS" not in os.environ:
            _share_cores(model)
        spin_less()
    is_plain = given.get("quantization") is None and not _is_quantized(model)
    if is_plain and not _has_bfloat16() and _fits_in_float32(model):
        defaults["dtype"] = "float32"
    return defaults


def spin_less() -> None:
    """Let waiting threads sleep early; a process reads this when it imports torch."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


def _may_share_a_process() -> bool:
    """Return whether engine and worker may share a process.

    They may not if the operator binds threads to cores, or if the machine has several memory nodes:
    vLLM then binds the worker's process to one of them.
    """
    is_bound = os.environ.get("VLLM_CPU_OMP_THREADS_BIND", "auto") != "auto"
    return not is_bound and len(list(_NODES.glob("node[0-9]*"))) <= 1


def _share_cores(model: str) -> None:
    """Set the number of threads: one for each physical core, by the affinity and the quota.

    A small model gets one thread, and its encoders a few.
    """
    from vllm.utils.cpu_resource_utils import get_allowed_cpu_list
    from vllm.utils.torch_utils import available_cpu_count

    physical = {cpu.physical_core for cpu in get_allowed_cpu_list()}
    cores = max(1, min(len(physical), available_cpu_count()))
    if 0 < weight_bytes(model) < _TOO_SMALL_TO_SHARE:
        os.environ["OMP_NUM_THREADS"] = "1"
        os.environ.setdefault(ENCODER_THREADS, str(min(cores, _ENCODER_THREADS)))
    else:
        os.environ["OMP_NUM_THREADS"] = str(cores)


def _has_bfloat16() -> bool:
    """Return whether the processor multiplies in bfloat16; without it, float32 is much faster."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _is_quantized(model: str) -> bool:
    """Return whether the folder's weights are quantized, which few kernels compute in float32."""
    file = Path(model) / "config.json"
    return file.is_file() and b'"quantization_config"' in file.read_bytes()


def _fits_in_float32(model: str) -> bool:
    """Return whether the folder's 16-bit weights fit into half of the memory in float32."""
    return 0 < 2 * weight_bytes(model) < _MOST_OF_MEMORY * read_memory().total


def weight_bytes(model: str | Path) -> int:
    """Return the size in bytes of the weights in a folder, or 0 for a repository."""
    return sum(file.stat().st_size for file in Path(model).glob("*.safetensors"))
