"""What a server's log holds after it was shot at."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_START = "Traceback (most recent call last)"
_LINKS = ("The above exception was", "During handling of the above")
_OURS = ("emotion_llama_vllm/", "emotion_llama_server/")


@dataclass(frozen=True)
class Traceback:
    """An exception that was logged with its stack."""

    error: str
    """Its last line: type and message."""
    is_ours: bool
    """It went through code of this project, beyond the middleware that every request does."""


def tracebacks(log: str) -> Counter[Traceback]:
    """Count the tracebacks of a log, each cause once however often it came."""
    return Counter(_read(log.splitlines()))


def _read(lines: Iterable[str]) -> Iterator[Traceback]:
    stack: list[str] = []
    for line in (*lines, "the end"):
        goes_on = not line.strip() or line.startswith((" ", *_LINKS))
        is_error = bool(stack) and stack[-1].startswith(" ")
        if _START in line or (stack and (goes_on or is_error)):
            stack.append(line)
        elif stack:
            yield Traceback(_cause(stack), _is_ours(stack))
            stack = []


def _is_ours(stack: list[str]) -> bool:
    return any(place in line for line in stack for place in _OURS if "/gate/" not in line)


def _cause(stack: list[str]) -> str:
    """The last line, without what differs from one request to the next."""
    last = next(line for line in reversed(stack) if line.strip())
    return re.sub(r"0x[0-9a-f]+|\d+", "N", last)[:200]
