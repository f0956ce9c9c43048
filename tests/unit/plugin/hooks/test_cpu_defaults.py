"""What vLLM's engine is started with where there is no GPU."""

import os
from pathlib import Path

import pytest

from emotion_llama_vllm.hooks import cpu_defaults
from emotion_llama_vllm.hooks.encoder_threads import ENCODER_THREADS
from emotion_llama_vllm.memory import Memory

_VARIABLES = (
    ENCODER_THREADS,
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "GLIBC_TUNABLES",
    "GOMP_SPINCOUNT",
    "THP_MEM_ALLOC_ENABLE",
    "VLLM_CPU_OMP_THREADS_BIND",
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES:
        monkeypatch.setenv(name, "")  # so that it is as before when the test has set it
        monkeypatch.delenv(name)


def capabilities(monkeypatch: pytest.MonkeyPatch, **found: bool) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: found)


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for /sys/devices/system/node."""
    monkeypatch.setattr(cpu_defaults, "_NODES", tmp_path)
    (tmp_path / "node0").mkdir()
    return tmp_path


@pytest.fixture
def model(tmp_path: Path) -> str:
    (tmp_path / "model.safetensors").write_bytes(bytes(1000))
    return str(tmp_path)


@pytest.mark.usefixtures("nodes")
def test_one_rank_shares_the_engines_process_and_gets_the_cores(model: str) -> None:
    with Path(model, "model.safetensors").open("r+b") as weights:
        weights.truncate(64 << 20)
    defaults = cpu_defaults.engine_defaults(model, {})
    assert defaults["distributed_executor_backend"].endswith(".UniProcExecutor")
    assert int(os.environ["OMP_NUM_THREADS"]) == len(os.sched_getaffinity(0))
    assert ENCODER_THREADS not in os.environ


@pytest.mark.usefixtures("nodes")
def test_a_small_model_gets_one_thread_and_its_encoders_two(model: str) -> None:
    cpu_defaults.engine_defaults(model, {})
    assert os.environ["OMP_NUM_THREADS"] == "1"
    assert int(os.environ[ENCODER_THREADS]) == min(2, len(os.sched_getaffinity(0)))


@pytest.mark.usefixtures("nodes")
def test_the_operators_threads_stay(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    cpu_defaults.engine_defaults(model, {})
    assert os.environ["OMP_NUM_THREADS"] == "1"
    assert ENCODER_THREADS not in os.environ
    assert "GOMP_SPINCOUNT" not in os.environ


def test_the_engines_memory_is_in_large_pages(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu_defaults.engine_defaults(model, {})
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "1"
    assert os.environ["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=2")
    cpu_defaults.engine_defaults(model, {})
    assert os.environ["GLIBC_TUNABLES"] == "glibc.malloc.arena_max=2"


@pytest.mark.usefixtures("nodes")
@pytest.mark.parametrize(
    "name", ["tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size"]
)
def test_several_ranks_are_vllms_own_affair(model: str, name: str) -> None:
    defaults = cpu_defaults.engine_defaults(model, {name: 2})
    assert "distributed_executor_backend" not in defaults
    assert "OMP_NUM_THREADS" not in os.environ


@pytest.mark.usefixtures("nodes")
def test_bound_threads_are_vllms_own_affair(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "0-1")
    assert "distributed_executor_backend" not in cpu_defaults.engine_defaults(model, {})


def test_memory_at_several_places_is_vllms_own_affair(nodes: Path, model: str) -> None:
    (nodes / "node1").mkdir()
    assert "distributed_executor_backend" not in cpu_defaults.engine_defaults(model, {})


@pytest.mark.parametrize("name", ["avx512_bf16", "amx_bf16", "bf16"])
def test_the_checkpoints_dtype_stays_where_the_processor_multiplies_it(
    model: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    capabilities(monkeypatch, **{name: True})
    assert "dtype" not in cpu_defaults.engine_defaults(model, {})
    capabilities(monkeypatch, **{name: False})
    assert cpu_defaults.engine_defaults(model, {})["dtype"] == "float32"


def test_weights_that_would_fill_the_memory_in_float32_keep_their_dtype(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    capabilities(monkeypatch, avx2=True)
    monkeypatch.setattr(cpu_defaults, "read_memory", lambda: Memory(total=3000, free=3000))
    assert "dtype" not in cpu_defaults.engine_defaults(model, {})


def test_a_repository_keeps_its_dtype(monkeypatch: pytest.MonkeyPatch) -> None:
    capabilities(monkeypatch, avx2=True)
    assert "dtype" not in cpu_defaults.engine_defaults("someone/a-model", {})


def test_quantized_weights_keep_the_checkpoints_dtype(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    capabilities(monkeypatch, avx2=True)
    assert "dtype" not in cpu_defaults.engine_defaults(model, {"quantization": "fp8_per_channel"})
    Path(model, "config.json").write_text('{"quantization_config": {}}')
    assert "dtype" not in cpu_defaults.engine_defaults(model, {})
