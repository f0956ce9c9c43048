"""Measures how long honest clients wait while others are hostile: `make hostile-load`.

Two keys ask honestly throughout. First they are alone; then a third of all clients attack, with a
third key and without one. The honest clients' 99th percentile may grow threefold, every request of
theirs is answered, and when the attackers have left nothing of them is left in the server.
"""

import argparse
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import requests

from devtools.media import make_clip
from devtools.server import running_server
from tests.fuzz.attacks import WITH_A_KEY, WITHOUT, Attack, Attacker
from tests.fuzz.clips import clip_request
from tests.fuzz.corpus import VIDEOS
from tests.fuzz.mutators import Mutant
from tests.fuzz.target import Target

_KEYS = {"alice": "key-of-alice", "bob": "key-of-bob", "mallory": "key-of-mallory"}
_HONEST = ("alice", "alice", "bob", "bob")
_HOSTILE = ("mallory", None)
_WAYS = ("chat", "upload", "base64", "chat", "timeline")
_CLIPS = 40
_THINKING_SECONDS = 0.5
_MOST = 3.0
"""The factor by which the 99th percentile may grow."""
_GAUGES = (
    *("emotion_llama_requests_in_flight", "emotion_llama_requests_waiting"),
    *("emotion_llama_decodes_in_flight", "vllm:num_requests_running"),
    "vllm:num_requests_waiting",
)
_SETTLING_SECONDS = 60


@dataclass
class Waits:
    """The seconds that answers took, and the errors in place of answers."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return quantiles(self.seconds, n=100)[49]

    @property
    def p99(self) -> float:
        return quantiles(self.seconds, n=100)[98]

    def __str__(self) -> str:
        return f"{len(self.seconds)} answers, p50 {self.p50:.3f} s, p99 {self.p99:.3f} s"


def main() -> int:
    """Return 0 if the honest clients were served as they should be."""
    arguments = _arguments()
    with _guarded_server() as target:
        clips = _clips()
        _ask(target, clips, seconds=10)  # the caches and kernels of every length are there
        quiet = _ask(target, clips, seconds=arguments.minutes * 60 * 0.2)
        print(f"Without hostile clients: {quiet}", flush=True)
        with _attackers(target, arguments.seed) as attacks:
            beset = _ask(target, clips, seconds=arguments.minutes * 60 * 0.8)
        print(f"With hostile clients:    {beset} ({attacks.count} attacks)", flush=True)
        complaints = [*_complaints(quiet, beset), *_left_behind(target)]
    print("\n".join(complaints) or "The honest clients were served, and nothing was left behind.")
    return 1 if complaints else 0


def _complaints(quiet: Waits, beset: Waits) -> Iterator[str]:
    for waits in (quiet, beset):
        for error in dict.fromkeys(waits.errors):
            yield f"An honest client got: {error}"
    factor = beset.p99 / quiet.p99
    print(f"The 99th percentile grew by the factor {factor:.2f}; at most {_MOST:g} is right.")
    if factor > _MOST:
        yield f"The honest clients waited {factor:.1f} times as long."


def _ask(target: Target, clips: Sequence[Mutant], seconds: float) -> Waits:
    """Have the honest clients ask, one question after the other, each with a pause behind it."""
    waits, until = Waits(), time.monotonic() + seconds

    def client(number: int) -> None:
        draw, headers = random.Random(number), {"X-API-Key": _KEYS[_HONEST[number]]}
        with requests.Session() as session:
            while time.monotonic() < until:
                request = clip_request(target, draw.choice(clips), draw.choice(_WAYS), draw)
                request.headers.update(headers)
                began = time.monotonic()
                try:
                    response = session.send(request, timeout=120)
                except requests.RequestException as error:
                    waits.errors.append(type(error).__name__)
                    continue
                waits.seconds.append(time.monotonic() - began)
                if response.status_code != 200:
                    waits.errors.append(f"{response.status_code} {response.text[:200]}")
                time.sleep(draw.uniform(0, 2 * _THINKING_SECONDS))

    with ThreadPoolExecutor(len(_HONEST)) as threads:
        list(threads.map(client, range(len(_HONEST))))
    return waits


@dataclass
class _Attacks:
    """Counts what the attackers have done."""

    count: int = 0


@contextmanager
def _attackers(target: Target, seed: int) -> Iterator[_Attacks]:
    """Have the hostile clients attack until the block ends, each in an order of its own."""
    attacks, is_over = _Attacks(), threading.Event()

    def client(number: int) -> None:
        name = _HOSTILE[number]
        attacker = Attacker(target, _KEYS[name] if name else None)
        draw, ways = random.Random(seed + number), WITH_A_KEY if name else WITHOUT
        while not is_over.is_set():
            attack: Attack = draw.choice(ways)
            attack(attacker)
            attacks.count += 1

    with ThreadPoolExecutor(len(_HOSTILE)) as threads:
        clients = [threads.submit(client, number) for number in range(len(_HOSTILE))]
        try:
            yield attacks
        finally:
            is_over.set()
    for done in clients:
        done.result()


def _left_behind(target: Target) -> list[str]:
    """Wait until every gauge is back at 0; name those that do not get there."""
    until = time.monotonic() + _SETTLING_SECONDS
    while (above := _gauges_above_zero(target)) and time.monotonic() < until:
        time.sleep(1)
    return [f"{line} is left in /metrics." for line in above]


def _gauges_above_zero(target: Target) -> list[str]:
    headers = {"X-API-Key": _KEYS["alice"]}
    text = requests.get(f"{target.url}/metrics", headers=headers, timeout=60).text
    lines = [line for line in text.splitlines() if line.startswith(_GAUGES)]
    return [line for line in lines if float(line.split()[-1])]


def _clips() -> list[Mutant]:
    """Make small clips of every kind, each with a picture and a sound of its own."""
    made = []
    for index in range(_CLIPS):
        name = list(VIDEOS)[index % len(VIDEOS)]
        recipe = replace(VIDEOS[name], seed=index, hertz=150 + 10 * index)
        made.append(Mutant(f"{index}-{name}", "", make_clip(recipe)))
    return made


@contextmanager
def _guarded_server() -> Iterator[Target]:
    with TemporaryDirectory(prefix="emotion-llama-") as name:
        folder = Path(name)
        (folder / "root").mkdir()
        (folder / "keys").write_text("".join(f"{who}:{key}\n" for who, key in _KEYS.items()))
        flags = ["--media-root", str(folder / "root"), "--api-key-file", str(folder / "keys")]
        with running_server(folder / "log", *flags) as server:
            yield Target(server.url, "emotion-llama-demo", folder / "root", server.log, server.pid)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.hostile_load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for both parts together")
    parser.add_argument("--seed", type=int, default=0, help="another one attacks in another order")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
