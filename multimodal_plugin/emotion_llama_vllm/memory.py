"""Reads the memory that this process and its children may use, of the machine or its container."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

_PROC = Path("/proc")
_GROUPS = Path("/sys/fs/cgroup")


class Memory(NamedTuple):
    """Holds amounts of memory in bytes; the file cache counts as free."""

    total: int
    free: int


class _Files(NamedTuple):
    """Names the files of a control group in one version of the kernel's interface."""

    limit: str
    used: str
    of_files: tuple[str, str]
    """The keys of the file cache in memory.stat; the kernel frees it before it kills."""
    kills: str


_VERSION_1 = _Files(
    limit="memory.limit_in_bytes",
    used="memory.usage_in_bytes",
    of_files=("total_inactive_file", "total_active_file"),
    kills="memory.oom_control",
)
_VERSION_2 = _Files(
    limit="memory.max",
    used="memory.current",
    of_files=("inactive_file", "active_file"),
    kills="memory.events",
)


def read_memory() -> Memory:
    """Read the current memory; control groups may be nested, and each may have a limit."""
    machine = psutil.virtual_memory()
    total, free = machine.total, machine.available
    for group, files in _groups():
        limit = _number(group / files.limit)
        stat = _table(group / "memory.stat")
        used = _number(group / files.used) - sum(stat.get(key, 0) for key in files.of_files)
        total, free = min(total, limit), min(free, limit - used)
    return Memory(total, max(free, 0))


def count_kills() -> int:
    """Return how many processes the kernel has killed so far for lack of memory.

    The count is that of this process's control groups, or of the whole machine if there are none.
    """
    tables = [_table(group / files.kills) for group, files in _groups()]
    counts = [table["oom_kill"] for table in tables if "oom_kill" in table]
    return sum(counts) if counts else _table(_PROC / "vmstat").get("oom_kill", 0)


def _groups() -> Iterator[tuple[Path, _Files]]:
    """Yield this process's control groups that limit memory, from the inner to the outermost.

    In a container the path may be one of the host's; then only the mount point itself exists.
    """
    for line in _text(_PROC / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        mount, files = (_GROUPS / "memory", _VERSION_1) if controllers else (_GROUPS, _VERSION_2)
        own = mount / path.strip("/")
        for group in (own, *own.parents):
            if group.is_relative_to(mount) and (group / files.limit).is_file():
                yield group, files


def _number(file: Path) -> int:
    """Read one number; "max", or a file that cannot be read, means no limit."""
    text = _text(file).strip()
    return int(text) if text.isdecimal() else sys.maxsize


def _table(file: Path) -> dict[str, int]:
    """Read a file with one name and one number on each line."""
    rows = (line.split() for line in _text(file).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except OSError:
        return ""
