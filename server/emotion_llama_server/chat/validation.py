"""Checks and rewrites a request before vLLM's own JSON routes receive it."""

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from emotion_llama_server import paths
from emotion_llama_server.chat import answer_form, clip, tools
from emotion_llama_server.chat.limits import GRAMMARS, check_limits
from emotion_llama_server.chat.warnings import WarningHeaders, warn
from emotion_llama_server.errors import ModelNotFound, path_of
from emotion_llama_server.openapi import document
from emotion_llama_server.services import Services, services_of
from emotion_llama_server.strict_json import JsonRequest
from emotion_llama_vllm.errors import FieldError

_TEMPLATE_VARIABLES = {"prompt_style"}
_REFUSED = {
    "media_io_kwargs": "how clips are read is the operator's choice",
    "mm_processor_kwargs": "how clips are processed is the operator's choice",
    "chat_template": "the prompt is the checkpoint's",
    "prompt_embeds": "prompts are text and clips here",
    "priority": "requests are served as they come",
    "cache_salt": "the caches are the operator's",
    "kv_transfer_params": "the caches are the operator's",
    "ec_transfer_params": "the caches are the operator's",
    "transcribe": "/v1/emotion transcribes; in a chat, the words are part of your message",
    "uuid": "a clip is known by its content alone, as an identifier could be another clip's",
}
"""The fields that could reach another request's clip, the server's code or its queue, and one that
would have no effect."""

_MAX_NAME = 256
_MAX_GRAMMAR = 16_384
"""The maximum length in characters; compiling takes up to 0.5 s, and grows with the square."""


async def check_json_request(raw_request: JsonRequest) -> None:
    """Check a request for vLLM's own route, and convert a chat to the form that the model knows.

    The body is already parsed, and the route receives this same object afterwards.

    Raises:
        FieldError: a field is not allowed here or over its limit, or a chat has no clip.
        ModelNotFound: the model's name is too long.
        VLLMError: a chat's clip cannot be used.
    """
    body, services = await raw_request.json(), services_of(raw_request.app)
    if isinstance(body, dict):
        _check_fields(body)
        _check_model(body.get("model"))
        is_chat = path_of(raw_request.scope) == paths.CHAT
        if is_chat:
            tools.settle(body)
        check_limits(body, services.settings.max_answer_tokens)
        answer_form.adopt_old_names(body)
        raw_request.has_grammar = _has_grammar(body)
        _check_template_variables(body.get("chat_template_kwargs"))
        if is_chat:
            warn(raw_request, clip.unify(body))
            await _prepare_chat(body, services)


async def _prepare_chat(body: dict[str, Any], services: Services) -> None:
    if not services.settings.allow_text_only:
        clip.check_present(body)
    _check_echo(body)
    await answer_form.settle(body, services)


def _check_echo(body: dict[str, Any]) -> None:
    """Refuse to repeat a message with a clip, where vLLM expects nothing but text."""
    messages = body.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    parts = content if isinstance(content, list) else ()
    is_text = all(isinstance(part, dict) and part.get("type") == "text" for part in parts)
    if body.get("echo") and not is_text:
        raise FieldError("`echo` repeats text alone, and the last message has more.", field="echo")


def _check_model(name: object) -> None:
    """Refuse a long name before vLLM repeats it."""
    if isinstance(name, str) and len(name) > _MAX_NAME:
        raise ModelNotFound("The model does not exist.")


def _check_fields(body: dict[str, Any]) -> None:
    """Refuse forbidden fields with a value; drop nulls and defaults of typed clients."""
    for fields in (body, *_parts(body)):
        for name in fields.keys() & _REFUSED.keys():
            if fields.pop(name):
                raise FieldError(f"`{name}` cannot be set here: {_REFUSED[name]}.", field=name)


def _has_grammar(body: dict[str, Any]) -> bool:
    """Return whether vLLM must compile a form for the answer; a large one takes minutes."""
    given = {name: body[name] for name in GRAMMARS if body.get(name) is not None}
    for name, value in given.items():
        if len(json.dumps(value)) > _MAX_GRAMMAR:
            raise FieldError(f"`{name}` is over {_MAX_GRAMMAR} characters.", field=name)
    if not isinstance(given.get("structured_outputs", {}), dict):
        raise FieldError("`structured_outputs` must be an object.", field="structured_outputs")
    return bool(given)


def _parts(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the parts of all messages, and the objects in them that name media."""
    for message in _dicts(body.get("messages")):
        for part in _dicts(message.get("content")):
            yield part
            yield from (value for value in part.values() if isinstance(value, dict))


def _dicts(values: object) -> Iterator[dict[str, Any]]:
    if isinstance(values, list):
        yield from (value for value in values if isinstance(value, dict))


def _check_template_variables(variables: object) -> None:
    """Refuse all variables that the chat template does not read, such as `bos_token`."""
    if not isinstance(variables, dict):
        return  # absent, or of a type that vLLM's own validation refuses
    given = {name for name, value in variables.items() if value is not None}
    unknown = sorted(str(name) for name in given - _TEMPLATE_VARIABLES)
    if unknown:
        raise FieldError(
            "chat_template_kwargs takes only 'prompt_style' ('eval' or 'demo'), "
            f"not {unknown[0]!r}.",
            field="chat_template_kwargs",
        )


def install(app: FastAPI) -> None:
    """Add the check, the headers for warnings and an accurate document to vLLM's app."""
    app.add_middleware(WarningHeaders)
    document.install(app, (*_REFUSED, *tools.FIELDS))
