"""Answers OpenAI's `/v1/files`: files that are uploaded ahead, as clips or lines of a batch."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, BinaryIO, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from emotion_llama.stored import FileDeleted, FileList, FileObject, Purpose
from emotion_llama_server import paths
from emotion_llama_server.files.errors import FileMissing
from emotion_llama_server.files.form import UploadForm
from emotion_llama_server.files.objects import Incoming
from emotion_llama_server.files.store import FileStore, NewFile
from emotion_llama_server.files.upload import Upload
from emotion_llama_server.gate.caller import key_name
from emotion_llama_server.routes.error_route import ErrorRoute
from emotion_llama_server.services import services_of
from emotion_llama_server.settings import BATCH_BYTES
from emotion_llama_server.strict_json import BodyError
from emotion_llama_vllm.media.errors import clip_too_large
from emotion_llama_vllm.settings import media_settings

_PIECE = 1 << 18
_ALL = 10_000
"""The number of files in the longest page."""

_FORM = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "purpose": {"type": "string", "enum": ["batch", "vision", "user_data"]},
        "expires_after[anchor]": {"type": "string", "enum": ["created_at"]},
        "expires_after[seconds]": {"type": "integer", "minimum": 3600, "maximum": 2592000},
    },
    "required": ["file", "purpose"],
}
_BODY = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}}
_BYTES = {"schema": {"type": "string", "format": "binary"}}

router = APIRouter(route_class=ErrorRoute, tags=["files"])


@router.post(paths.FILES, openapi_extra=_BODY)
async def upload_file(raw_request: Request) -> FileObject:
    """Keep a file: a clip for later requests, or the lines of a batch."""
    store, owner = _store(raw_request), key_name(raw_request.scope)
    declared = raw_request.headers.get("content-length", "0")
    await store.check_room(owner, int(declared) if declared.isdecimal() else 0)
    media = media_settings().max_media_bytes
    async with _incoming(store) as incoming:
        content_type = raw_request.headers.get("content-type", "")
        upload = Upload(incoming, content_type, max(BATCH_BYTES, media))
        digest = await upload.receive(raw_request.stream())
        form = UploadForm.of(upload.fields)
        _check_size(incoming.size, form.purpose, media)
        seconds = form.expires_after.seconds if form.expires_after else None
        new = NewFile(owner, upload.filename or "", form.purpose, seconds)
        return await store.add(new, incoming, digest)


@router.get(paths.FILES)
async def list_files(
    raw_request: Request,
    purpose: Purpose | None = None,
    after: Annotated[str | None, Query(description="The last id of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=_ALL)] = _ALL,
    order: Literal["asc", "desc"] = "desc",
) -> FileList:
    """List your files, the newest first."""
    return await _store(raw_request).page(
        key_name(raw_request.scope), purpose=purpose, after=after, limit=limit, order=order
    )


@router.get(paths.FILE)
async def retrieve_file(file_id: str, raw_request: Request) -> FileObject:
    """Describe one of your files."""
    return await _store(raw_request).get(key_name(raw_request.scope), file_id)


@router.delete(paths.FILE)
async def delete_file(file_id: str, raw_request: Request) -> FileDeleted:
    """Delete one of your files."""
    await _store(raw_request).delete(key_name(raw_request.scope), file_id)
    return FileDeleted(id=file_id)


@router.get(
    paths.FILE_CONTENT,
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": _BYTES}}},
)
async def retrieve_content(file_id: str, raw_request: Request) -> Response:
    """Return the bytes of one of your files."""
    file, content = await _store(raw_request).open(key_name(raw_request.scope), file_id)
    headers = {
        "Content-Length": str(file.bytes),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}",
    }
    return StreamingResponse(_pieces(content), 200, headers, "application/octet-stream")


@asynccontextmanager
async def _incoming(store: FileStore) -> AsyncGenerator[Incoming]:
    """Yield a new file in the data folder, and delete what is not kept of it."""
    incoming = await asyncio.to_thread(Incoming, store.folder.uploads)
    try:
        yield incoming
    finally:
        incoming.discard()


def _check_size(size: int, purpose: str, media_bytes: int) -> None:
    if not size:
        raise BodyError("The file is empty.", param="file")
    if purpose == "batch" and size > BATCH_BYTES:
        words = f"The lines of a batch may have {BATCH_BYTES // 10**6} MB."
        raise BodyError(words, status=413, param="file")
    if purpose != "batch" and size > media_bytes:
        raise clip_too_large(media_bytes)


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    with content:
        while piece := content.read(_PIECE):
            yield piece


def _store(raw_request: Request) -> FileStore:
    storage = services_of(raw_request.app).storage
    if storage is None:  # the routes are there only with it
        raise FileMissing
    return storage.files
