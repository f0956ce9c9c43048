"""JSON that means one thing only, and that whatever is behind can take.

A key that comes twice is read differently by different programs, so that one may check what
another does not use; half a surrogate pair and numbers of more than 64 bits break others midway.
"""

import json

from fastapi import Request
from vllm.exceptions import VLLMValidationError

_MAX_DIGITS = 18


def check_json(body: bytes | str) -> None:
    """Look through a body that is valid JSON.

    Raises:
        VLLMValidationError: a key twice in one object, text that is no Unicode, a huge number.
    """
    parsed = json.loads(body, object_pairs_hook=_once, parse_int=_whole_number)
    escape = b"\\u" if isinstance(body, bytes) else "\\u"
    if escape in body:  # type: ignore[operator]
        try:
            json.dumps(parsed, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise VLLMValidationError("The body has text that is no Unicode.") from error


async def check_request(raw_request: Request) -> None:
    """The same of a request whose body FastAPI has parsed, as a dependency of its route."""
    check_json(await raw_request.body())


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise VLLMValidationError("The body has a key twice in one object.", parameter=twice[:100])
    return found


def _whole_number(digits: str) -> int:
    if len(digits.lstrip("-")) > _MAX_DIGITS:
        raise VLLMValidationError("The body has a number that is too large.")
    return int(digits)
