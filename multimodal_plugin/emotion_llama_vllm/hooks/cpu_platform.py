"""Lets a server on a machine without a GPU fork its engine's process.

vLLM forks this process on a GPU, and starts a new one on a CPU, because OpenMP does not survive a
fork after its threads have started. A server starts none before the fork. The engine then inherits
the imported modules, which take a third of the time of a start to import again.
"""

import multiprocessing.util
import os
from typing import TYPE_CHECKING

import torch
from vllm.platforms.cpu import CpuPlatform

from emotion_llama_vllm.hooks.cpu_defaults import ONE_PROCESS
from emotion_llama_vllm.hooks.orphan import is_server

if TYPE_CHECKING:
    from vllm.config import VllmConfig

_METHOD = "VLLM_WORKER_MULTIPROC_METHOD"


class ForkingCpuPlatform(CpuPlatform):
    """Represents vLLM's platform for CPUs, with an engine that is forked."""

    @classmethod
    def check_and_update_config(cls, vllm_config: "VllmConfig") -> None:
        """Complete the configuration, and choose how the engine's process starts.

        An engine of several processes binds each of them to its cores, and one that compiles needs
        other variables of the environment at its imports: their processes have to be new.
        """
        super().check_and_update_config(vllm_config)
        executor = vllm_config.parallel_config.distributed_executor_backend
        is_eager = vllm_config.model_config.enforce_eager
        if executor == ONE_PROCESS and is_eager and is_server():
            _keep_threads_for_the_engine()
            os.environ[_METHOD] = "fork"


def _keep_threads_for_the_engine() -> None:
    """Compute with one thread in this process, and with all of them in a forked one."""
    threads = int(os.environ.get("OMP_NUM_THREADS") or torch.get_num_threads())
    torch.set_num_threads(1)
    multiprocessing.util.register_after_fork(torch, lambda torch: torch.set_num_threads(threads))
