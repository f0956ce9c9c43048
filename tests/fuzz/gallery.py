"""Sends shots, several at a time, and keeps the score."""

import shlex
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from tests.fuzz.judge import HANG_SECONDS, complaint
from tests.fuzz.stalls import LONGEST, StallMeter
from tests.fuzz.target import Shot, Target

_AT_ONCE = 8
_BETWEEN_CHECKS = 50
_TRIES = 3
"""A stall that another program may have caused counts when it comes each time."""


class ServerDied(RuntimeError):
    """No request can be answered any more; those before it are to blame."""


@dataclass(frozen=True)
class Failure:
    """A shot that was not answered as it should be."""

    shot: Shot
    complaint: str
    command: str
    """What sends it again."""

    def __str__(self) -> str:
        return f"{self.shot.kind}, {self.shot.origin}: {self.complaint}"


@dataclass
class Gallery:
    """Where shots are sent from.

    Args:
        target: the server.
        evidence: a folder for the bodies of requests that failed.
        longest_stall: seconds for which a request may hold the server's event loop up.
    """

    target: Target
    evidence: Path
    longest_stall: float = LONGEST
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and status."""
    failures: list[Failure] = field(default_factory=list)
    stalls: dict[str, float] = field(default_factory=dict)
    """The longest while requests of a kind were answered, others beside them included."""
    _local: threading.local = field(default_factory=threading.local)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._threads = ThreadPoolExecutor(_AT_ONCE)
        self._meter = StallMeter(self.target.url)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    @property
    def sent(self) -> int:
        return self.answers.total()

    def table(self) -> str:
        """Return how often each kind was answered with each status, and its longest stall."""
        kinds = sorted({kind for kind, _ in self.answers})
        statuses = sorted({status for _, status in self.answers})
        width = max(map(len, kinds), default=0)
        heads = "".join(f"{status:>7}" for status in statuses)
        lines = [" " * width + heads + "  stall, s"]
        for kind in kinds:
            counts = (self.answers[kind, status] or "" for status in statuses)
            row = "".join(f"{count:>7}" for count in counts)
            lines.append(f"{kind:{width}}{row}{self.stalls[kind]:>10g}")
        return "\n".join(lines)

    def send(self, shots: Iterable[Shot], *, between_checks: int = _BETWEEN_CHECKS) -> None:
        """Send all of them, with a look at the server's health and loop after every few.

        Raises:
            ServerDied: it is not healthy any more.
        """
        volley: dict[Future[None], Shot] = {}
        for shot in shots:
            volley[self._threads.submit(self._send, shot)] = shot
            if len(volley) == between_checks:
                self._finish(volley)
        self._finish(volley)

    def _finish(self, volley: dict[Future[None], Shot]) -> None:
        wait(volley)
        for future in volley:
            future.result()
        if not self.target.is_healthy():
            for shot in volley.values():
                self._fail(shot, "sent shortly before the server was no longer healthy")
            raise ServerDied
        self._note_stall(list(volley.values()))
        volley.clear()

    def _note_stall(self, volley: list[Shot]) -> None:
        """Note the longest stall since the last look; where it is too long, find whose it was."""
        longest = self._meter.longest()
        for shot in volley:
            self.stalls[shot.kind] = max(longest, self.stalls.get(shot.kind, 0))
        if longest > self.longest_stall:
            for shot in volley:
                if (alone := self._stall_alone(shot)) > self.longest_stall:
                    self._fail(shot, f"the event loop stood still for up to {alone:g} s")

    def _stall_alone(self, shot: Shot) -> float:
        """Return the shortest of some longest stalls while this is sent with nothing beside it."""
        stalls = []
        for _ in range(_TRIES):
            with suppress(requests.RequestException):
                self._answer(shot.request)
            stalls.append(self._meter.longest())
            if stalls[-1] <= self.longest_stall:
                break
        return min(stalls)

    def _send(self, shot: Shot) -> None:
        try:
            response = self._answer(shot.request)
        except requests.Timeout:
            self._count(shot, "none")
            self._fail(shot, f"no answer within {HANG_SECONDS} s")
        except requests.RequestException as error:
            self._count(shot, "none")
            self._fail(shot, f"no answer: {error}")
        else:
            self._count(shot, str(response.status_code))
            root = self.target.media_root
            if words := complaint(shot, response, (str(root),) if root else ()):
                self._fail(shot, words)

    def _answer(self, request: requests.PreparedRequest) -> requests.Response:
        """Ask; once more if the connection is lost, as an idle one may be closed at any time."""
        try:
            return self._session().send(request, timeout=HANG_SECONDS, allow_redirects=False)
        except requests.ConnectionError as error:
            if isinstance(error, requests.Timeout):
                raise
            return requests.Session().send(request, timeout=HANG_SECONDS, allow_redirects=False)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        return self._local.session

    def _count(self, shot: Shot, status: str) -> None:
        with self._lock:
            self.answers[shot.kind, status] += 1

    def _fail(self, shot: Shot, words: str) -> None:
        with self._lock:
            self.failures.append(Failure(shot, words, self._command(shot)))

    def _command(self, shot: Shot) -> str:
        """The request for a shell; its body goes into a file."""
        request = shot.request
        command = ["curl", "-s", "-i", "--path-as-is", "-X", str(request.method)]
        for name in ("Content-Type", "Accept"):
            if name in request.headers:
                command += ["-H", f"{name}: {request.headers[name]}"]
        if request.body:
            self.evidence.mkdir(parents=True, exist_ok=True)
            path = self.evidence / f"{len(self.failures)}.body"
            body = request.body
            path.write_bytes(body if isinstance(body, bytes) else str(body).encode())
            command += ["--data-binary", f"@{path}"]
        return shlex.join([*command, str(request.url)])
