"""Refuses tools in a chat, because the model calls none, or drops them if they have no effect."""

from typing import Any

from emotion_llama_vllm.errors import FieldError

_CHOICES = {"tools": "tool_choice", "functions": "function_call"}
"""The fields that describe functions, and the fields that choose one."""
_PARALLEL = "parallel_tool_calls"
FIELDS = (*_CHOICES, *_CHOICES.values(), _PARALLEL)
"""All fields of a chat that concern tools."""


def settle(body: dict[str, Any]) -> None:
    """Remove the tool fields from a chat request that requires no call.

    Args:
        body: the request's body, which is rewritten in place.

    Raises:
        FieldError: the request allows or requires a function call.
    """
    body.pop(_PARALLEL, None)
    for tools, choice in _CHOICES.items():
        given, chosen = body.pop(tools, None), body.pop(choice, None)
        if chosen == "none":
            continue
        if given:
            raise _no_tools(tools)
        if chosen not in (None, "auto"):
            raise _no_tools(choice)


def _no_tools(field: str) -> FieldError:
    return FieldError(
        f"`{field}` cannot be used here: the model calls no functions. POST /v1/emotion answers in "
        "JSON, and so does a chat whose `response_format` is a JSON schema with one `enum`.",
        field=field,
    )
