"""How much one chat request may hold and ask for; each limit is a 400 that names it.

vLLM has its own for `stop` (4) and for `top_logprobs` (`--max-logprobs`).
"""

from collections.abc import Iterator
from typing import Any

from vllm import envs

from emotion_llama_server.settings import TEXT_BYTES
from emotion_llama_server.strict_json import BodyError
from emotion_llama_vllm.logits_processor import REQUEST_FIELD
from emotion_llama_vllm.media.read.data_url import is_inline_clip

_MOST_MESSAGES = 256
_MOST_PARTS = 256
"""In all messages together: vLLM takes up to a tenth of a millisecond for each, on the loop."""

_MOST_ENTRIES = 1024
"""A list or an object may have so many."""

_MOST_CHARACTERS = 1024
"""A text that is no message may be so long."""

_MOST_URL = 8192
_TEXT_KEYS = ("content", "text")
_NAMES, _MOST_NAME = ("role", "type"), 64
"""Fields of a message that vLLM repeats in its log, and how long they may be."""

_MOST_BAD_WORDS = 64
"""Each is tokenized twice, on the loop."""

_MOST_PATTERN = 64
"""Repetitions of up to so many tokens are searched, after each token."""

_MOST_LOGPROBS = 20_480
"""All answers to a request may have so many: each becomes an object, on the loop. With the 20
alternatives that vLLM gives at most, these are 975 tokens."""

_MOST_PROMPT_LOGPROBS = 1
"""The same, for each token of a prompt."""

_SEQUENCES = ("n", "best_of")
_TOKENS = ("max_tokens", "max_completion_tokens", "min_tokens")
_GRAMMARS = ("structured_outputs", "response_format")
"""What has a limit of its own."""


def check_limits(body: dict[str, Any], answer_tokens: int) -> None:
    """Refuse a chat request that is larger than any that makes sense, and bound its answer.

    Args:
        body: the request, as the client sent it.
        answer_tokens: the operator's limit.

    Raises:
        BodyError: a field is over its limit.
    """
    for name in _SEQUENCES:
        _check_number(name, body.get(name), envs.VLLM_MAX_N_SEQUENCES)
    for name in _TOKENS:
        _check_number(name, body.get(name), answer_tokens)
    _bound_logprobs(body, answer_tokens)
    _check_messages(body.get("messages"))
    for name, value in body.items():
        if name not in ("messages", *_GRAMMARS):
            _check_sizes(name, value)
    _check_length("bad_words", body.get("bad_words"), _MOST_BAD_WORDS)
    if isinstance(repetition := body.get("repetition_detection"), dict):
        size = repetition.get("max_pattern_size")
        _check_number("repetition_detection.max_pattern_size", size, _MOST_PATTERN)
    if isinstance(extra := body.get("vllm_xargs"), dict) and extra.keys() - {REQUEST_FIELD}:
        raise BodyError(f"`vllm_xargs` takes only {REQUEST_FIELD!r}.", param="vllm_xargs")


def _check_number(name: str, value: object, most: int) -> None:
    """Refuse a number over the limit, also where pydantic would make one of a text."""
    try:
        number = float(value) if isinstance(value, int | float | str) else 0
    except ValueError:
        return  # which vLLM refuses
    if number > most:
        raise BodyError(f"`{name}` must be at most {most} here.", param=name)


def _check_length(name: str, value: object, most: int) -> None:
    if isinstance(value, list | dict) and len(value) > most:
        raise BodyError(f"`{name}` may have at most {most} entries here.", param=name)


def _bound_logprobs(body: dict[str, Any], answer_tokens: int) -> None:
    """Bound the log-probabilities, as making them pauses the server for all others.

    An answer for which the request names no number of tokens gets as many as may have theirs.
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
        return  # which vLLM refuses
    most = max(1, _MOST_LOGPROBS // max(1, factors[0] * factors[1]))
    if tokens is None:
        body["max_tokens"] = min(answer_tokens, most)
    elif tokens > most:
        raise BodyError(
            f"With so many `top_logprobs` and answers, `max_tokens` may be at most {most}.",
            param="max_tokens",
        )


def _check_messages(messages: object) -> None:
    if not isinstance(messages, list):
        return  # which vLLM refuses
    _check_length("messages", messages, _MOST_MESSAGES)
    parts = 0
    characters = 0
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        parts += len(content) if isinstance(content, list) else 1
        if parts > _MOST_PARTS:
            raise BodyError(f"The messages may have {_MOST_PARTS} parts.", param="messages")
        for key, text in _texts("messages", message):
            if key not in _TEXT_KEYS and is_inline_clip(text.strip()):
                continue
            if key.endswith("url") and len(text) > _MOST_URL:
                raise BodyError(f"A URL may have {_MOST_URL} characters.", param="messages")
            if key in _NAMES and len(text) > _MOST_NAME:
                raise BodyError(f"`{key}` may have {_MOST_NAME} characters.", param="messages")
            characters += len(text)
    if characters > TEXT_BYTES:
        raise BodyError(f"The messages have over {TEXT_BYTES} characters.", param="messages")


def _check_sizes(name: str, value: object) -> None:
    """Refuse long texts, lists and objects in a field, and in those inside them."""
    if isinstance(value, str) and len(value) > _MOST_CHARACTERS:
        raise BodyError(f"`{name}` may have {_MOST_CHARACTERS} characters.", param=name)
    _check_length(name, value, _MOST_ENTRIES)
    if isinstance(value, list | dict):
        for entry in value.values() if isinstance(value, dict) else value:
            _check_sizes(name, entry)


def _texts(key: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield every text of a message, under the nearest key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(key, entry)
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from _texts(name, entry)
