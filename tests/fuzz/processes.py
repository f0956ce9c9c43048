"""What a server takes of the machine, all of its processes together, read from /proc."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_SHARED_MEMORY = Path("/dev/shm")
_OWN = ("Pss_Anon:", "Pss_Shmem:")


@dataclass(frozen=True)
class Sample:
    """A moment's use."""

    requests: int
    """Sent by then."""
    seconds: float
    """Since the first was."""
    processes: int
    memory: float
    """MiB that are resident and no file's; what processes of the server share counts once.

    A library's pages would count less as soon as another program uses the library too.
    """
    descriptors: int
    shared_files: int
    shared_memory: float
    """MiB in /dev/shm."""


def sample(pid: int, requests: int, seconds: float) -> Sample:
    """Look at a process and all of its descendants."""
    root = psutil.Process(pid)
    tree = [root, *root.children(recursive=True)]
    memory = descriptors = 0
    for process in tree:
        # As a decode worker that is just replaced.
        with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            memory += _resident(process.pid)
            descriptors += process.num_fds()
    sizes = _shared_sizes({process.pid for process in tree})
    return Sample(
        requests=requests,
        seconds=seconds,
        processes=len(tree),
        memory=memory / 1024,
        descriptors=descriptors,
        shared_files=len(sizes),
        shared_memory=sum(sizes) / 2**20,
    )


def _resident(pid: int) -> int:
    """KiB of a process, its share of what it shares."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(_OWN))


def _shared_sizes(tree: set[int]) -> list[int]:
    """Of the files in /dev/shm that the tree has, or nobody any more: those are left behind.

    Whoever else is killed meanwhile leaves some behind too.
    """
    files = {}
    for path in _SHARED_MEMORY.iterdir():
        with suppress(FileNotFoundError):
            status = path.stat()
            files[status.st_ino] = status.st_blocks * 512
    foreign = _mapped(pid for pid in psutil.pids() if pid not in tree)
    return [size for inode, size in files.items() if inode not in foreign]


def _mapped(pids: Iterable[int]) -> set[int]:
    """The inodes of what these processes have of /dev/shm in their memory."""
    inodes = set()
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                if str(_SHARED_MEMORY) in line:
                    inodes.add(int(line.split()[4]))
    return inodes
