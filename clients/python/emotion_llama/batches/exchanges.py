"""Implements the exchanges about files and batches without any input or output."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from itertools import count
from os import PathLike
from pathlib import Path
from typing import IO, Any

import httpx2

from emotion_llama.batch import Batch, BatchList
from emotion_llama.batches.lines import ClipUpload, local_content
from emotion_llama.errors import EmotionLLaMAError, OverloadedError, RateLimitError
from emotion_llama.face_crops import FaceCrops
from emotion_llama.media import Upload, upload_of
from emotion_llama.stored import FileDeleted, FileList, FileObject, Purpose, UploadPurpose
from emotion_llama.wire import ROUTE, Exchange, Exchanges, Pause, Work, parse

FILES, BATCHES = "/v1/files", "/v1/batches"
OVER = frozenset({"completed", "failed", "expired", "cancelled"})
"""The states after which nothing more happens to a batch."""
_PAGE_FILES, _PAGE_BATCHES = 1000, 100
_MOST_REFUSALS = 30
"""How often a clip is sent again after 429 or 503, beside the retries of each request: a server
with a rate limit counts every clip of a folder."""
_REFUSED_SECONDS = 10.0


def upload(
    wire: Exchanges,
    file: Upload | str,
    purpose: UploadPurpose,
    filename: str | None = None,
    seconds: int | None = None,
) -> Exchange[FileObject]:
    """Upload a file.

    Args:
        wire: sends the request.
        file: the file's path, its bytes, or the file itself, open.
        purpose: what the file is for.
        filename: the name by which a list of files shows it; by default its own.
        seconds: how long it is kept, from an hour to 30 days.

    Raises:
        OSError: the file cannot be read.
        EmotionLLaMAError: the server does not keep it.
    """
    content = Path(file) if isinstance(file, str) else upload_of(file)
    name = filename or _name_of(content)
    form = {"purpose": purpose}
    if seconds is not None:
        form |= {"expires_after[anchor]": "created_at", "expires_after[seconds]": str(seconds)}
    with content.open("rb") if isinstance(content, Path) else nullcontext(content) as data:
        part = (name.encode(errors="replace").decode(), data, "application/octet-stream")

        def build() -> httpx2.Request:
            return wire.build("POST", FILES, data=form, files={"file": part})

        is_seekable = isinstance(data, bytes) or data.seekable()
        retries = None if is_seekable else 0
        return parse((yield from wire.attempts(build, retries=retries)), FileObject)


def upload_clip(
    wire: Exchanges, clip: str, crops: FaceCrops | None, seconds: int
) -> Exchange[ClipUpload]:
    """Upload a clip that is a local file; a failure is a result too."""
    try:
        content = yield Work(lambda: local_content(clip, crops))
    except (OSError, ValueError) as error:
        return ClipUpload(clip, None, error)
    if content is None:
        return ClipUpload(clip, clip, None)
    name = Path(clip).name
    for refusals in count(1):
        try:
            made = yield from upload(wire, content, "user_data", name, seconds)
        except (EmotionLLaMAError, OSError) as error:
            if not isinstance(error, RateLimitError | OverloadedError) or refusals > _MOST_REFUSALS:
                return ClipUpload(clip, None, error)
            yield Pause(_REFUSED_SECONDS)
        else:
            return ClipUpload(clip, made.id, None)
    raise AssertionError("there is no end of numbers")


def list_files(wire: Exchanges, purpose: Purpose | None, after: str | None) -> Exchange[FileList]:
    """Request the next page of the list of files."""
    query = _query(limit=_PAGE_FILES, purpose=purpose, after=after)
    return parse((yield from _send(wire, "GET", FILES, params=query)), FileList)


def delete_file(wire: Exchanges, file_id: str) -> Exchange[FileDeleted]:
    """Request that a file is deleted."""
    return parse((yield from _send(wire, "DELETE", f"{FILES}/{file_id}")), FileDeleted)


def content(wire: Exchanges, file_id: str, *, stream: bool = False) -> Exchange[httpx2.Response]:
    """Request the bytes of a file."""
    path = f"{FILES}/{file_id}/content"
    return (yield from wire.attempts(lambda: wire.build("GET", path), stream=stream))


def create_batch(
    wire: Exchanges, lines: bytes, completion_window: str, metadata: Mapping[str, str] | None
) -> Exchange[Batch]:
    """Upload lines, and request that they are answered."""
    file = yield from upload(wire, lines, "batch", "clips.jsonl")
    body = {
        "input_file_id": file.id,
        "endpoint": ROUTE,
        "completion_window": completion_window,
        "metadata": metadata and dict(metadata),
    }
    # Sent twice, it would be two batches.
    answer = yield from wire.attempts(
        lambda: wire.build("POST", BATCHES, json=body), is_repeatable=False
    )
    return parse(answer, Batch)


def list_batches(wire: Exchanges, after: str | None) -> Exchange[BatchList]:
    """Request the next page of the list of batches."""
    query = _query(limit=_PAGE_BATCHES, after=after)
    return parse((yield from _send(wire, "GET", BATCHES, params=query)), BatchList)


def retrieve(wire: Exchanges, batch: Batch | str) -> Exchange[Batch]:
    """Request a batch as it is now."""
    return parse((yield from _send(wire, "GET", f"{BATCHES}/{id_of(batch)}")), Batch)


def cancel(wire: Exchanges, batch: Batch | str) -> Exchange[Batch]:
    """Request that a batch ends."""
    return parse((yield from _send(wire, "POST", f"{BATCHES}/{id_of(batch)}/cancel")), Batch)


def wait_for(
    wire: Exchanges, batch: Batch | str, every: float, on_update: Callable[[Batch], None]
) -> Exchange[Batch]:
    """Request a batch every few seconds until it is over."""
    while True:
        found = yield from retrieve(wire, batch)
        on_update(found)
        if found.status in OVER:
            return found
        yield Pause(every)


def result_files(wire: Exchanges, batch: Batch | str) -> Exchange[list[str]]:
    """Return the ids of the files with the results of a batch that is over.

    Raises:
        ValueError: the batch goes on, or is not about emotions.
    """
    found = yield from retrieve(wire, batch)
    if found.status not in OVER:
        raise ValueError(f"{found.id} is {found.status}: its results are there when it is over.")
    if found.endpoint != ROUTE:
        raise ValueError(f"{found.id} has answers of {found.endpoint}: read its output file.")
    return [name for name in (found.output_file_id, found.error_file_id) if name]


def id_of(batch: Batch | str) -> str:
    """Return the id of a batch."""
    return batch if isinstance(batch, str) else batch.id


def _send(wire: Exchanges, method: str, path: str, **more: Any) -> Exchange[httpx2.Response]:
    return (yield from wire.attempts(lambda: wire.build(method, path, **more)))


def _query(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _name_of(content: bytes | IO[bytes] | PathLike[str]) -> str:
    """Return the file name of what is uploaded, or `file` for bytes without one."""
    named = content if isinstance(content, PathLike) else getattr(content, "name", None)
    return Path(named).name if isinstance(named, str | PathLike) else "file"
