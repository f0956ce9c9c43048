"""JSON whose objects hold each key once.

What comes twice is read differently by different programs, so that one may check what another
does not use.
"""

import json

from fastapi import Request
from vllm.exceptions import VLLMValidationError


def check_keys(body: bytes | str) -> None:
    """Look through a body that is valid JSON.

    Raises:
        VLLMValidationError: a key that comes twice in one object.
    """
    json.loads(body, object_pairs_hook=_once)


async def check_request(raw_request: Request) -> None:
    """The same of a request whose body FastAPI has parsed, as a dependency of its route."""
    check_keys(await raw_request.body())


def _once(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise VLLMValidationError("The body has a key twice in one object.", parameter=twice[:100])
