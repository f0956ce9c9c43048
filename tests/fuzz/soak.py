"""Has a server answer many different clips and looks whether it grows: `make soak`."""

import argparse
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from urllib.parse import urlsplit

import requests

from devtools.media import make_clip
from devtools.paths import CHECKOUT
from tests.fuzz.clips import clip_request, data_url
from tests.fuzz.corpus import VIDEOS
from tests.fuzz.gallery import Gallery, ServerDied
from tests.fuzz.mutators import Mutant
from tests.fuzz.processes import Sample, sample
from tests.fuzz.target import Shot, Target, chat, demo_target, post_json

_FLAGS = (
    *("--max-audio-seconds", "20"),
    *("--kv-cache-memory-bytes", str(32 << 20)),
    *("--clip-cache-mb", "8"),
)
_ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": str(1 << 20)}
"""What the server keeps on purpose has a limit but may take thousands of requests to get there: the
attention cache becomes resident as it is written, and the C library keeps freed memory. With small
limits they are there before memory is compared."""
_STEP = 50
"""Requests between two looks."""
_SETTLED = 300
"""Requests after which the server has all that it keeps."""
_SHOWN = 10
"""Failures that are told."""
_QUIET_SECONDS = 3
"""In which the server ends the work for those who hung up."""

_WAYS = ("upload", "upload", "upload", "timeline", "chat", "chat", "path", "base64")
_LEAVING = ((0.5, False), (0.9, False), (1.0, False), (1.0, True))
"""What share of a request clients send, and whether they await the answer's beginning."""

_ALLOWANCES: dict[str, Callable[[float], float]] = {
    "memory": lambda before: 16 + before / 100,
    "descriptors": lambda before: 5,
    "shared_memory": lambda before: 1,
}
"""How much more the server may have in the end."""


def main() -> int:
    """Return 0 if the server answered and did not grow."""
    arguments = _arguments()
    with _target(arguments) as target, Gallery(target, CHECKOUT / "build" / "soak") as gallery:
        samples: list[Sample] = []
        try:
            for taken in soak(gallery, arguments.requests):
                samples.append(taken)
                print(_line(taken), flush=True)
        except ServerDied:
            print("The server is no longer healthy.")
        print(gallery.table())
        for failure in gallery.failures[:_SHOWN]:
            print(failure)
        grown = growth(samples)
        print("\n".join(grown) or f"The server did not grow from request {_SETTLED} on.")
        return 1 if grown or gallery.failures else 0


def soak(gallery: Gallery, count: int) -> Iterator[Sample]:
    """Send so many requests; look at the server's processes before and after every few of them.

    Raises:
        ServerDied: it is not healthy any more.
    """
    target, started = gallery.target, time.monotonic()
    assert target.pid is not None
    yield sample(target.pid, 0, 0)
    for first in range(0, count, _STEP):
        last = first + _STEP
        staying = (_shot(target, index) for index in range(first, last - len(_LEAVING)))
        # Made here, as encoders that run in several threads may never end.
        leaving = [_long_answer(target, index) for index in range(last - len(_LEAVING), last)]
        with ThreadPoolExecutor() as leavers:
            left = [leavers.submit(_hang_up, *pair) for pair in zip(leaving, _LEAVING, strict=True)]
            gallery.send(staying)
        for future in left:
            future.result()
        time.sleep(_QUIET_SECONDS)
        yield sample(target.pid, last, time.monotonic() - started)


def growth(samples: Sequence[Sample]) -> list[str]:
    """Say what there is more of in the last third since the server has settled than in the first.

    It takes medians, as a decode worker that was just replaced is small for a while.
    """
    settled = [taken for taken in samples if taken.requests >= _SETTLED]
    third = len(settled) // 3
    if not third:
        return [f"There are too few samples from request {_SETTLED} on."]
    grown = []
    for name, allowance in _ALLOWANCES.items():
        before, after = (
            median(getattr(taken, name) for taken in part)
            for part in (settled[:third], settled[-third:])
        )
        if after > before + allowance(before):
            grown.append(f"The server's {name} grew from {before:g} to {after:g}.")
    return grown


def _clip(index: int) -> Mutant:
    """A clip with a picture and a sound of its own; one in 25 is cut off."""
    name = list(VIDEOS)[index % len(VIDEOS)]
    data = make_clip(replace(VIDEOS[name], seed=index, hertz=150 + index))
    if index % 25 == 24:
        data = data[: len(data) // 2]
    return Mutant(f"{index}-{name}", "", data)


def _shot(target: Target, index: int) -> Shot:
    way = _WAYS[index % len(_WAYS)]
    request = clip_request(target, _clip(index), way, Random(index))
    statuses = frozenset({200, 400} if index % 25 == 24 else {200})
    return Shot(f"soak, {way}", f"clip {index}", request, statuses)


def _long_answer(target: Target, index: int) -> requests.PreparedRequest:
    body = chat(target.model, data_url(_clip(index).data), "[reason] Why?")
    body |= {"stream": True, "max_tokens": 200, "ignore_eos": True}
    return post_json(f"{target.url}/v1/chat/completions", body)


def _hang_up(request: requests.PreparedRequest, leaving: tuple[float, bool]) -> None:
    """Leave in the middle of a request, before its answer, or in the middle of that."""
    (share, is_answered), wire = leaving, _wire(request)
    address = urlsplit(str(request.url))
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(wire[: int(len(wire) * share)])
        if is_answered:
            connection.recv(1)


def _wire(request: requests.PreparedRequest) -> bytes:
    """A request as it is sent."""
    assert isinstance(request.body, bytes)
    fields = {"Host": "localhost", **request.headers}
    lines = [f"{request.method} {request.path_url} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


def _line(taken: Sample) -> str:
    return (
        f"{taken.requests:5} requests {taken.seconds:5.0f} s {taken.processes:3} processes "
        f"{taken.memory:8.1f} MiB {taken.descriptors:5} descriptors "
        f"{taken.shared_files:3} files of {taken.shared_memory:6.2f} MiB in /dev/shm"
    )


def _target(arguments: argparse.Namespace) -> AbstractContextManager[Target]:
    if arguments.url is None:
        os.environ.update(_ENVIRONMENT)
        return demo_target(*_FLAGS)
    return nullcontext(Target.at(arguments.url, arguments.media_root, arguments.pid))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=1000, help="how many to send")
    parser.add_argument("--url", help="a server that runs, in place of one of our own")
    parser.add_argument("--pid", type=int, help="its first process")
    parser.add_argument("--media-root", type=Path, help="a folder that it reads")
    arguments = parser.parse_args()
    if arguments.url and not (arguments.pid and arguments.media_root):
        parser.error("--url needs --pid and --media-root")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
