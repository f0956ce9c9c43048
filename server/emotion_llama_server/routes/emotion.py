"""Answers `POST /v1/emotion`: a clip's emotion in numbers, with times, words and evidence."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from emotion_llama.schema import (
    EVENT_STREAM,
    EmotionRequest,
    EmotionResponse,
    TimelineWindow,
)
from emotion_llama_server import paths
from emotion_llama_server.emotion import formats
from emotion_llama_server.emotion.request import Submission, read_submission
from emotion_llama_server.emotion.service import Findings
from emotion_llama_server.engine import until_disconnect
from emotion_llama_server.errors import describe, openai_error
from emotion_llama_server.routes.error_route import ErrorRoute
from emotion_llama_server.services import services_of
from emotion_llama_vllm.errors import FieldError

_TIMELINE_FORMS: dict[str, Callable[[Sequence[TimelineWindow]], str]] = {
    "text/csv": formats.as_csv,
    "text/vtt": formats.as_vtt,
}


def _request_body() -> dict[str, Any]:
    """Return the OpenAPI description of both kinds of body; FastAPI can derive only one."""
    schema = {"$ref": f"#/components/schemas/{EmotionRequest.__name__}"}
    parts = {"video": {"type": "string", "format": "binary"}, "request": schema}
    upload = {"type": "object", "properties": parts, "required": ["video"]}
    return {
        "required": True,
        "content": {
            "application/json": {"schema": schema},
            "multipart/form-data": {
                "schema": upload,
                "encoding": {"request": {"contentType": "application/json"}},
            },
        },
    }


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": EmotionResponse,
        "description": "The analysis; a stream with `stream`, the timeline alone with `Accept`.",
        "headers": {
            "X-Cache": {
                "description": "`hit` or `miss`, where answers are kept.",
                "schema": {"type": "string", "enum": ["hit", "miss"]},
            }
        },
        "content": {
            form: {"schema": {"type": "string"}} for form in (EVENT_STREAM, *_TIMELINE_FORMS)
        },
    }
}
router = APIRouter(route_class=ErrorRoute, tags=["emotion"])


@router.post(
    paths.EMOTION,
    responses=_ANSWERS,
    openapi_extra={"requestBody": _request_body()},
    response_class=JSONResponse,
)
@until_disconnect
async def analyse(
    submission: Annotated[Submission, Depends(read_submission)], raw_request: Request
) -> Response:
    """Estimate the emotion in a clip: every label's probability, an explanation, a timeline."""
    form = _timeline_form(raw_request, submission.request)
    findings = await services_of(raw_request.app).analyst.take_up(submission)
    headers = {}
    if findings.cached is not None:
        headers["X-Cache"] = "hit" if findings.cached else "miss"
    if submission.request.stream:
        body = _stream(findings)
        return StreamingResponse(body, headers=headers, media_type=EVENT_STREAM)
    answer = await findings.whole()
    if form is None:
        return Response(answer.model_dump_json(), media_type="application/json", headers=headers)
    return Response(_TIMELINE_FORMS[form](answer.timeline or []), 200, headers, form)


def _timeline_form(raw_request: Request, request: EmotionRequest) -> str | None:
    """Return the timeline format that the client accepts instead of JSON."""
    accepted = {
        kind.partition(";")[0].strip().lower()
        for kind in raw_request.headers.get("accept", "").split(",")
    }
    if request.stream or accepted & {"application/json", "*/*"}:
        return None
    form = next((form for form in _TIMELINE_FORMS if form in accepted), None)
    if form is not None and request.timeline is None:
        raise FieldError(f"{form} is a format of timelines: set `timeline`.", field="timeline")
    return form


async def _stream(findings: Findings) -> AsyncGenerator[str, None]:
    """Yield the events when they are ready; an error during the stream becomes the last event."""
    try:
        async with aclosing(findings.events) as events:
            async for event in events:
                yield formats.server_sent(event)
    except Exception as error:
        yield formats.server_sent(openai_error(describe(error)))
