"""Serves the original's Gradio app to Gradio's clients, with its one function `predict`.

The clients read `/config` and `/info`, may upload a clip, and post a question either to
`/run/predict` or for an answer in a stream. The server answers it like `/api/predict/`. A question
for a stream keeps its place in the gate until the answer is ready, although its post was answered.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, StrictStr
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from emotion_llama.schema import EVENT_STREAM
from emotion_llama_server import paths
from emotion_llama_server.emotion.request import keep, read_form
from emotion_llama_server.engine import until_disconnect
from emotion_llama_server.errors import describe
from emotion_llama_server.gate.caller import caller_of, owner_of
from emotion_llama_server.gradio import description
from emotion_llama_server.gradio.description import Told
from emotion_llama_server.gradio.desk import KEEP_SECONDS, Desk, Output
from emotion_llama_server.routes import legacy
from emotion_llama_server.routes.error_route import ErrorRoute
from emotion_llama_server.services import services_of
from emotion_llama_server.strict_json import media_type
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.settings import media_settings

_HEARTBEAT_SECONDS = 10
"""Seconds between two heartbeats; clients wait 20 s for a message of a stream."""
_UPLOADED = "gradio-upload/"


class FileData(BaseModel):
    """Names a file that the client has uploaded, or a URL."""

    path: StrictStr


class Question(BaseModel):
    """Asks a question about a clip, which is uploaded or named as for `/api/predict/`."""

    data: tuple[StrictStr | FileData, StrictStr]


class Event(BaseModel):
    """Holds the id that the client uses for a question."""

    event_id: StrictStr


class QueuedQuestion(Question, Event):
    """Asks a question for which the client has a stream open."""


router = APIRouter(route_class=ErrorRoute, include_in_schema=False)


@router.get("/config")
async def config() -> dict[str, Any]:
    """Return the description of the app."""
    return description.config(media_settings().max_media_bytes)


@router.get("/info")
async def info() -> dict[str, Any]:
    """Return the description of the function."""
    return description.info()


@router.get("/heartbeat/{session_hash}")
async def heartbeat(raw_request: Request) -> StreamingResponse:
    """Send a heartbeat regularly, because `gradio_client` 1.x requests it without a pause."""
    seconds = services_of(raw_request.app).settings.request_timeout

    async def beats() -> AsyncGenerator[str, None]:
        for _ in range(int(seconds / _HEARTBEAT_SECONDS) + 1):
            yield "data: ALIVE\n\n"
            await asyncio.sleep(_HEARTBEAT_SECONDS)

    return StreamingResponse(beats(), media_type=EVENT_STREAM)


@router.post("/upload")
async def upload(raw_request: Request) -> list[str]:
    """Keep a clip for the question about it, and return the path that the question must use."""
    if media_type(raw_request) != "multipart/form-data":
        raise HTTPException(415, "Send multipart/form-data with a file.")
    (desk, owner), name = _desk(raw_request), _UPLOADED + secrets.token_urlsafe(16)
    async with read_form(raw_request, files=1, fields=0) as form:
        file = form.get("files")
        if not isinstance(file, UploadFile):
            raise HTTPException(400, "An upload is one file, in the part `files`.")
        mebibytes = max(1, -(-(file.size or 0) // 2**20))
        desk.uploads.check_room(owner, mebibytes)
        await desk.uploads.put(owner, name, keep(file), mebibytes)
    return [name]


@router.post(paths.GRADIO_RUN)
@until_disconnect
async def run(body: Question, raw_request: Request) -> legacy.PredictResponse:
    """Answer a question in the response, for `@gradio/client`."""
    return await _ask(body, raw_request)


@router.get("/queue/join")
async def join(raw_request: Request) -> StreamingResponse:
    """Stream the progress and answer of a question, for `gradio_client`."""
    event_id = await _begin(raw_request)
    first = description.queue_message({"msg": "send_data", "event_id": event_id})
    return _stream(raw_request, event_id, first, description.queue_event)


@router.post("/queue/data")
async def ask_in_queue(body: QueuedQuestion, raw_request: Request) -> JSONResponse:
    """Accept a question and send its answer in a stream."""
    return _work_on(body, raw_request, body.event_id)


@router.post("/cancel")
async def cancel(body: Event, raw_request: Request) -> dict[str, bool]:
    """Cancel a question and its stream."""
    return {"success": _output(raw_request, body.event_id).cancel()}


@router.post("/call/predict")
async def call(body: Question, raw_request: Request) -> JSONResponse:
    """Accept a question in the form of Gradio's curl example."""
    return _work_on(body, raw_request, await _begin(raw_request))


