"""Answers requests for unknown routes, with the name of the route to use instead."""

from difflib import get_close_matches

from starlette.exceptions import HTTPException

from emotion_llama_server import paths
from emotion_llama_server.shortening import printable

_CHAT, _EMOTION = f"POST {paths.CHAT}", f"POST {paths.EMOTION}"
_NO_VECTORS = (
    f"the model makes no embeddings; {_EMOTION} answers with the probability of every label"
)
_ONE_CLIP = f"send the clip with the question to {_EMOTION} or {_CHAT}"
_INSTEAD = {
    "/v1/responses": (
        f"send the conversation to {_CHAT} (OpenAI's SDK: `client.chat.completions.create`; "
        "LangChain: `use_responses_api=False`; AI SDK: `provider.chat(MODEL)`; "
        "pydantic-ai: `OpenAIChatModel`)"
    ),
    "/v1/completions": (
        f"the model answers conversations about a clip: {_CHAT} "
        "(OpenAI's SDK: `client.chat.completions.create`; LlamaIndex: `is_chat_model=True`)"
    ),
    "/v1/messages": f"this is OpenAI's API and not Anthropic's: {_CHAT}",
    "/v1/embeddings": _NO_VECTORS,
    "/embeddings": _NO_VECTORS,
    "/v1/audio/transcriptions": _ONE_CLIP,
    "/sse": f"agents ask POST {paths.MCP} (MCP's streamable HTTP)",
    "/api/chat": f"this is OpenAI's API and not Ollama's: {_CHAT}",
    "/api/generate": f"this is OpenAI's API and not Ollama's: {_CHAT}",
}
_KEPT = (
    "this server keeps no files and no batches; its operator can let it, with --data-dir DIR, or "
    f"{_ONE_CLIP}"
)
_NAMES = (paths.CHAT, paths.EMOTION, paths.MODELS, paths.MCP, *paths.LEGACY)
"""The routes that clients miss because of a wrong base URL or a misspelling."""

_MAX_NAME = 64
"""The maximum length of a path that is compared with the names of routes."""


def no_such_route(method: str, path: str) -> HTTPException:
    """Return the error for a request whose path has no route."""
    hint = (
        _INSTEAD.get(path) or _about_files(path) or _with_right_base(path) or _with_right_name(path)
    )
    return HTTPException(404, f"No {printable(method)} {printable(path)} here: {hint}.")


def _about_files(path: str) -> str | None:
    return _KEPT if paths.label(path) in (paths.FILES, paths.BATCHES) else None


def _with_right_base(path: str) -> str | None:
    for name in _NAMES:
        if path.endswith(name.removeprefix("/v1")):
            return f"ask {name}; the base URL of OpenAI's clients ends in /v1, others do not"
    return None


def _with_right_name(path: str) -> str:
    """Return the route whose name is nearly this path, or the most important ones."""
    # The comparison takes long for a long path.
    if len(path) <= _MAX_NAME and (near := get_close_matches(path, _NAMES, n=1, cutoff=0.8)):
        return f"use {near[0]}"
    return f"use {_EMOTION} or {_CHAT}; GET {paths.DOCS} describes the routes"
