"""Limits the size and the demands of one chat request; each limit is a 400 that names it.

vLLM has its own limits for `stop` (4) and `top_logprobs` (`--max-logprobs`).
"""

from collections.abc import Iterator
from typing import Any

from vllm import envs

from emotion_llama_server.settings import TEXT_BYTES
from emotion_llama_vllm.errors import FieldError
from emotion_llama_vllm.media.read.data_url import is_inline_clip
from emotion_llama_vllm.original import PENALTY_FIELD

_MOST_MESSAGES = 256
_MOST_PARTS = 256
"""The maximum number of parts in all messages; each costs vLLM up to 0.1 ms on the event loop."""

_MOST_ENTRIES = 1024
"""The maximum number of entries in a list or an object."""

_MOST_CHARACTERS = 1024
"""The maximum length of a text that is no message, in characters."""

_MOST_URL = 8192
_TEXT_KEYS = ("content", "text")
_NAMES, _MOST_NAME = ("role", "type"), 64
"""The fields of a message that vLLM repeats in its log, and their maximum length."""

_MOST_BAD_WORDS = 64
"""The maximum number of bad words; each is tokenized twice on the event loop."""

_MOST_PATTERN = 64
"""The maximum size of repetitions in tokens, which are searched after each token."""

_MOST_LOGPROBS = 20_480
"""The maximum number of log-probabilities in all answers to a request, because each becomes an
object on the event loop. With vLLM's maximum of 20 alternatives, these are 975 tokens."""

_MOST_PROMPT_LOGPROBS = 1
"""The maximum number of log-probabilities for each token of a prompt."""

_SEQUENCES = ("n", "best_of")
_TOKENS = ("max_tokens", "max_completion_tokens", "min_tokens")
GRAMMARS = ("structured_outputs", "response_format")
"""The fields that have a limit of their own."""


def check_limits(body: dict[str, Any], answer_tokens: int) -> None:
    """Refuse a chat request that is larger than any sensible one, and limit its answer.

    Args:
        body: the request's body as the client sent it.
        answer_tokens: the operator's limit.

    Raises:
        FieldError: a field is over its limit.
    """
    for name in _SEQUENCES:
        _check_number(name, body.get(name), envs.VLLM_MAX_N_SEQUENCES)
    for name in _TOKENS:
        _check_number(name, body.get(name), answer_tokens)
    _bound_logprobs(body, answer_tokens)
    _check_messages(body.get("messages"))
    for name, value in body.items():
        if name not in ("messages", *GRAMMARS):
            _check_sizes(name, value)
    _check_length("bad_words", body.get("bad_words"), _MOST_BAD_WORDS)
    if isinstance(repetition := body.get("repetition_detection"), dict):
        size = repetition.get("max_pattern_size")
        _check_number("repetition_detection.max_pattern_size", size, _MOST_PATTERN)
    if isinstance(extra := body.get("vllm_xargs"), dict) and extra.keys() - {PENALTY_FIELD}:
        raise FieldError(f"`vllm_xargs` takes only {PENALTY_FIELD!r}.", field="vllm_xargs")


def _check_number(name: str, value: object, most: int) -> None:
    """Refuse a number over the limit, including a text that pydantic would convert to a number."""
    try:
        number = float(value) if isinstance(value, int | float | str) else 0
    except ValueError:
        return  # vLLM refuses this value
    if number > most:
        raise FieldError(f"`{name}` must be at most {most} here.", field=name)


def _check_length(name: str, value: object, most: int) -> None:
    if isinstance(value, list | dict) and len(value) > most:
        raise FieldError(f"`{name}` may have at most {most} entries here.", field=name)


def _bound_logprobs(body: dict[str, Any], answer_tokens: int) -> None:
    """Limit the log-probabilities, because computing them pauses the server for all others.

    If the request sets no number of tokens, it gets as many as the limit of log-probabilities
    allows.
    """
    prompt = body.get("prompt_logprobs")
    if prompt is None and body.get("echo"):
        prompt = body.get("top_logprobs")
    _check_number("prompt_logprobs", prompt, _MOST_PROMPT_LOGPROBS)
    if not body.get("logprobs"):
        return
    tokens = body.get("max_completion_tokens") or body.get("max_tokens")
    factors = (body.get("n") or 1, 1 + (body.get("top_logprobs") or 0), tokens or 1)
    if not all(isinstance(factor, int) for factor in factors):
        return  # vLLM refuses this value
    most = max(1, _MOST_LOGPROBS // max(1, factors[0] * factors[1]))
    if tokens is None:
        body["max_tokens"] = min(answer_tokens, most)
    elif tokens > most:
        raise FieldError(
            f"With so many `top_logprobs` and answers, `max_tokens` may be at most {most}.",
            field="max_tokens",
        )


def _check_messages(messages: object) -> None:
    if not isinstance(messages, list):
        return  # vLLM refuses this value
    _check_length("messages", messages, _MOST_MESSAGES)
    parts = 0
    characters = 0
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        parts += len(content) if isinstance(content, list) else 1
        if parts > _MOST_PARTS:
            raise FieldError(f"The messages may have {_MOST_PARTS} parts.", field="messages")
        for key, text in _texts("messages", message):
            if key not in _TEXT_KEYS and is_inline_clip(text.strip()):
                continue
            if key.endswith("url") and len(text) > _MOST_URL:
                raise FieldError(f"A URL may have {_MOST_URL} characters.", field="messages")
            if key in _NAMES and len(text) > _MOST_NAME:
                raise FieldError(f"`{key}` may have {_MOST_NAME} characters.", field="messages")
            characters += len(text)
    if characters > TEXT_BYTES:
        raise FieldError(f"The messages have over {TEXT_BYTES} characters.", field="messages")


def _check_sizes(name: str, value: object) -> None:
    """Refuse long texts, lists and objects in a field and inside its values."""
    if isinstance(value, str) and len(value) > _MOST_CHARACTERS:
        raise FieldError(f"`{name}` may have {_MOST_CHARACTERS} characters.", field=name)
    _check_length(name, value, _MOST_ENTRIES)
    if isinstance(value, list | dict):
        for entry in value.values() if isinstance(value, dict) else value:
            _check_sizes(name, entry)


def _texts(key: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield every text of a message with its nearest key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(key, entry)
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from _texts(name, entry)
