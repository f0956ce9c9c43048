"""Tools of a chat: the model calls none, so they are refused, or dropped where they do nothing."""

from typing import Any

from vllm.exceptions import VLLMValidationError

_CHOICES = {"tools": "tool_choice", "functions": "function_call"}
"""The fields that describe functions, and those that say which one is to be called."""
_PARALLEL = "parallel_tool_calls"
FIELDS = (*_CHOICES, *_CHOICES.values(), _PARALLEL)
"""All fields of a chat that are about tools."""


def settle(body: dict[str, Any]) -> None:
    """Take the fields of tools out of a chat request that asks for no call of one.

    Args:
        body: the request's, rewritten in place.

    Raises:
        VLLMValidationError: the model may or shall call a function.
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


def _no_tools(field: str) -> VLLMValidationError:
    return VLLMValidationError(
        f"`{field}` cannot be used here: the model calls no functions. POST /v1/emotion answers in "
        "JSON, and so does a chat whose `response_format` is a JSON schema with one `enum`.",
        parameter=field,
    )
