"""What memory there is, read from a made-up /proc and made-up control groups."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from emotion_llama_vllm import memory

GIB = 1 << 30
NO_LIMIT = 9223372036854771712
"""As version 1 of the control groups writes it."""

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file below the root; the machine has 24 GiB, of which 20 are free."""
    monkeypatch.setattr(memory, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "cgroup")
    machine = SimpleNamespace(total=24 * GIB, available=20 * GIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: machine)

    def write(name: str, text: str) -> None:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    return write


def group_2(write: Write, path: str, limit: str, used: int, files: int = 0) -> None:
    write(f"cgroup{path}/memory.max", f"{limit}\n")
    write(f"cgroup{path}/memory.current", f"{used}\n")
    write(f"cgroup{path}/memory.stat", f"anon 5\ninactive_file {files}\nactive_file 0\n")


def group_1(write: Write, path: str, limit: int, used: int, files: int = 0) -> None:
    write(f"cgroup/memory{path}/memory.limit_in_bytes", f"{limit}\n")
    write(f"cgroup/memory{path}/memory.usage_in_bytes", f"{used}\n")
    stat = f"inactive_file 1\ntotal_inactive_file 0\ntotal_active_file {files}\n"
    write(f"cgroup/memory{path}/memory.stat", stat)


@pytest.mark.usefixtures("write")
def test_without_control_groups_the_machine_counts() -> None:
    assert memory.read_memory() == (24 * GIB, 20 * GIB)


def test_a_containers_limit_counts_and_its_file_cache_is_free(write: Write) -> None:
    write("proc/self/cgroup", "0::/\n")
    group_2(write, "", str(4 * GIB), used=3 * GIB, files=2 * GIB)
    assert memory.read_memory() == (4 * GIB, 3 * GIB)


def test_a_group_without_a_limit_changes_nothing(write: Write) -> None:
    write("proc/self/cgroup", "0::/\n")
    group_2(write, "", "max", used=3 * GIB)
    assert memory.read_memory() == (24 * GIB, 20 * GIB)


def test_the_narrowest_of_nested_groups_counts(write: Write) -> None:
    write("proc/self/cgroup", "0::/system.slice/emotion-llama.service\n")
    group_2(write, "/system.slice/emotion-llama.service", str(12 * GIB), used=GIB)
    group_2(write, "/system.slice", str(8 * GIB), used=6 * GIB)
    assert memory.read_memory() == (8 * GIB, 2 * GIB)


def test_version_1_has_its_own_files(write: Write) -> None:
    write("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/c0ffee\n0::/\n")
    group_1(write, "/docker/c0ffee", limit=6 * GIB, used=5 * GIB, files=GIB)
    group_1(write, "/docker", limit=NO_LIMIT, used=9 * GIB)
    assert memory.read_memory() == (6 * GIB, 2 * GIB)


def test_in_a_container_the_path_may_be_the_hosts(write: Write) -> None:
    write("proc/self/cgroup", "4:memory:/docker/c0ffee\n")
    group_1(write, "", limit=6 * GIB, used=GIB)
    assert memory.read_memory() == (6 * GIB, 5 * GIB)


def test_a_full_container_has_nothing_free(write: Write) -> None:
    write("proc/self/cgroup", "0::/\n")
    group_2(write, "", str(4 * GIB), used=5 * GIB)
    assert memory.read_memory().free == 0


def test_kills_are_those_of_the_own_groups(write: Write) -> None:
    write("proc/vmstat", "nr_free_pages 7\noom_kill 40\n")
    write("proc/self/cgroup", "0::/a\n")
    group_2(write, "/a", "max", used=0)
    write("cgroup/a/memory.events", "low 0\noom 2\noom_kill 1\n")
    assert memory.count_kills() == 1


def test_version_1_counts_kills_elsewhere(write: Write) -> None:
    write("proc/self/cgroup", "4:memory:/a\n")
    group_1(write, "/a", limit=GIB, used=0)
    write("cgroup/memory/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
    assert memory.count_kills() == 3


def test_without_a_count_of_the_group_the_machines_counts(write: Write) -> None:
    write("proc/vmstat", "oom_kill 40\n")
    assert memory.count_kills() == 40
