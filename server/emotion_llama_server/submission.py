"""A request for an analysis as it comes in: JSON, or a file and JSON in one multipart body."""

import asyncio
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import BinaryIO, cast

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from vllm.exceptions import VLLMValidationError

from emotion_llama.schema import EmotionRequest
from emotion_llama_server.strict_json import check_json
from emotion_llama_vllm.media.errors import MediaTooLarge
from emotion_llama_vllm.media.file import ClipFile
from emotion_llama_vllm.settings import media_settings

_REQUEST_BYTES = 4 << 20
"""Of everything in a request but its clip."""


@dataclass(frozen=True)
class Submission:
    """What is asked, and the clip where it was uploaded."""

    request: EmotionRequest
    upload: ClipFile | None


async def read_submission(raw_request: Request) -> Submission:
    """Read the body, of either kind.

    Raises:
        pydantic.ValidationError: a field that is unknown or has a wrong value.
        VLLMValidationError: no clip, or two.
        MediaTooLarge: more bytes than the operator allows.
        HTTPException: another Content-Type.
    """
    kind = raw_request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        submission = await _read_json(raw_request)
    elif kind == "multipart/form-data":
        submission = await _read_form(raw_request)
    else:
        raise HTTPException(415, "Send application/json, or multipart/form-data with a file.")
    if (submission.request.video is None) == (submission.upload is None):
        raise VLLMValidationError(
            "Name one clip: as `video`, or as an uploaded file.", parameter="video"
        )
    return submission


async def _read_json(raw_request: Request) -> Submission:
    body = bytearray()
    async for piece in _limited(raw_request, media_settings().max_media_bytes * 4 // 3):
        body += piece
    return Submission(await _parse(bytes(body)), None)


async def _read_form(raw_request: Request) -> Submission:
    parser = MultiPartParser(
        raw_request.headers,
        _limited(raw_request, media_settings().max_media_bytes),
        max_files=2,
        max_fields=2,
        max_part_size=_REQUEST_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, f"The multipart body cannot be read: {error.message}") from error
    try:
        return await _from_form(form)
    finally:
        await form.close()


async def _from_form(form: FormData) -> Submission:
    if unknown := sorted(set(form) - {"video", "request"}):
        raise VLLMValidationError(
            "The parts of an upload are `video` and `request`.", parameter=unknown[0]
        )
    video, request = form.get("video"), form.get("request", "{}")
    if len(form.multi_items()) > len(form):
        raise VLLMValidationError("Each part may come once.", parameter="video")
    if video is not None and not isinstance(video, UploadFile):
        raise VLLMValidationError("The part `video` must be a file.", parameter="video")
    text = await request.read() if isinstance(request, UploadFile) else request.encode()
    submission = await _parse(text)
    return Submission(submission, video and await asyncio.to_thread(_keep, video))


def _keep(upload: UploadFile) -> ClipFile:
    """The uploaded file, held open beyond its form: on disk, where it never had a name."""
    return ClipFile(cast(BinaryIO, os.fdopen(os.dup(upload.file.fileno()), "rb")))


async def _parse(body: bytes | str) -> EmotionRequest:
    """Off the event loop: a clip in a data URL takes a while."""
    return await asyncio.to_thread(_parse_strictly, body)


def _parse_strictly(body: bytes | str) -> EmotionRequest:
    request = EmotionRequest.model_validate_json(body)
    check_json(body)
    return request


async def _limited(raw_request: Request, clip_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes, as long as it is not too large."""
    limit, read = clip_bytes + _REQUEST_BYTES, 0
    declared = raw_request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large()
    async for piece in raw_request.stream():
        read += len(piece)
        if read > limit:
            raise _too_large()
        yield piece


def _too_large() -> MediaTooLarge:
    most = media_settings().max_media_mb
    return MediaTooLarge(f"The clip is over {most:g} MiB, the most that this server takes.")
