"""Answers `POST /mcp`: the tools of agents, in the Model Context Protocol (MCP) over HTTP.

No session is kept: each message is answered alone with JSON, so that any replica may take the next
one. A tool's work is that of `/v1/emotion`, in this process and in the place that the gate gave.
"""

import asyncio
import importlib
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from emotion_llama.agents.tools import LabelList
from emotion_llama.schema import EmotionRequest, EmotionResponse
from emotion_llama_server import paths
from emotion_llama_server.emotion.request import Submission, bounded
from emotion_llama_server.engine import until_disconnect
from emotion_llama_server.errors import describe
from emotion_llama_server.routes.error_route import ErrorRoute
from emotion_llama_server.services import Services, services_of
from emotion_llama_server.settings import TEXT_BYTES
from emotion_llama_server.strict_json import BodyError, check_json, gather, parse_now

_LONG_CLIP = 64 << 10
"""The number of characters from which on a clip is one in itself, and no path or URL."""
_CLIP_HERE = "(the clip in this message)"
_MAX_NAME = 256
"""The maximum number of characters of an id or a method."""

router = APIRouter(route_class=ErrorRoute, include_in_schema=False)


@dataclass(frozen=True)
class Message:
    """Holds one message of an agent.

    Args:
        text: the JSON without a long clip.
        clip: the clip that was taken out of it.
    """

    text: bytes
    clip: str | None


async def read_message(raw_request: Request) -> Message:
    """Read the body of a request.

    Raises:
        HTTPException: the request comes from a page of an origin that is not allowed.
        BodyError: the body is no strict JSON, or has too much structure or text.
    """
    _check_origin(raw_request)
    check_json(raw_request)
    return await asyncio.to_thread(_parse, await gather(raw_request.stream()))


def _check_origin(raw_request: Request) -> None:
    """Refuse pages of other origins, and with them a page whose name was rebound to this address.

    Such a page looks like one of this server's own, and needs no leave of CORS. Browsers name the
    page's origin with each post; agents that are no pages name none.
    """
    origin = raw_request.headers.get("origin")
    if origin is not None and not services_of(raw_request.app).options.names_origin(origin):
        raise HTTPException(
            403,
            f"Pages may not use {paths.MCP}, except those whose origin --allowed-origins names.",
        )


def _parse(body: bytes) -> Message:
    """Check a body, and take a long clip out of it, which the SDK would copy on the event loop."""
    value = parse_now(body)
    _check_names(value)
    clip = _take_clip(value)
    text = body if clip is None else to_json(value)
    if len(text) > TEXT_BYTES:
        words = f"The body has over {TEXT_BYTES >> 20} MiB besides its clip."
        raise BodyError(words, status=413)
    return Message(text, clip)


def _check_names(value: Any) -> None:
    """Refuse an endless id or method, which the SDK repeats in its responses."""
    for name in ("id", "method"):
        text = value.get(name) if isinstance(value, dict) else None
        if isinstance(text, str) and len(text) > _MAX_NAME:
            raise BodyError(f"`{name}` has over {_MAX_NAME} characters.", param=name)


def _take_clip(value: Any) -> str | None:
    """Replace a long clip in the arguments of a tool, and return it."""
    params = value.get("params") if isinstance(value, dict) else None
    arguments = params.get("arguments") if isinstance(params, dict) else None
    if not isinstance(arguments, dict):
        return None
    clip = arguments.get("video")
    if not isinstance(clip, str) or len(clip) < _LONG_CLIP:
        return None
    arguments["video"] = _CLIP_HERE
    return clip


@router.post(paths.MCP)
@until_disconnect
async def answer(
    message: Annotated[Message, Depends(read_message)], raw_request: Request
) -> Response:
    """Answer one message of an agent."""
    # The first message imports the MCP SDK, which takes 0.4 s; most servers never need it.
    agents = await asyncio.to_thread(importlib.import_module, "emotion_llama.agents.http")
    backend = _Here(services_of(raw_request.app), message.clip)
    reply = await agents.exchange(backend, raw_request.scope, message.text)
    response = Response(reply.body, reply.status)
    response.raw_headers = list(reply.headers)
    return response


@dataclass(frozen=True)
class _Here:
    """Answers the tools in this process, as `emotion_llama.agents.tools.Backend`.

    Args:
        services: what all requests share.
        clip: the clip of this message, if it was taken out of it.
    """

    services: Services
    clip: str | None

    async def analyse(self, request: EmotionRequest) -> EmotionResponse:
        if self.clip is not None:
            request = request.model_copy(update={"video": self.clip})
        submission = Submission(bounded(request, self.services.settings), None)
        findings = await self.services.analyst.take_up(submission)
        return await findings.whole()

    async def labels(self) -> LabelList:
        card, name = self.services.card, self.services.analyst.served.name
        return LabelList(model=name, labels=card.labels, description=card.description)

    def sentence(self, error: Exception) -> str:
        return describe(error).details
