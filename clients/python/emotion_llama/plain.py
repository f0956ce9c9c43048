"""Converts option values to plain JSON: numpy's numbers, fractions and tuples."""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from pydantic import BaseModel


def plain(name: str, value: Any) -> Any:
    """Return the JSON value of the option `name`.

    Raises:
        ValueError: a number is infinite or not a number.
        TypeError: JSON has no such type.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Mapping):
        return {str(key): plain(name, item) for key, item in value.items()}
    if callable(listed := getattr(value, "tolist", None)):  # an array or a number of numpy or torch
        return plain(name, listed()) if not isinstance(value, float) else _finite(name, value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) or hasattr(value, "__float__"):
        return _finite(name, float(value))
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview):
        return [plain(name, item) for item in value]
    raise TypeError(f"`{name}` cannot be a {type(value).__name__}.")


def timeline_of(value: Any) -> dict[str, Any]:
    """Return the field `timeline` of a request.

    Args:
        value: the length of each window and the step to the next one in seconds, as a pair, as the
            text "2/1", as a TimelineRequest or as a mapping; one number sets both.

    Raises:
        ValueError: the value is none of these.
    """
    told = plain("timeline", value.split("/") if isinstance(value, str) else value)
    if isinstance(told, dict):
        return told
    try:
        window, step = (told * 2)[:2] if isinstance(told, list) and len(told) == 1 else _pair(told)
        return {"window": _seconds(window), "step": _seconds(step)}
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'`timeline` is WINDOW/STEP in seconds, as "2/1", (2, 1) or 2, not {value!r}.'
        ) from error


def _pair(told: Any) -> tuple[Any, Any]:
    if not isinstance(told, list):
        return told, told
    window, step = told
    return window, step


def _seconds(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError("a truth value is no number of seconds")
    number = float(value) if isinstance(value, str) else value
    return _finite("timeline", number + 0)


def _finite(name: str, number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"`{name}` is {number}, which is no number that JSON carries.")
    return number
