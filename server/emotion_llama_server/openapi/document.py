"""Completes the OpenAPI document that FastAPI derives from the routes.

It adds the keys, examples and every status that is sent, and removes all other statuses and the
fields of vLLM's requests that are refused here.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from pydantic.json_schema import models_json_schema

from emotion_llama.error_codes import (
    BATCH_NOT_FOUND,
    CONTEXT_LENGTH_EXCEEDED,
    ERROR_CODES,
    FILE_NOT_FOUND,
    MODEL_NOT_FOUND,
    QUOTA_EXCEEDED,
    VIDEO_NOT_FOUND,
    VIDEO_NOT_READABLE,
)
from emotion_llama.schema import API_VERSION, EmotionRequest, ErrorResponse
from emotion_llama_server import paths
from emotion_llama_server.errors import Failure, LegacyError, openai_error
from emotion_llama_server.gate.oidc.issuer import DISCOVERY
from emotion_llama_server.openapi.chat import ChatMessage
from emotion_llama_server.openapi.examples import CHAT_REQUEST, EMOTION_RESPONSE

_DESCRIPTION = (
    "Ask about the emotion in a short video clip. The model guesses at what is shown and can be "
    "wrong about anybody; Emotion-LLaMA's published weights are for research only. "
    f"Agents have `POST {paths.MCP}` (Model Context Protocol), which describes its tools itself."
)
_REF = "#/components/schemas/{model}"
_REQUEST = "ChatCompletionRequest"
_MESSAGES = {"type": "array", "items": {"$ref": _REF.format(model=ChatMessage.__name__)}}
_REQUEST_ID = {
    "name": "X-Request-Id",
    "in": "header",
    "description": "The client's id for the request; log and response use it.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
}
_KEYS = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, or an access token (JWT), if the server requires one.",
    },
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same API key.",
    },
}
_TAGS = {
    "emotion": "A clip's emotion in numbers, times and words.",
    "chat": "Conversations about a clip, for clients of OpenAI's API.",
    "models": "The served models.",
    "files": "Files that are uploaded ahead, in OpenAI's shape.",
    "batches": "Thousands of requests as one job, in OpenAI's shape.",
    "legacy": "The routes of the original.",
    "probes": "Health checks for supervisors of the server.",
    "server": "vLLM's own routes about the server itself.",
}
_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait before the next attempt.",
        "schema": {"type": "integer"},
    }
}
_ANYWHERE = ("headers_too_large",)
_WITH_KEY = ("invalid_api_key", "invalid_token", "permission_denied", "server_unavailable")
_WORK = (
    *("invalid_request", "request_timeout", "too_large", "unsupported_media_type"),
    *("rate_limit_exceeded", "internal_error", "server_unavailable", "processing_timeout"),
)
_ABOUT_CLIPS = (VIDEO_NOT_READABLE, VIDEO_NOT_FOUND, CONTEXT_LENGTH_EXCEEDED)
_FURTHER = {
    paths.EMOTION: (*_ABOUT_CLIPS, "insufficient_storage"),
    paths.CHAT: (*_ABOUT_CLIPS, MODEL_NOT_FOUND),
    paths.MODEL.replace(":path", ""): (MODEL_NOT_FOUND,),
    paths.FILES: ("invalid_request", FILE_NOT_FOUND, QUOTA_EXCEEDED, "insufficient_storage"),
    paths.FILE: (FILE_NOT_FOUND, "insufficient_storage"),
    paths.FILE_CONTENT: (FILE_NOT_FOUND,),
    paths.BATCHES: ("invalid_request", BATCH_NOT_FOUND, "insufficient_storage"),
    paths.BATCH: (BATCH_NOT_FOUND,),
    paths.BATCH_CANCEL: (BATCH_NOT_FOUND, "insufficient_storage"),
    **dict.fromkeys(paths.LEGACY, _ABOUT_CLIPS),
    **dict.fromkeys((paths.HEALTH, paths.READYZ, paths.PING), ("server_unavailable",)),
}
"""The error codes that only some routes send."""


def install(app: FastAPI, refused: Iterable[str]) -> None:
    """Make the app complete its document, without the refused fields of chats."""
    make, left_out = app.openapi, frozenset(refused)
    app.version, app.description = API_VERSION, _DESCRIPTION

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(make(), left_out)
            if app.root_path and app.openapi_schema is not None:
                app.openapi_schema["servers"] = [{"url": app.root_path}]
        return app.openapi_schema or {}

    app.openapi = document  # type: ignore[method-assign]


def add_issuer(app: FastAPI, issuer: str, scope: str | None) -> None:
    """Describe the OpenID provider whose access tokens open the server, and the scope they need."""
    document = app.openapi()
    document["components"]["securitySchemes"]["openid"] = {
        "type": "openIdConnect",
        "openIdConnectUrl": f"{issuer.rstrip('/')}{DISCOVERY}",
        "description": "An access token of this provider.",
    }
    document["security"].append({"openid": [scope] if scope else []})


def _complete(document: dict[str, Any], left_out: frozenset[str]) -> None:
    """Complete a document in place."""
    for path, operations in document["paths"].items():
        for method in list(operations):
            if path in paths.READ_ONLY and method != "get":
                del operations[method]
            else:
                _complete_operation(operations[method], path, method)
    components = document.setdefault("components", {})
    schemas = components.get("schemas", {}) | _definitions()
    if (chat := schemas.get(_REQUEST)) is not None:
        fields = {name: field for name, field in chat["properties"].items() if name not in left_out}
        chat["properties"] = fields | {"messages": _MESSAGES}
    components["schemas"] = _used(schemas, document["paths"])
    components["securitySchemes"] = dict(_KEYS)
    document["security"] = [{name: []} for name in _KEYS]
    document["tags"] = [{"name": name, "description": words} for name, words in _TAGS.items()]
    _shorten_names(document)


def _complete_operation(operation: dict[str, Any], path: str, method: str) -> None:
    operation.setdefault("tags", ["chat" if path == paths.CHAT else "server"])
    operation.setdefault("parameters", []).append(_REQUEST_ID)
    if path in paths.OPEN:
        operation["security"] = []
    answers = operation["responses"]
    good = {status: answer for status, answer in answers.items() if status.startswith("2")}
    operation["responses"] = good | _refusals(path, is_work=method != "get")
    if path == paths.CHAT:
        operation["requestBody"]["content"]["application/json"]["example"] = CHAT_REQUEST
    if path == paths.EMOTION:
        answers["200"]["content"]["application/json"]["example"] = EMOTION_RESPONSE


def _refusals(path: str, *, is_work: bool) -> dict[str, Any]:
    """Describe every error status of a route, in ascending order."""
    codes = (*_ANYWHERE, *(() if path in paths.OPEN else _WITH_KEY), *(_WORK if is_work else ()))
    statuses: dict[int, list[str]] = {}
    for code in dict.fromkeys((*codes, *_FURTHER.get(path, ()))):
        is_missing_in_chat = path == paths.CHAT and code == VIDEO_NOT_FOUND
        status = 400 if is_missing_in_chat else ERROR_CODES[code].status
        statuses.setdefault(status, []).append(code)
    return {
        str(status): _refusal(status, statuses[status], is_legacy=path in paths.LEGACY)
        for status in sorted(statuses)
    }


def _refusal(status: int, codes: list[str], *, is_legacy: bool) -> dict[str, Any]:
    meanings = [ERROR_CODES[code].meaning for code in codes]
    if is_legacy:
        words, content = meanings, _content(LegacyError.__name__)
    else:
        words = [f"`{code}`: {meaning}" for code, meaning in zip(codes, meanings, strict=True)]
        example = openai_error(Failure(status, "", meanings[0], code=codes[0])).model_dump()
        content = _content(ErrorResponse.__name__) | {"example": example}
    answer: dict[str, Any] = {
        "description": " ".join(words),
        "content": {"application/json": content},
    }
    return answer | ({"headers": _RETRY_AFTER} if status in (429, 503) else {})


def _content(model: str) -> dict[str, Any]:
    return {"schema": {"$ref": _REF.format(model=model)}}


def _definitions() -> dict[str, Any]:
    """Return the schemas that only this module and hand-written bodies refer to."""
    described = (ChatMessage, EmotionRequest, ErrorResponse, LegacyError)
    models = [(model, "validation") for model in described]
    _, schema = models_json_schema(models, ref_template=_REF)  # type: ignore[arg-type]
    return jsonable_encoder(schema["$defs"], exclude_none=True)  # as FastAPI writes the others


def _used(schemas: Mapping[str, Any], paths: Any) -> dict[str, Any]:
    """Return the schemas that routes refer to, directly or through others."""
    used: dict[str, Any] = {}
    pending = _references(paths)
    while pending:
        name = pending.pop()
        if name not in used:
            used[name] = schemas[name]
            pending |= _references(schemas[name])
    return {name: used[name] for name in sorted(used)}


def _shorten_names(document: dict[str, Any]) -> None:
    """Remove the module from a schema's name if the name is unique without it."""
    shorts = {name: name.rpartition("__")[2] for name in document["components"]["schemas"]}
    counts = Counter(shorts.values())
    text = json.dumps(document)
    for name, short in shorts.items():
        if counts[short] == 1:
            text = text.replace(f'schemas/{name}"', f'schemas/{short}"')
            text = text.replace(f'"{name}": ', f'"{short}": ')
    document.update(json.loads(text))


def _references(node: Any) -> set[str]:
    return set(re.findall(_REF.format(model='([^"]+)'), json.dumps(node)))
