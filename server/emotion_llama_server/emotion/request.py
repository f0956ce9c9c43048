"""Reads a request for an analysis: JSON, or a file and JSON in one multipart body."""

import errno
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from emotion_llama.schema import EmotionRequest
from emotion_llama_server.services import services_of
from emotion_llama_server.settings import TEXT_BYTES, ServerSettings
from emotion_llama_server.strict_json import check_json, gather, media_type, parse
from emotion_llama_vllm.errors import FieldError
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.errors import MediaError, StorageFull, clip_too_large, shortage
from emotion_llama_vllm.settings import media_settings


@dataclass(frozen=True)
class Submission:
    """Holds the request, and the clip if it was uploaded."""

    request: EmotionRequest
    upload: ClipFile | None


async def read_submission(raw_request: Request) -> AsyncGenerator[Submission, None]:
    """Read a body of either kind; close an uploaded clip when the request is over.

    Raises:
        pydantic.ValidationError: a field is unknown or has a wrong value.
        FieldError: there is no clip, or there are two.
        MediaTooLarge: the body has more bytes than the operator allows.
        StorageFull: an upload is too large for memory, and there is no disk space for it.
        BodyError: the Content-Type is another one.
    """
    submission = await _read(raw_request)
    try:
        if (submission.request.video is None) == (submission.upload is None):
            raise FieldError("Name one clip: as `video`, or as an uploaded file.", field="video")
        settings = services_of(raw_request.app).settings
        yield replace(submission, request=bounded(submission.request, settings))
    finally:
        if submission.upload is not None:
            submission.upload.close()


def bounded(request: EmotionRequest, settings: ServerSettings) -> EmotionRequest:
    """Return the request with its number of tokens reduced to the operator's limit."""
    tokens = min(request.max_tokens, settings.max_answer_tokens)
    return request.model_copy(update={"max_tokens": tokens})


async def _read(raw_request: Request) -> Submission:
    if media_type(raw_request) == "multipart/form-data":
        return await _read_form(raw_request)
    check_json(raw_request)
    return await _read_json(raw_request)


async def _read_json(raw_request: Request) -> Submission:
    body = await gather(_limited(raw_request, media_settings().max_base64_bytes))
    return Submission(EmotionRequest.model_validate(await parse(body)), None)


async def _read_form(raw_request: Request) -> Submission:
    async with read_form(raw_request, files=2, fields=2) as form:
        return await _from_form(form)


@asynccontextmanager
async def read_form(
    raw_request: Request, *, files: int, fields: int
) -> AsyncGenerator[FormData, None]:
    """Read a multipart body, whose files exist until the block ends.

    Args:
        raw_request: a request of the type `multipart/form-data`.
        files: the maximum number of files.
        fields: the maximum number of other parts.

    Raises:
        MediaTooLarge: the body has more bytes than the operator allows.
        StorageFull: a file is too large for memory, and there is no disk space for it.
        HTTPException: the body is malformed.
    """
    _check_charset(raw_request.headers["content-type"])
    parser = MultiPartParser(
        raw_request.headers,
        _limited(raw_request, media_settings().max_media_bytes),
        max_files=files,
        max_fields=fields,
        max_part_size=TEXT_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, f"The multipart body cannot be read: {error.message}") from error
    except OSError as error:
        raise _cannot_store(error) from error
    try:
        yield form
    finally:
        await form.close()


def _check_charset(content_type: str) -> None:
    """Refuse other encodings than UTF-8: some take time in the square of the text's length."""
    _, options = parse_options_header(content_type)
    if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):
        raise HTTPException(400, "The multipart body cannot be read: send its text as UTF-8.")


def _cannot_store(error: OSError) -> MediaError:
    """Return the error for a folder for temporary files that cannot be written."""
    full = StorageFull(
        "The server has no disk space for an upload of this size now; "
        f"send at most {MultiPartParser.spool_max_size >> 20} MiB, or try again later."
    )
    return full if error.errno == errno.ENOSPC else shortage(error) or full


async def _from_form(form: FormData) -> Submission:
    if unknown := sorted(set(form) - {"video", "request"}):
        raise FieldError("The parts of an upload are `video` and `request`.", field=unknown[0])
    video, request = form.get("video"), form.get("request", "{}")
    if len(form.multi_items()) > len(form):
        raise FieldError("Each part may come once.", field="video")
    if video is not None and not isinstance(video, UploadFile):
        raise FieldError("The part `video` must be a file.", field="video")
    text = await request.read() if isinstance(request, UploadFile) else request.encode()
    asked = EmotionRequest.model_validate(await parse(text))
    return Submission(asked, None if video is None else keep(video))


def keep(upload: UploadFile) -> ClipFile:
    """Keep an uploaded file open after its form is closed.

    A small file stays in memory, because a descriptor would put it on a disk that may be full. A
    larger file is on disk, where it never had a name.
    """
    if (upload.size or 0) <= MultiPartParser.spool_max_size:
        return ClipFile.in_memory(upload.file.read())
    return ClipFile(cast(BinaryIO, os.fdopen(os.dup(upload.file.fileno()), "rb")))


async def _limited(raw_request: Request, clip_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield the body, and raise an error if it becomes too large."""
    limit, read = clip_bytes + TEXT_BYTES, 0
    declared = raw_request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise clip_too_large(media_settings().max_media_bytes)
    async for piece in raw_request.stream():
        read += len(piece)
        if read > limit:
            raise clip_too_large(media_settings().max_media_bytes)
        yield piece
