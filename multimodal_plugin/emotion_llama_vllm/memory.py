"""The memory that this process and its children may take: the machine's, or their container's."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

_PROC = Path("/proc")
_GROUPS = Path("/sys/fs/cgroup")


class Memory(NamedTuple):
    """Bytes, the file cache counted as free."""

    total: int
    free: int


class _Files(NamedTuple):
    """The files of a control group; the two versions of the kernel's interface name them so."""

    limit: str
    used: str
    of_files: tuple[str, str]
    """Keys of memory.stat: the file cache, which the kernel drops before it ends a process."""
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
    """Read what there is now; a control group may be inside others, and each has its limit."""
    machine = psutil.virtual_memory()
    total, free = machine.total, machine.available
    for group, files in _groups():
        limit = _number(group / files.limit)
        stat = _table(group / "memory.stat")
        used = _number(group / files.used) - sum(stat.get(key, 0) for key in files.of_files)
        total, free = min(total, limit), min(free, limit - used)
    return Memory(total, max(free, 0))


def count_kills() -> int:
    """Return how many processes the kernel has ended so far for want of memory.

    They are those of this process's control groups; the whole machine's where there is none.
    """
    tables = [_table(group / files.kills) for group, files in _groups()]
    counts = [table["oom_kill"] for table in tables if "oom_kill" in table]
    return sum(counts) if counts else _table(_PROC / "vmstat").get("oom_kill", 0)


def _groups() -> Iterator[tuple[Path, _Files]]:
    """Yield this process's control groups that bound memory, from its own to the outermost.

    In a container the path may be one of the host's: then only the mount point itself is there.
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
    """Read lines of a name and a number."""
    rows = (line.split() for line in _text(file).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except OSError:
        return ""
