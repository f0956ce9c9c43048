"""How a server on a machine without a GPU starts its engine's process."""

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from vllm.platforms import builtin_platform_plugins
from vllm.platforms.cpu import CpuPlatform

import emotion_llama_vllm
from emotion_llama_vllm.hooks import cpu_platform
from emotion_llama_vllm.hooks.cpu_defaults import ONE_PROCESS
from emotion_llama_vllm.hooks.cpu_platform import ForkingCpuPlatform
from emotion_llama_vllm.hooks.orphan import SERVER_PID

METHOD = "VLLM_WORKER_MULTIPROC_METHOD"


@pytest.fixture
def vllms_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands for what vLLM does to the configuration and to the environment."""
    monkeypatch.setattr(
        CpuPlatform, "check_and_update_config", lambda config: os.environ.update({METHOD: "spawn"})
    )
    monkeypatch.setattr(cpu_platform, "_keep_threads_for_the_engine", lambda: None)


def config(executor: str = ONE_PROCESS, *, enforce_eager: bool = True) -> Any:
    return SimpleNamespace(
        parallel_config=SimpleNamespace(distributed_executor_backend=executor),
        model_config=SimpleNamespace(enforce_eager=enforce_eager),
    )


@pytest.mark.usefixtures("vllms_own")
@pytest.mark.parametrize(
    ("pid", "settings", "expected"),
    [
        (os.getpid(), config(), "fork"),
        (os.getpid(), config(enforce_eager=False), "spawn"),
        (os.getpid(), config("mp"), "spawn"),
        (os.getppid(), config(), "spawn"),
    ],
    ids=["a server", "one that compiles", "one of several processes", "the engine itself"],
)
def test_only_an_engine_of_one_process_that_compiles_nothing_is_forked(
    monkeypatch: pytest.MonkeyPatch, pid: int, settings: Any, expected: str
) -> None:
    monkeypatch.setenv(SERVER_PID, str(pid))
    ForkingCpuPlatform.check_and_update_config(settings)
    assert os.environ[METHOD] == expected


def test_the_platform_is_a_servers_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SERVER_PID, raising=False)
    assert emotion_llama_vllm.cpu_platform() is None
    monkeypatch.setenv(SERVER_PID, "1")
    assert emotion_llama_vllm.cpu_platform() == f"{cpu_platform.__name__}.ForkingCpuPlatform"
    for other in (None, "vllm.platforms.zen_cpu.ZenCpuPlatform"):
        monkeypatch.setitem(builtin_platform_plugins, "cpu", lambda other=other: other)
        assert emotion_llama_vllm.cpu_platform() is None


PROGRAM = """
import multiprocessing
import torch
from emotion_llama_vllm.hooks.cpu_platform import _keep_threads_for_the_engine

def compute():
    assert (torch.rand(600, 600) @ torch.rand(600, 600)).shape == (600, 600)
    print(torch.get_num_threads(), flush=True)

_keep_threads_for_the_engine()
compute()
engine = multiprocessing.get_context("fork").Process(target=compute)
engine.start()
engine.join(30)
print(engine.exitcode)
"""


@pytest.mark.costly
def test_a_forked_engine_computes_with_all_threads_and_the_server_with_one() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["1", "2", "0"], done.stderr