@router.get("/call/predict/{event_id}")
async def call_answer(event_id: str, raw_request: Request) -> StreamingResponse:
    """Stream the answer to a question."""
    return _stream(raw_request, event_id, "", description.call_event)


async def _begin(raw_request: Request) -> str:
    """Return the id of a new event without output.

    Raises:
        HTTPException: the client has no free place for a further event.
    """
    (desk, owner), event_id = _desk(raw_request), secrets.token_urlsafe(16)
    desk.outputs.check_room(owner)
    await desk.outputs.put(owner, event_id, asyncio.get_running_loop().create_future())
    return event_id


def _output(raw_request: Request, event_id: str) -> Output:
    """Return the output of an event, which may still be pending.

    Raises:
        HTTPException: the client has no such event.
    """
    desk, owner = _desk(raw_request)
    if (output := desk.outputs.find(owner, event_id)) is None:
        raise HTTPException(404, "There is no such event, or its answer was already sent.")
    return output


def _work_on(body: Question, raw_request: Request, event_id: str) -> JSONResponse:
    """Return a response whose background task answers the question in the request's place."""
    task = BackgroundTask(_work, body, raw_request, _output(raw_request, event_id))
    return JSONResponse({"event_id": event_id}, background=task)


async def _work(body: Question, raw_request: Request, output: Output) -> None:
    """Set the output, unless nobody waits for it or the gate ends the request."""
    answer = asyncio.create_task(_answer(body, raw_request))
    try:
        await asyncio.wait({answer, output}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        answer.cancel()
        if not output.done():
            late = {"error": "The request took longer than this server allows."}
            output.set_result(answer.result() if answer.done() else late)


async def _answer(body: Question, raw_request: Request) -> Told:
    """Return the answer, or the error."""
    try:
        return (await _ask(body, raw_request)).model_dump()
    except Exception as error:
        return {"error": describe(error).details}


async def _ask(body: Question, raw_request: Request) -> legacy.PredictResponse:
    clip, question = body.data
    engine = services_of(raw_request.app).engine
    path = clip if isinstance(clip, str) else clip.path
    if not path.startswith(_UPLOADED):
        return await legacy.answer(engine, path, question)
    with _take_upload(path, raw_request) as upload:
        return await legacy.answer(engine, upload, question)


def _take_upload(name: str, raw_request: Request) -> ClipFile:
    """Remove an upload and return it.

    Raises:
        HTTPException: the client has no such upload.
    """
    desk, owner = _desk(raw_request)
    if (clip := desk.uploads.take(owner, name)) is None:
        words = f"There is no such upload: each is kept for one question and {KEEP_SECONDS} s."
        raise HTTPException(404, words)
    return clip


def _stream(
    raw_request: Request, event_id: str, first: str, write: Callable[[str, Told | None], str]
) -> StreamingResponse:
    """Return the stream of an event; if the client leaves it, the work ends.

    Args:
        raw_request: the client's request.
        event_id: the id of the event.
        first: the beginning of the stream.
        write: formats an event from its id and its result, or from its id and None for a heartbeat.

    Raises:
        HTTPException: the client has no such event.
    """
    (desk, owner), output = _desk(raw_request), _output(raw_request, event_id)

    async def events() -> AsyncGenerator[str, None]:
        try:
            yield first
            while not (await asyncio.wait({output}, timeout=_HEARTBEAT_SECONDS))[0]:
                yield write(event_id, None)
            if not output.cancelled():
                yield write(event_id, output.result())
        finally:
            output.cancel()
            desk.outputs.take(owner, event_id)

    return StreamingResponse(events(), media_type=EVENT_STREAM)


def _desk(raw_request: Request) -> tuple[Desk, str]:
    """Return the kept data, and the owner for whom the request asks."""
    return services_of(raw_request.app).desk, owner_of(caller_of(raw_request.scope))
